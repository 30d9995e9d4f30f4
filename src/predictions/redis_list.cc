// A list goes down one sorted set of points, by chunks, and leaves out what does not fit the query.
// The set is the shortest that holds all that fit: those of a model, the dead letters, those that
// wait, or all. Where few ids begin as asked, their points are fetched at once and sorted here.
#include <algorithm>

#include "predictions/redis_list_internal.h"
#include "predictions/redis_packing_internal.h"

namespace weir::predictions {
namespace {

using redis::Command;
using redis::Reply;

constexpr std::size_t kChunk = 100;  // values fetched at once
constexpr std::int64_t kSortedMax = 10'000;
// Of one id, entries of which the first whose record is there is looked for.
constexpr const char* kFirsts = "3";
constexpr const char* kFirstsMax = "1000";

Result<std::vector<Reply>> items_of(Reply reply) {
  if (reply.is_error()) return fail(redis::error_of(reply));
  if (!reply.is_list()) return fail(Code::kIo, "an answer of Redis that is no list");
  return std::move(reply.items);
}

std::optional<Kept> kept_of(const Place& place, const Reply& record, const Reply& answer) {
  Kept kept;
  kept.place = place;
  if (record.is_text()) {
    if (auto found = packing::unpack_record(place, record.text)) {
      kept.id = std::move(found->id);
      kept.features = std::move(found->features);
      kept.arrived_ms = found->arrived_ms;
    }
  }
  if (answer.is_text()) kept.answer = packing::unpack_answer(place, answer.text);
  if (!kept.arrived_ms && !kept.answer) return std::nullopt;
  if (kept.answer && kept.arrived_ms) kept.answer->id = kept.id;
  if (kept.answer && !kept.arrived_ms) kept.id = kept.answer->id;
  return kept;
}

bool fits(const ListQuery& query, const Kept& kept) {
  if (query.state && kept.state() != *query.state) return false;
  if (query.model && (kept.state() != State::kPredicted || kept.answer->model != *query.model)) {
    return false;
  }
  return !query.id_prefix || (kept.id && kept.id->starts_with(*query.id_prefix));
}

// What bounds a list in the order of points: below `high`, at `low` or above. As bytes.
struct Bounds {
  std::string high;  // empty: no bound
  std::string low;
};

Result<Bounds> bounds_of(const ListQuery& query) {
  Bounds bounds;
  if (query.until_ms) bounds.high = packing::time_bytes(*query.until_ms);
  if (!query.cursor.empty()) {
    const std::string cursor = packing::point_bytes(WEIR_TRY(parse_cursor(query.cursor)));
    if (bounds.high.empty() || cursor < bounds.high) bounds.high = cursor;
  }
  if (query.from_ms) bounds.low = packing::time_bytes(*query.from_ms);
  return bounds;
}

// Gives points from above to below, some at a time.
class Points {
 public:
  Points(redis::Client& client, std::string key, Bounds bounds)
      : client_(client), key_(std::move(key)), bounds_(std::move(bounds)) {}

  // Instead of those of a set.
  void take(std::vector<std::string> points) {
    std::sort(points.begin(), points.end(), std::greater<>());
    std::erase_if(points, [&](const std::string& point) {
      return point < bounds_.low || (!bounds_.high.empty() && point >= bounds_.high);
    });
    sorted_ = std::move(points);
  }

  Result<std::vector<std::string>> next() {
    std::vector<std::string> points;
    if (sorted_) {
      const std::size_t count = std::min(kChunk, sorted_->size() - used_);
      const auto begin = sorted_->begin() + static_cast<std::ptrdiff_t>(used_);
      points.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
      used_ += count;
      return points;
    }
    const std::string high = bounds_.high.empty() ? "+" : "(" + bounds_.high;
    const std::string low = bounds_.low.empty() ? "-" : "[" + bounds_.low;
    const std::string count = std::to_string(kChunk);
    auto found = WEIR_TRY(items_of(
        WEIR_TRY(client_.ask_one({"ZREVRANGEBYLEX", key_, high, low, "LIMIT", "0", count}))));
    for (Reply& point : found) points.push_back(std::move(point.text));
    if (!points.empty()) bounds_.high = points.back();
    return points;
  }

