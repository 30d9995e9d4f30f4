// Bytes that are likely to stand at a place, and whether they do: the first sixteen are compared as
// two words at once.
//
// Threads: a plain value.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace weir::format {

class ExpectedBytes {
 public:
  // Empty: nothing is expected, and nothing is as expected.
  void expect(std::string_view text) {
    text_ = text;
    unsigned char mask[sizeof words_] = {};
    std::memset(words_, 0, sizeof words_);
    const std::size_t length = std::min(text.size(), sizeof words_);
    text.copy(reinterpret_cast<char*>(words_), length);
    std::memset(mask, 0xff, length);
    std::memcpy(masks_, mask, sizeof mask);
  }
  std::size_t size() const { return text_.size(); }

  // Whether they are the first of the `left` bytes at `at`.
  bool stand_at(const char* at, std::size_t left) const {
    if (left < std::max(text_.size(), sizeof words_)) {
      return !text_.empty() && left >= text_.size() &&
             std::memcmp(at, text_.data(), text_.size()) == 0;
    }
    std::uint64_t words[2];
    std::memcpy(words, at, sizeof words);
    const std::uint64_t differ =
        ((words[0] ^ words_[0]) & masks_[0]) | ((words[1] ^ words_[1]) & masks_[1]);
    if (differ != 0 || text_.empty()) return false;
    return text_.size() <= sizeof words ||
           std::memcmp(at + sizeof words, text_.data() + sizeof words,
                       text_.size() - sizeof words) == 0;
  }

 private:
  std::string text_;
  std::uint64_t words_[2] = {};
  std::uint64_t masks_[2] = {};
};

}  // namespace weir::format
