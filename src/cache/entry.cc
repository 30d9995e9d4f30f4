#include "cache/entry.h"

#include <cmath>
#include <cstring>

#include "base/base64.h"
#include "base/sha256.h"
#include "base/text.h"

namespace weir::cache {
namespace {

constexpr char kLayout = 1;
constexpr std::string_view kNamePrefix = "weir:cache:";

std::uint64_t word_of_hex(std::string_view digits) {
  std::uint64_t word = 0;
  for (const char c : digits) {
    word = word << 4 | static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return word;
}

SipTag tag_of(const SipKey& key, std::span<const double> row, double value) {
  SipTagger tagger(key);
  tagger.add(row);
  tagger.add(std::bit_cast<std::uint64_t>(value));
  return tagger.finish();
}

}  // namespace

EntryKeys entry_keys(std::string_view secret, std::string_view build,
                     std::string_view model_sha256) {
  // Each part of fixed size, so that no two sets of parts make one text.
  const std::string digits =
      sha256_hex("weirkeeper cache entries, layout 1\n" + sha256_hex(secret) + sha256_hex(build) +
                 sha256_hex(model_sha256));
  const auto word = [&](std::size_t number) {
    return word_of_hex(std::string_view(digits).substr(number * 16, 16));
  };
  return {{word(0), word(1)}, {word(2), word(3)}};
}

std::string entry_name(const EntryKeys& keys, std::span<const double> row) {
  SipTagger tagger(keys.name);
  tagger.add(row);
  const SipTag tag = tagger.finish();
  return std::string(kNamePrefix) +
         base64_of({reinterpret_cast<const char*>(tag.data()), sizeof tag});
}

std::string seal_entry(const EntryKeys& keys, std::span<const double> row, double value) {
  const SipTag tag = tag_of(keys.seal, row, value);
  std::string bytes(kEntryBytes, kLayout);
  std::memcpy(bytes.data() + 1, &value, sizeof value);
  std::memcpy(bytes.data() + 1 + sizeof value, tag.data(), sizeof tag);
  return bytes;
}

std::optional<double> open_entry(const EntryKeys& keys, std::span<const double> row,
                                 std::string_view bytes) {
  if (bytes.size() != kEntryBytes || bytes[0] != kLayout) return std::nullopt;
  double value = 0;
  SipTag found{};
  std::memcpy(&value, bytes.data() + 1, sizeof value);
  std::memcpy(found.data(), bytes.data() + 1 + sizeof value, sizeof found);
  const SipTag right = tag_of(keys.seal, row, value);
  // Both words, always: how long it takes tells nothing of how much of a tag was right.
  const bool ours = ((right[0] ^ found[0]) | (right[1] ^ found[1])) == 0;
  if (!ours || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace weir::cache