 private:
  redis::Client& client_;
  const std::string key_;
  Bounds bounds_;
  std::optional<std::vector<std::string>> sorted_;
  std::size_t used_ = 0;
};

std::string set_for(const RedisKeys& keys, const ListQuery& query) {
  if (query.model) return keys.by_model(*query.model);
  if (query.state == State::kDead) return keys.dead();
  if (query.state == State::kWaiting) return keys.waiting();
  return keys.by_time();
}

// The points of all ids that begin so, where they are few.
Result<std::optional<std::vector<std::string>>> few_of_prefix(redis::Client& client,
                                                              const RedisKeys& keys,
                                                              const std::string& prefix) {
  const std::string begin = packing::id_prefix_bytes(prefix);
  const std::string end = after_prefix(begin);
  const std::string low = "[" + begin;
  const std::string high = end.empty() ? "+" : "(" + end;
  const std::string ids = keys.by_id();
  const auto count = WEIR_TRY(client.ask_one({"ZLEXCOUNT", ids, low, high}));
  if (!count.is_integer() || count.integer > kSortedMax) return std::nullopt;
  const auto entries =
      WEIR_TRY(items_of(WEIR_TRY(client.ask_one({"ZRANGEBYLEX", ids, low, high}))));
  std::vector<std::string> points;
  for (const Reply& entry : entries) {
    if (const auto found = packing::id_entry_of(entry.text)) {
      points.push_back(packing::point_bytes(found->point));
    }
  }
  return points;
}

std::optional<FirstOfId> first_in(const std::vector<Reply>& entries) {
  for (const Reply& entry : entries) {
    const auto found = packing::id_entry_of(entry.text);
    if (found && found->value_hash) return FirstOfId{found->point.place, *found->value_hash};
  }
  return std::nullopt;
}

}  // namespace

std::string RedisKeys::by_model(std::uint64_t model) const {
  return prefix + "m:" + packing::model_bytes(model);
}

Result<std::vector<std::optional<Kept>>> kept_at(redis::Client& client, const RedisKeys& keys,
                                                 std::span<const Place> places) {
  std::vector<std::optional<Kept>> kept;
  if (places.empty()) return kept;
  std::vector<std::string> names;
  names.reserve(2 * places.size());
  Command command = {"MGET"};
  for (const Place& place : places) {
    const std::string bytes = packing::place_bytes(place);
    names.push_back(keys.prefix + "r:" + bytes);
    names.push_back(keys.prefix + "a:" + bytes);
  }
  command.insert(command.end(), names.begin(), names.end());
  const auto values = WEIR_TRY(items_of(WEIR_TRY(client.ask_one(command))));
  if (values.size() != names.size()) return fail(Code::kIo, "not as many values as were asked for");
  for (std::size_t i = 0; i < places.size(); ++i) {
    kept.push_back(kept_of(places[i], values[2 * i], values[2 * i + 1]));
  }
  return kept;
}

Result<Page> list_from(redis::Client& client, const RedisKeys& keys, const ListQuery& query,
                       SteadyTime deadline) {
  Points points(client, set_for(keys, query), WEIR_TRY(bounds_of(query)));
  if (query.id_prefix && !query.id_prefix->empty() && !query.model && !query.state) {
    auto few = WEIR_TRY(few_of_prefix(client, keys, *query.id_prefix));
    if (few) points.take(std::move(*few));
  }
  PageBuilder page(query.limit);
  for (;;) {
    const auto chunk = WEIR_TRY(points.next());
    if (chunk.empty()) return page.take();
    std::vector<ListPoint> at;
    std::vector<Place> places;
    for (const std::string& bytes : chunk) {
      const auto point = packing::point_of(bytes);
      if (!point) continue;
      at.push_back(*point);
      places.push_back(point->place);
    }
    auto kept = WEIR_TRY(kept_at(client, keys, places));
    for (std::size_t i = 0; i < kept.size(); ++i) {
      if (!kept[i] || !fits(query, *kept[i])) continue;
      if (!page.add(at[i], std::move(*kept[i]))) return page.take();
    }
    if (std::chrono::steady_clock::now() > deadline) {
      return fail(Code::kTimeout, "it takes too long; ask for less, such as a shorter time");
    }
  }
}

Result<std::vector<std::optional<FirstOfId>>> firsts_of(redis::Client& client,
                                                        const RedisKeys& keys,
                                                        std::span<const std::string> ids) {
  const std::string by_id = keys.by_id();
  std::vector<std::string> bounds;
  bounds.reserve(2 * ids.size());
  for (const std::string& id : ids) {
    bounds.push_back("[" + packing::id_bytes(id));
    bounds.push_back(bounds.back() + "\xff");
  }
  const auto question = [&](std::size_t i, const char* count) -> Command {
    return {"ZRANGEBYLEX", by_id, bounds[2 * i], bounds[2 * i + 1], "LIMIT", "0", count};
  };
  std::vector<Command> commands;
  for (std::size_t i = 0; i < ids.size(); ++i) commands.push_back(question(i, kFirsts));
  auto replies = WEIR_TRY(client.ask(commands));
  std::vector<std::optional<FirstOfId>> firsts;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto entries = WEIR_TRY(items_of(std::move(replies[i])));
    auto first = first_in(entries);
    if (!first && !entries.empty()) {
      // Answers whose records are gone come first: a long look.
      first = first_in(WEIR_TRY(items_of(WEIR_TRY(client.ask_one(question(i, kFirstsMax))))));
    }
    firsts.push_back(first);
  }
  return firsts;
}

}  // namespace weir::predictions
