// Radix sort, a byte at a time from the lowest: comparisons of random numbers cannot be foreseen by
// the processor, and there are none here. Bytes that all numbers share cost no pass.

#include "model/number_sort.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace weir::model {
namespace {

constexpr std::size_t kBytes = sizeof(std::uint64_t);
constexpr std::uint64_t kSign = std::uint64_t{1} << 63;

// Keys order as integers do; the numbers as they order.
std::uint64_t key_of(double number) {
  const auto bits = std::bit_cast<std::uint64_t>(number);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}
double number_of(std::uint64_t key) {
  return std::bit_cast<double>((key & kSign) != 0 ? key & ~kSign : ~key);
}

}  // namespace

void sort_numbers(std::span<double> numbers) {
  std::vector<std::uint64_t> keys(numbers.size());
  std::vector<std::uint64_t> other(numbers.size());
  std::array<std::array<std::uint32_t, 256>, kBytes> counts{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    keys[i] = key_of(numbers[i]);
    for (std::size_t byte = 0; byte < kBytes; ++byte) {
      ++counts[byte][(keys[i] >> (8 * byte)) & 0xff];
    }
  }
  for (std::size_t byte = 0; byte < kBytes && !keys.empty(); ++byte) {
    auto& places = counts[byte];
    if (places[(keys[0] >> (8 * byte)) & 0xff] == keys.size()) continue;
    std::uint32_t place = 0;
    for (std::uint32_t& each : places) place += std::exchange(each, place);
    for (const std::uint64_t key : keys) other[places[(key >> (8 * byte)) & 0xff]++] = key;
    keys.swap(other);
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = number_of(keys[i]);
}

}  // namespace weir::model
