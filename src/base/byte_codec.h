// Numbers and texts as little-endian bytes, and back: for files that other processes read.
//
// A reader never takes memory for more than the bytes that are there. What does not fit makes it
// fail for good: every later read gives zeros, and ok() is false; so a caller may read a whole
// structure and ask once.
//
// Owner: the caller. Threads: one per object; a reader's bytes outlive it. Errors: ok().
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

static_assert(std::endian::native == std::endian::little);

class ByteWriter {
 public:
  void u8(std::uint8_t value) { raw(&value, sizeof value); }
  void u32(std::uint32_t value) { raw(&value, sizeof value); }
  void u64(std::uint64_t value) { raw(&value, sizeof value); }
  void f64(double value) { raw(&value, sizeof value); }
  void text(std::string_view value) {
    u64(value.size());
    bytes_.append(value);
  }
  void doubles(std::span<const double> values) { raw(values.data(), values.size_bytes()); }
  const std::string& bytes() const { return bytes_; }
  std::string take() { return std::move(bytes_); }

 private:
  void raw(const void* data, std::size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
  }
  std::string bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  std::size_t left() const { return rest_.size(); }
  void refuse() { ok_ = false; }

  std::uint8_t u8() { return number<std::uint8_t>(); }
  std::uint32_t u32() { return number<std::uint32_t>(); }
  std::uint64_t u64() { return number<std::uint64_t>(); }
  double f64() { return number<double>(); }
  bool flag() {
    const std::uint8_t value = u8();
    if (value > 1) ok_ = false;
    return value == 1;
  }
  std::string_view text() { return bytes(u64()); }
  std::string_view bytes(std::uint64_t count) {
    if (!ok_ || count > rest_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::vector<double> doubles(std::uint64_t count) {
    if (!ok_ || count > rest_.size() / sizeof(double)) {
      ok_ = false;
      return {};
    }
    std::vector<double> values(count);
    if (count > 0) std::memcpy(values.data(), rest_.data(), count * sizeof(double));
    rest_.remove_prefix(count * sizeof(double));
    return values;
  }

 private:
  template <typename T>
  T number() {
    T value{};
    const std::string_view taken = bytes(sizeof value);
    if (ok_) std::memcpy(&value, taken.data(), sizeof value);
    return value;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace weir
