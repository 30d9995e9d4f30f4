#include "predictions/redis_prediction_store.h"

#include <algorithm>
#include <random>

#include "base/log.h"
#include "base/text.h"
#include "predictions/redis_list_internal.h"
#include "predictions/redis_packing_internal.h"
#include "predictions/redis_scripts_internal.h"

namespace weir::predictions {
namespace {

using redis::Command;
using redis::Reply;

// One script holds Redis up for as long as it runs: some milliseconds.
constexpr std::size_t kScriptRecordsMax = 500;
constexpr std::size_t kScriptBytesMax = 4'000'000;
constexpr const char* kDropAtOnce = "1000";
constexpr std::size_t kIdsPerCall = 1'000;
constexpr int kSweepCallsMax = 1'000'000;

constexpr const char* kForgetScript =
    "if redis.call('HGET', KEYS[1], 'generation') == ARGV[1] then\n"
    "  return redis.call('DEL', KEYS[1])\n"
    "end\n"
    "return 0\n";

std::string new_generation() {
  std::random_device device;
  std::string generation;
  for (int i = 0; i < 4; ++i) generation += std::to_string(device()) + (i < 3 ? "-" : "");
  return generation;
}

Error unexpected(const std::string& what) {
  return Error(Code::kIo, "an answer of Redis to " + what + " that cannot be");
}

Error lost() {
  return Error(
      Code::kCorrupt,
      "Redis does not have what was kept in it (any more): it was emptied, restarted or has "
      "evicted some, or another gateway has begun anew");
}

Result<std::int64_t> integer_of(const Reply& reply, const std::string& what) {
  if (reply.is_error()) return fail(redis::error_of(reply));
  if (!reply.is_integer()) return fail(unexpected(what));
  return reply.integer;
}

// The words of a script, which own their bytes.
class ScriptCall {
 public:
  ScriptCall(const char* script, const std::string& key) : words_{"EVAL", script, "1", key} {}
  void add(std::string word) {
    bytes_ += word.size();
    words_.push_back(std::move(word));
  }
  std::size_t bytes() const { return bytes_; }
  Command command() const { return {words_.begin(), words_.end()}; }

