// An entry as it lies in Redis, where others may write: under which name, and how a reader knows
// that it is one of ours, of this model, of this row.
//
//   name   "weir:cache:" and 24 characters: a tag of the row (base64)
//   value  25 bytes: 1, the prediction (8 bytes), a tag of row and prediction (16 bytes)
//
// Tags are SipHash-2-4 with 128 bits, under keys that follow from the secret, the program's build
// and the model's sha256. So an entry that was forged, changed, cut, or moved to another name, and
// one of another model, build or layout, does not open. What was put in its place from an earlier
// time does, and says the same: a model's prediction of a row is always the same.
//
// Threads: pure functions. Errors: nullopt for what is not ours.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cache/sip_hash.h"

namespace weir::cache {

inline constexpr std::size_t kEntryBytes = 25;

struct EntryKeys {
  SipKey name;
  SipKey seal;
};

// `secret`: any bytes that whoever can write to Redis does not know. `build`: what tells programs
// apart whose arithmetic may differ.
EntryKeys entry_keys(std::string_view secret, std::string_view build,
                     std::string_view model_sha256);

std::string entry_name(const EntryKeys& keys, std::span<const double> row);
std::string seal_entry(const EntryKeys& keys, std::span<const double> row, double value);
// The prediction, which is finite.
std::optional<double> open_entry(const EntryKeys& keys, std::span<const double> row,
                                 std::string_view bytes);

}  // namespace weir::cache
