// How records and answers lie in Redis: bytes that sort as they should, and scripts that find what
// they need at fixed places.
//
// Threads: pure functions. Errors: nullopt for bytes that were not written by these; a value that
// another hand has put there is a miss.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "predictions/list_cursor.h"
#include "predictions/prediction_store.h"

namespace weir::predictions::packing {

inline constexpr std::size_t kTimeBytes = 8;
inline constexpr std::size_t kPlaceBytes = 12;
inline constexpr std::size_t kPointBytes = kTimeBytes + kPlaceBytes;

// Big-endian, so that bytes sort as numbers do. Times before 1970 count as 1970.
std::string time_bytes(std::int64_t ms);
std::string place_bytes(const Place& place);
std::string model_bytes(std::uint64_t model);
std::string point_bytes(const ListPoint& point);
std::optional<ListPoint> point_of(std::string_view bytes);

// An id such that no id is the beginning of another, and that sorts as the ids do: zeros are
// doubled up, and two zeros end it.
std::string id_bytes(std::string_view id);
// All that begins with an id that begins so: without the end.
std::string id_prefix_bytes(std::string_view prefix);

// An entry of the index of ids: id_bytes, point_bytes, and the hash of the value (zeros where the
// record is not there).
struct IdEntry {
  std::string id;
  ListPoint point;
  std::optional<ValueHash> value_hash;
};
std::optional<IdEntry> id_entry_of(std::string_view bytes);

// A record's value: time (8), hash (16), length of id_bytes (4, 0 where there is no id), id_bytes,
// then 1 and the features, or 0.
std::string pack(const FeatureRecord& record);
std::optional<FeatureRecord> unpack_record(const Place& place, std::string_view bytes);

// An answer's value: time (8), dead (1), model (8), length of id_bytes (4), id_bytes, then epoch
// (8), its own place (12), and three texts with their lengths (4 each).
std::string pack(const Answer& answer);
std::optional<Answer> unpack_answer(const Place& of, std::string_view bytes);

}  // namespace weir::predictions::packing