 private:
  std::vector<std::string> words_;
  std::size_t bytes_ = 0;
};

const Place& place_of(const FeatureRecord& record) { return record.place; }
const Place& place_of(const Answer& answer) { return answer.of; }

// How many, and each with its place, up to what one script may hold. How many it were.
template <typename Item>
std::size_t add_some(std::span<const Item> items, ScriptCall& call) {
  std::vector<std::string> words;
  std::size_t bytes = call.bytes();
  std::size_t count = 0;
  for (; count < std::min(items.size(), kScriptRecordsMax) && bytes < kScriptBytesMax; ++count) {
    words.push_back(packing::place_bytes(place_of(items[count])));
    words.push_back(packing::pack(items[count]));
    bytes += words.back().size();
  }
  call.add(std::to_string(count));
  for (std::string& word : words) call.add(std::move(word));
  return count;
}

void add_positions(const Positions& positions, ScriptCall& call) {
  for (const auto& [topic, position] : positions) {
    call.add(topic);
    call.add(position.topic_id);
    call.add(std::to_string(position.next.size()));
    for (const auto& [partition, next] : position.next) {
      call.add(std::to_string(partition));
      call.add(std::to_string(next));
    }
  }
}

// A field "next:<topic>\n<partition>" of the state.
void take_position(const std::string& field, const std::string& value, Positions& positions) {
  constexpr std::string_view kNext = "next:";
  const std::size_t end = field.rfind('\n');
  if (!field.starts_with(kNext) || end == field.npos) return;
  const auto partition = parse_int64(std::string_view(field).substr(end + 1));
  const auto next = parse_int64(value);
  if (!partition || !next || *partition < 0 || *partition > INT32_MAX || *next < 0) return;
  const std::string topic = field.substr(kNext.size(), end - kNext.size());
  positions[topic].next[static_cast<std::int32_t>(*partition)] = *next;
}

}  // namespace

struct RedisPredictionStore::Keys {
  std::string generation;
  RedisKeys of;
};

RedisPredictionStore::RedisPredictionStore(redis::Client& client, RedisStoreOptions options)
    : client_(client),
      options_(std::move(options)),
      state_key_("weir:{" + options_.pipeline + "/" + options_.features_topic + "}:kept") {}

Result<RedisPredictionStore::Keys> RedisPredictionStore::keys() const {
  const std::lock_guard lock(mutex_);
  if (generation_.empty()) {
    return fail(Code::kUnavailable, "the predictions in Redis have not been looked for yet");
  }
  return Keys{generation_, RedisKeys{state_key_ + ":" + generation_ + ":"}};
}

// ---- of the feed ----

// The generation that is there, or where there is none one of ours; then what others have left is
// removed.
Result<std::string> RedisPredictionStore::claim_generation() {
  // To look first takes no memory, which may be full.
  const Command look = {"HGET", state_key_, "generation"};
  auto there = client_.ask_one(look);
  if (!there && there.error().code() == Code::kCorrupt) {
    WEIR_TRY(client_.ask_one({"DEL", state_key_}));  // something else lies there
    there = client_.ask_one(look);
  }
  if (!there) return fail(there.error());
  if (there->is_text()) return there->text;
  const std::string mine = new_generation();
  const auto claimed = WEIR_TRY(client_.ask_one({"HSETNX", state_key_, "generation", mine}));
  there = client_.ask_one(look);
  if (!there) return fail(there.error());
  if (!there->is_text()) return fail(unexpected("HGET"));
  if (claimed.integer == 1) sweep(there->text);
  return there->text;
}

// What lies under another generation is seen by nobody. It may take a while, and what is left of it
// does no harm but in memory; the next generation tries again.
void RedisPredictionStore::sweep(const std::string& generation) {
  const std::string pattern = state_key_ + ":*";
  const std::string current = state_key_ + ":" + generation + ":";
  std::string cursor = "0";
  for (int calls = 0; calls < kSweepCallsMax; ++calls) {
    const auto found = client_.ask_one({"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"});
    if (!found || found->items.size() != 2) return;
    Command unlink = {"UNLINK"};
    for (const Reply& key : found->items[1].items) {
      if (!key.text.starts_with(current)) unlink.push_back(key.text);
    }
    if (unlink.size() > 1 && !client_.ask_one(unlink)) return;
    cursor = found->items[0].text;
    if (cursor == "0") return;
  }
}

Status RedisPredictionStore::forget(const std::string& generation) {
  WEIR_TRY(client_.ask_one({"EVAL", kForgetScript, "1", state_key_, generation}));
  return {};
}

// Whether the index by time is as long as it was left.
Result<bool> RedisPredictionStore::whole(const std::string& generation) {
  const std::string by_time = state_key_ + ":" + generation + ":t";
  const std::vector<Command> commands = {{"HGET", state_key_, "count"}, {"ZCARD", by_time}};
  const auto replies = WEIR_TRY(client_.ask(commands));
  if (replies[1].is_error() && redis::error_of(replies[1]).code() == Code::kCorrupt) return false;
  const std::int64_t count = WEIR_TRY(integer_of(replies[1], "ZCARD"));
  return parse_int64(replies[0].is_text() ? replies[0].text : "0").value_or(-1) == count;
}

Result<Positions> RedisPredictionStore::positions() {
  std::string generation = WEIR_TRY(claim_generation());
  if (!WEIR_TRY(whole(generation))) {
    WEIR_TRY(forget(generation));
    generation = WEIR_TRY(claim_generation());
  }
  {
    const std::lock_guard lock(mutex_);
    generation_ = generation;
  }
  const auto state = WEIR_TRY(client_.ask_one({"HGETALL", state_key_}));
  Positions positions;
  constexpr std::string_view kTopic = "topic:";
  for (std::size_t i = 0; i + 1 < state.items.size(); i += 2) {
    const std::string& field = state.items[i].text;
    const std::string& value = state.items[i + 1].text;
    if (field.starts_with(kTopic)) positions[field.substr(kTopic.size())].topic_id = value;
    take_position(field, value, positions);
  }
  std::erase_if(positions, [](const auto& topic) { return topic.second.next.empty(); });
  return positions;
}

Status RedisPredictionStore::apply(const Batch& batch) {
  if (batch.empty()) return {};
  const Keys at = WEIR_TRY(keys());
  std::span<const FeatureRecord> records = batch.records;
  std::span<const Answer> answers = batch.answers;
  for (bool last = false; !last;) {
    ScriptCall call(kApplyScript, state_key_);
    call.add(at.of.prefix);
    call.add(at.generation);
    records = records.subspan(add_some(records, call));
    answers = answers.subspan(add_some(records.empty() ? answers : answers.first(0), call));
    last = records.empty() && answers.empty();
    if (last) add_positions(batch.positions, call);
    const auto answered = WEIR_TRY(during(client_.ask_one(call.command()), "keeping predictions"));
    if (answered.text != "OK") return fail(lost());
  }
  return {};
}

Result<std::uint64_t> RedisPredictionStore::drop(std::int64_t before_ms,
                                                 std::uint64_t records_max) {
  const Keys at = WEIR_TRY(keys());
  const std::string before = packing::time_bytes(before_ms);
  const std::string most = std::to_string(records_max);
  const auto dropped =
      WEIR_TRY(during(client_.ask_one({"EVAL", kDropScript, "1", state_key_, at.of.prefix,
                                       at.generation, before, most, kDropAtOnce}),
                      "dropping old predictions"));
  if (dropped.is_text()) return fail(lost());
  if (dropped.items.size() != 2) return fail(unexpected("dropping"));
  if (dropped.items[1].integer > 0 && !std::exchange(told_of_eviction_, true)) {
    log::warn(
        "redis evicts kept predictions; set maxmemory-policy to noeviction or volatile-lru, or "
        "serve.keep_records_max lower",
        {{"redis", client_.where()}, {"missing", dropped.items[1].integer}});
  }
  return static_cast<std::uint64_t>(dropped.items[0].integer);
}

Status RedisPredictionStore::clear() {
  const Keys at = WEIR_TRY(keys());
  WEIR_TRY(forget(at.generation));
  std::string generation = WEIR_TRY(claim_generation());
  const std::lock_guard lock(mutex_);
  generation_ = std::move(generation);
  return {};
}

// ---- of everybody ----

Result<std::optional<Kept>> RedisPredictionStore::by_place(const Place& place) {
  const Keys at = WEIR_TRY(keys());
  const auto found = WEIR_TRY(kept_at(client_, at.of, {&place, 1}));
  return found[0];
}

Result<std::optional<ById>> RedisPredictionStore::by_id(std::string_view id) {
  const Keys at = WEIR_TRY(keys());
  const std::string ids = at.of.by_id();
  const std::string lowest = "[" + packing::id_bytes(id);
  const std::string highest = lowest + "\xff";
  const std::vector<Command> commands = {
      {"ZREVRANGEBYLEX", ids, highest, lowest, "LIMIT", "0", "1"},
      {"ZLEXCOUNT", ids, lowest, highest}};
  const auto replies = WEIR_TRY(client_.ask(commands));
  if (replies[0].is_error()) return fail(redis::error_of(replies[0]));
  if (replies[0].items.empty()) return std::nullopt;
  const auto newest = packing::id_entry_of(replies[0].items[0].text);
  if (!newest) return std::nullopt;
  const auto count = static_cast<std::uint64_t>(WEIR_TRY(integer_of(replies[1], "ZLEXCOUNT")));
  auto kept = WEIR_TRY(kept_at(client_, at.of, {&newest->point.place, 1}));
  if (!kept[0]) return std::nullopt;
  return ById{std::move(*kept[0]), std::min(count, kIdCountMax)};
}

Result<Page> RedisPredictionStore::list(const ListQuery& query) {
  WEIR_TRY(check(query));
  const Keys at = WEIR_TRY(keys());
  return list_from(client_, at.of, query, std::chrono::steady_clock::now() + options_.query_max);
}

Result<std::vector<std::optional<FirstOfId>>> RedisPredictionStore::find_ids(
    std::span<const std::string> ids) {
  if (ids.size() > kIdsAtOnceMax) {
    return fail(Code::kInvalidArgument, std::to_string(ids.size()) + " ids at once; " +
                                            std::to_string(kIdsAtOnceMax) + " are allowed");
  }
  const Keys at = WEIR_TRY(keys());
  std::vector<std::optional<FirstOfId>> firsts;
  firsts.reserve(ids.size());
  while (firsts.size() < ids.size()) {
    const auto part = ids.subspan(firsts.size(), std::min(kIdsPerCall, ids.size() - firsts.size()));
    auto found = WEIR_TRY(firsts_of(client_, at.of, part));
    std::move(found.begin(), found.end(), std::back_inserter(firsts));
  }
  // Asked last: of a Redis that was emptied meanwhile "not there" would mean nothing.
  const auto now = WEIR_TRY(client_.ask_one({"HGET", state_key_, "generation"}));
  if (!now.is_text() || now.text != at.generation) {
    return fail(Code::kUnavailable, "Redis has lost what was kept; it is being filled again");
  }
  return firsts;
}

Result<StoreStats> RedisPredictionStore::stats() {
  const Keys at = WEIR_TRY(keys());
  const std::string by_time = at.of.by_time();
  const std::vector<Command> commands = {
      {"ZCARD", by_time}, {"ZRANGE", by_time, "0", "0"}, {"INFO", "memory"}};
  const auto replies = WEIR_TRY(client_.ask(commands));
  StoreStats stats;
  stats.kind = "redis";
  stats.records = static_cast<std::uint64_t>(WEIR_TRY(integer_of(replies[0], "ZCARD")));
  if (!replies[1].items.empty()) {
    if (const auto oldest = packing::point_of(replies[1].items[0].text)) {
      stats.oldest_ms = oldest->arrived_ms;
    }
  }
  constexpr std::string_view kUsed = "used_memory:";
  const std::string_view memory = replies[2].text;
  if (const std::size_t begin = memory.find(kUsed); begin != memory.npos) {
    const std::string_view rest = memory.substr(begin + kUsed.size());
    const auto used = parse_int64(rest.substr(0, rest.find_first_of("\r\n")));
    stats.bytes = static_cast<std::uint64_t>(used.value_or(0));
  }
  return stats;
}

}  // namespace weir::predictions
