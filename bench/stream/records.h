// The records that the bench's topics are filled with: rows of a data set whose measured columns
// were moved by up to 5 %, written with 15 digits, as a program writes what it computed; columns of
// Boston's with whole numbers stay as they are. The same data set gives the same records.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace weir::bench {

// Both hold one row: {"crim": 0.1, …} and {"sample": {"crim": {"0": 0.1}, …}}.
enum class Shape { kFlat, kColumns };

Shape shape_of(std::string_view name);

// Of a CSV file with a header, whose last column is the target. `rows`: the file that gets the same
// numbers as CSV, or null.
std::vector<std::string> make_records(const char* csv, Shape shape, const char* rows = nullptr);

// Keys are "record-00000000" upwards, so that the partitioner deals evenly and a lost or doubled
// record shows. The record of a key is that of its number modulo how many there are.
inline constexpr std::string_view kKeyPrefix = "record-";

class Key {
 public:
  explicit Key(std::size_t number);
  std::string_view text() const { return {text_, size_}; }

 private:
  char text_[32];
  std::size_t size_;
};

std::size_t number_of(std::string_view key);

}  // namespace weir::bench
