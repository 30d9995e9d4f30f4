#include <algorithm>

#include "predictions/redis_packing_internal.h"

namespace weir::predictions::packing {
namespace {

template <typename Number>
void append(std::string& bytes, Number number) {
  const auto value = static_cast<std::uint64_t>(number);
  for (std::size_t i = sizeof(Number); i-- > 0;) {
    bytes.push_back(static_cast<char>(value >> (8 * i)));
  }
}

// Takes from the front; what does not fit makes it fail for good.
class Taker {
 public:
  explicit Taker(std::string_view bytes) : rest_(bytes) {}

  std::string_view bytes(std::size_t count) {
    if (!ok_ || count > rest_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  template <typename Number>
  Number number() {
    std::uint64_t value = 0;
    for (const char byte : bytes(sizeof(Number))) {
      value = value << 8 | static_cast<unsigned char>(byte);
    }
    return static_cast<Number>(value);
  }
  std::string text() { return std::string(bytes(number<std::uint32_t>())); }
  Place place() {
    Place place;
    place.partition = number<std::int32_t>();
    place.offset = number<std::int64_t>();
    if (place.partition < 0 || place.offset < 0) ok_ = false;
    return place;
  }
  std::optional<std::string> id();
  std::string_view rest() const { return rest_; }
  void refuse() { ok_ = false; }
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// An id of id_bytes, and how many bytes it took; nullopt where it does not end.
std::optional<std::pair<std::string, std::size_t>> id_of(std::string_view bytes) {
  std::string id;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != '\0') {
      id += bytes[i];
      continue;
    }
    if (++i == bytes.size()) break;
    if (bytes[i] == '\0') return std::pair(std::move(id), i + 1);
    if (bytes[i] != '\1') break;
    id += '\0';
  }
  return std::nullopt;
}

std::optional<std::string> Taker::id() {
  const std::string_view packed = bytes(number<std::uint32_t>());
  if (packed.empty()) return std::nullopt;
  auto found = id_of(packed);
  if (!found || found->second != packed.size()) {
    ok_ = false;
    return std::nullopt;
  }
  return std::move(found->first);
}

void append_id(std::string& bytes, const std::optional<std::string>& id) {
  const std::string packed = id ? id_bytes(*id) : std::string();
  append(bytes, static_cast<std::uint32_t>(packed.size()));
  bytes += packed;
}

void append_text(std::string& bytes, std::string_view text) {
  append(bytes, static_cast<std::uint32_t>(text.size()));
  bytes += text;
}

void append_place(std::string& bytes, const Place& place) {
  append(bytes, place.partition);
  append(bytes, place.offset);
}

ValueHash hash_from(std::string_view bytes) {
  ValueHash hash{};
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

}  // namespace

std::string time_bytes(std::int64_t ms) {
  std::string bytes;
  append(bytes, std::max<std::int64_t>(ms, 0));
  return bytes;
}

std::string place_bytes(const Place& place) {
  std::string bytes;
  append_place(bytes, place);
  return bytes;
}

std::string model_bytes(std::uint64_t model) {
  std::string bytes;
  append(bytes, model);
  return bytes;
}

std::string point_bytes(const ListPoint& point) {
  return time_bytes(point.arrived_ms) + place_bytes(point.place);
}

std::optional<ListPoint> point_of(std::string_view bytes) {
  Taker taker(bytes);
  ListPoint point;
  point.arrived_ms = taker.number<std::int64_t>();
  point.place = taker.place();
  if (!taker.ok() || !taker.rest().empty()) return std::nullopt;
  return point;
}

std::string id_prefix_bytes(std::string_view prefix) {
  std::string bytes;
  bytes.reserve(prefix.size() + 2);
  for (const char byte : prefix) {
    bytes += byte;
    if (byte == '\0') bytes += '\1';
  }
  return bytes;
}

std::string id_bytes(std::string_view id) {
  std::string bytes = id_prefix_bytes(id);
  bytes.append(2, '\0');
  return bytes;
}

std::optional<IdEntry> id_entry_of(std::string_view bytes) {
  auto id = id_of(bytes);
  if (!id) return std::nullopt;
  bytes.remove_prefix(id->second);
  if (bytes.size() != kPointBytes + sizeof(ValueHash)) return std::nullopt;
  const auto point = point_of(bytes.substr(0, kPointBytes));
  if (!point) return std::nullopt;
  IdEntry entry{std::move(id->first), *point, std::nullopt};
  const ValueHash hash = hash_from(bytes.substr(kPointBytes));
  if (hash != ValueHash{}) entry.value_hash = hash;
  return entry;
}

std::string pack(const FeatureRecord& record) {
  std::string bytes = time_bytes(record.arrived_ms);
  const ValueHash hash = hash_of(record.features.value_or(""));
  bytes.append(reinterpret_cast<const char*>(hash.data()), hash.size());
  append_id(bytes, record.id);
  bytes += record.features ? '\1' : '\0';
  if (record.features) bytes += *record.features;
  return bytes;
}

std::optional<FeatureRecord> unpack_record(const Place& place, std::string_view bytes) {
  Taker taker(bytes);
  FeatureRecord record;
  record.place = place;
  record.arrived_ms = taker.number<std::int64_t>();
  const std::string_view hash = taker.bytes(sizeof(ValueHash));
  record.id = taker.id();
  const auto has_features = taker.number<std::uint8_t>();
  if (!taker.ok() || has_features > 1) return std::nullopt;
  if (has_features == 1) {
    record.features = std::string(taker.rest());
  } else if (!taker.rest().empty()) {
    return std::nullopt;
  }
  // What another hand has changed is no value of ours.
  if (hash_from(hash) != hash_of(record.features.value_or(""))) return std::nullopt;
  return record;
}

std::string pack(const Answer& answer) {
  std::string bytes = time_bytes(answer.answered_ms);
  bytes += answer.dead ? '\1' : '\0';
  append(bytes, answer.model);
  append_id(bytes, answer.id);
  append(bytes, answer.epoch);
  append_place(bytes, answer.at);
  append_text(bytes, answer.prediction);
  append_text(bytes, answer.reason);
  append_text(bytes, answer.message);
  return bytes;
}

std::optional<Answer> unpack_answer(const Place& of, std::string_view bytes) {
  Taker taker(bytes);
  Answer answer;
  answer.of = of;
  answer.answered_ms = taker.number<std::int64_t>();
  const auto dead = taker.number<std::uint8_t>();
  answer.dead = dead == 1;
  answer.model = taker.number<std::uint64_t>();
  answer.id = taker.id();
  answer.epoch = taker.number<std::uint64_t>();
  answer.at = taker.place();
  answer.prediction = taker.text();
  answer.reason = taker.text();
  answer.message = taker.text();
  if (!taker.ok() || dead > 1 || !taker.rest().empty()) return std::nullopt;
  return answer;
}

}  // namespace weir::predictions::packing
