#include "predictions/sqlite_prediction_store.h"

#include <algorithm>

#include "predictions/list_cursor.h"
#include "predictions/sqlite_file_internal.h"

namespace weir::predictions {
namespace {

constexpr std::int64_t kDropAtOnce = 5'000;
// Where more records than this have an id of a prefix, going down the time finds a page of them
// soon; where there are fewer they are looked up and sorted.
constexpr std::int64_t kSortedMax = 10'000;

constexpr int kWaiting = 0;
constexpr int kPredicted = 1;
constexpr int kDead = 2;

const std::string kColumns =
    "part, off, id, features, arrived_ms, state, prediction, model, epoch, reason, message, "
    "answer_part, answer_off, answered_ms, ordered_ms";
constexpr int kOrderedColumn = 14;

const std::string kNewestFirst = " ORDER BY ordered_ms DESC, part DESC, off DESC";

Kept kept_of(const SqliteRun& row) {
  Kept kept;
  kept.place = {static_cast<std::int32_t>(row.number(0)), row.number(1)};
  kept.id = row.optional_bytes(2);
  kept.features = row.optional_bytes(3);
  if (!row.is_null(4)) kept.arrived_ms = row.number(4);
  const std::int64_t state = row.number(5);
  if (state == kWaiting) return kept;
  Answer& answer = kept.answer.emplace();
  answer.of = kept.place;
  answer.id = kept.id;
  answer.dead = state == kDead;
  answer.prediction = row.bytes(6);
  answer.model = static_cast<std::uint64_t>(row.number(7));
  answer.epoch = static_cast<std::uint64_t>(row.number(8));
  answer.reason = row.bytes(9);
  answer.message = row.bytes(10);
  answer.at = {static_cast<std::int32_t>(row.number(11)), row.number(12)};
  answer.answered_ms = row.number(13);
  return kept;
}

std::string_view bytes_of(const ValueHash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

// ---- writing ----

Status put_records(SqliteDatabase& database, const std::vector<FeatureRecord>& records) {
  if (records.empty()) return {};
  auto run = WEIR_TRY(database.run(
      "INSERT INTO records(part, off, ordered_ms, arrived_ms, id, hash, features, state) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT(part, off) DO UPDATE SET "
      "ordered_ms = excluded.ordered_ms, arrived_ms = excluded.arrived_ms, id = excluded.id, "
      "hash = excluded.hash, features = excluded.features"));
  for (const FeatureRecord& record : records) {
    const ValueHash hash = hash_of(record.features.value_or(""));
    run.bind(record.place.partition)
        .bind(record.place.offset)
        .bind(record.arrived_ms)
        .bind(record.arrived_ms)
        .bind_optional(record.id)
        .bind_bytes(bytes_of(hash))
        .bind_optional(record.features);
    WEIR_TRY(run.again());
  }
  return {};
}

void bind_answer(SqliteRun& run, const Answer& answer) {
  run.bind(std::int64_t{answer.dead ? kDead : kPredicted});
  if (answer.dead) {
    run.bind_null().bind_null().bind_null();
    run.bind_bytes(answer.reason).bind_bytes(answer.message);
  } else {
    run.bind_bytes(answer.prediction).bind(answer.model).bind(answer.epoch);
    run.bind_null().bind_null();
  }
  run.bind(answer.at.partition).bind(answer.at.offset).bind(answer.answered_ms);
}

// The record is there already, but where its topic has lost it: an UPDATE that leaves the id alone
// spares the largest index.
Status put_answers(SqliteDatabase& database, const std::vector<Answer>& answers) {
  if (answers.empty()) return {};
  auto update = WEIR_TRY(database.run(
      "UPDATE records SET state = ?, prediction = ?, model = ?, epoch = ?, reason = ?, "
      "message = ?, answer_part = ?, answer_off = ?, answered_ms = ? WHERE part = ? AND off = ?"));
  auto insert = WEIR_TRY(database.run(
      "INSERT INTO records(state, prediction, model, epoch, reason, message, answer_part, "
      "answer_off, answered_ms, part, off, ordered_ms, id) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
      "?, ?)"));
  for (const Answer& answer : answers) {
    bind_answer(update, answer);
    update.bind(answer.of.partition).bind(answer.of.offset);
    WEIR_TRY(update.again());
    if (database.changes() > 0) continue;
    bind_answer(insert, answer);
    insert.bind(answer.of.partition)
        .bind(answer.of.offset)
        .bind(answer.answered_ms)
        .bind_optional(answer.id);
    WEIR_TRY(insert.again());
  }
  return {};
}

Status put_positions(SqliteDatabase& database, const Positions& positions) {
  auto forget =
      WEIR_TRY(database.run("DELETE FROM positions WHERE topic = ? AND EXISTS "
                            "(SELECT 1 FROM topics WHERE topic = ? AND topic_id <> ?)"));
  auto name = WEIR_TRY(database.run("INSERT OR REPLACE INTO topics VALUES(?, ?)"));
  auto put =
      WEIR_TRY(database.run("INSERT INTO positions VALUES(?, ?, ?) ON CONFLICT(topic, part) "
                            "DO UPDATE SET next = max(next, excluded.next)"));
  for (const auto& [topic, position] : positions) {
    forget.bind_bytes(topic).bind_bytes(topic).bind_bytes(position.topic_id);
    WEIR_TRY(forget.again());
    WEIR_TRY(name.bind_bytes(topic).bind_bytes(position.topic_id).again());
    for (const auto& [partition, next] : position.next) {
      WEIR_TRY(put.bind_bytes(topic).bind(partition).bind(next).again());
    }
  }
  return {};
}

// ---- lists ----

// The index that gives the rows of this query in their order, with the fewest others between.
Result<std::string> index_for(SqliteDatabase& database, const ListQuery& query) {
  if (query.model) return std::string("by_model");
  if (query.state == State::kDead) return std::string("dead");
  if (query.state == State::kWaiting) return std::string("waiting");
  if (!query.id_prefix || query.id_prefix->empty()) return std::string("by_time");
  const std::string end = after_prefix(*query.id_prefix);
  auto run = WEIR_TRY(database.run(
      std::string("SELECT count(*) FROM (SELECT 1 FROM records INDEXED BY by_id WHERE id >= ?") +
      (end.empty() ? "" : " AND id < ?") + " LIMIT ?)"));
  run.bind_bytes(*query.id_prefix);
  if (!end.empty()) run.bind_bytes(end);
  run.bind(kSortedMax + 1);
  WEIR_TRY(run.step());
  return std::string(run.number(0) > kSortedMax ? "by_time" : "by_id");
}

std::string list_statement(const ListQuery& query, const std::string& index, bool bounded_prefix) {
  std::string sql = "SELECT " + kColumns + " FROM records INDEXED BY " + index + " WHERE 1";
  if (query.model) sql += " AND model = ?";
  if (query.state == State::kWaiting) sql += " AND state = 0";
  if (query.state == State::kPredicted) sql += " AND state = 1";
  if (query.state == State::kDead) sql += " AND state = 2";
  if (query.from_ms) sql += " AND ordered_ms >= ?";
  if (query.until_ms) sql += " AND ordered_ms < ?";
  if (query.id_prefix) sql += " AND id >= ?";
  if (bounded_prefix) sql += " AND id < ?";
  if (!query.cursor.empty()) sql += " AND (ordered_ms, part, off) < (?, ?, ?)";
  return sql + kNewestFirst + " LIMIT ?";
}

Result<Page> list_from(SqliteDatabase& database, const ListQuery& query) {
  const std::string index = WEIR_TRY(index_for(database, query));
  const std::string end = query.id_prefix ? after_prefix(*query.id_prefix) : std::string();
  auto run = WEIR_TRY(database.run(list_statement(query, index, !end.empty())));
  if (query.model) run.bind(*query.model);
  if (query.from_ms) run.bind(*query.from_ms);
  if (query.until_ms) run.bind(*query.until_ms);
  if (query.id_prefix) run.bind_bytes(*query.id_prefix);
  if (!end.empty()) run.bind_bytes(end);
  if (!query.cursor.empty()) {
    const ListPoint from = WEIR_TRY(parse_cursor(query.cursor));
    run.bind(from.arrived_ms).bind(from.place.partition).bind(from.place.offset);
  }
  run.bind(static_cast<std::int64_t>(query.limit) + 1);
  PageBuilder page(query.limit);
  while (WEIR_TRY(run.step())) {
    Kept kept = kept_of(run);
    const ListPoint point{run.number(kOrderedColumn), kept.place};
    if (!page.add(point, std::move(kept))) break;
  }
  return page.take();
}

Result<std::optional<ById>> find_id(SqliteDatabase& database, std::string_view id) {
  ById found;
  {
    auto run =
        WEIR_TRY(database.run("SELECT " + kColumns + " FROM records INDEXED BY by_id WHERE id = ?" +
                              kNewestFirst + " LIMIT 1"));
    if (!WEIR_TRY(run.bind_bytes(id).step())) return std::nullopt;
    found.newest = kept_of(run);
  }
  auto run = WEIR_TRY(database.run(
      "SELECT count(*) FROM (SELECT 1 FROM records INDEXED BY by_id WHERE id = ? LIMIT ?)"));
  WEIR_TRY(run.bind_bytes(id).bind(kIdCountMax).step());
  found.count = static_cast<std::uint64_t>(run.number(0));
  return found;
}

Result<std::vector<std::optional<FirstOfId>>> find_firsts(SqliteDatabase& database,
                                                          std::span<const std::string> ids) {
  auto run = WEIR_TRY(database.run(
      "SELECT part, off, hash FROM records INDEXED BY by_id WHERE id = ? AND hash IS NOT NULL "
      "ORDER BY ordered_ms, part, off LIMIT 1"));
  std::vector<std::optional<FirstOfId>> firsts;
  firsts.reserve(ids.size());
  for (const std::string& id : ids) {
    std::optional<FirstOfId>& first = firsts.emplace_back();
    if (WEIR_TRY(run.bind_bytes(id).step())) {
      first.emplace().place = {static_cast<std::int32_t>(run.number(0)), run.number(1)};
      const std::string hash = run.bytes(2);
      if (hash.size() != first->value_hash.size()) return fail(Code::kCorrupt, "a hash is cut");
      std::copy(hash.begin(), hash.end(), first->value_hash.begin());
    }
    WEIR_TRY(run.again());
  }
  return firsts;
}

Result<std::int64_t> number_of(SqliteDatabase& database, const std::string& sql) {
  auto run = WEIR_TRY(database.run(sql));
  return WEIR_TRY(run.step()) ? run.number(0) : 0;
}

// How many records are too many. Rows are numbered as they come, so that mostly there is no need to
// count them.
Result<std::int64_t> surplus(SqliteDatabase& database, std::uint64_t records_max) {
  const auto allowed = static_cast<std::int64_t>(std::min<std::uint64_t>(records_max, INT64_MAX));
  const std::int64_t first = WEIR_TRY(number_of(database, "SELECT min(rowid) FROM records"));
  const std::int64_t last = WEIR_TRY(number_of(database, "SELECT max(rowid) FROM records"));
  if (last - first < allowed) return 0;
  const std::int64_t count = WEIR_TRY(number_of(database, "SELECT count(*) FROM records"));
  return std::max<std::int64_t>(0, count - allowed);
}

}  // namespace

SqlitePredictionStore::SqlitePredictionStore(std::unique_ptr<File> file) : file_(std::move(file)) {}
SqlitePredictionStore::~SqlitePredictionStore() = default;

Result<std::unique_ptr<SqlitePredictionStore>> SqlitePredictionStore::open(
    SqliteStoreOptions options) {
  auto file = WEIR_TRY(File::open(std::move(options)));
  return std::unique_ptr<SqlitePredictionStore>(new SqlitePredictionStore(std::move(file)));
}

Result<Positions> SqlitePredictionStore::positions() {
  WEIR_TRY(file_->mend());
  return file_->read<Positions>([](SqliteDatabase& database) -> Result<Positions> {
    Positions positions;
    auto run = WEIR_TRY(
        database.run("SELECT topic, topic_id, part, next FROM positions JOIN topics USING(topic)"));
    while (WEIR_TRY(run.step())) {
      TopicPosition& position = positions[run.bytes(0)];
      position.topic_id = run.bytes(1);
      position.next[static_cast<std::int32_t>(run.number(2))] = run.number(3);
    }
    return positions;
  });
}

Status SqlitePredictionStore::apply(const Batch& batch) {
  if (batch.empty()) return {};
  return file_->write([&](SqliteDatabase& database) -> Status {
    WEIR_TRY(put_records(database, batch.records));
    WEIR_TRY(put_answers(database, batch.answers));
    return put_positions(database, batch.positions);
  });
}

Result<std::uint64_t> SqlitePredictionStore::drop(std::int64_t before_ms,
                                                  std::uint64_t records_max) {
  std::int64_t dropped = 0;
  WEIR_TRY(file_->write([&](SqliteDatabase& database) -> Status {
    auto run = WEIR_TRY(
        database.run("DELETE FROM records WHERE rowid IN (SELECT rowid FROM records INDEXED BY "
                     "by_time WHERE ordered_ms < ? ORDER BY ordered_ms, part, off LIMIT ?)"));
    WEIR_TRY(run.bind(before_ms).bind(kDropAtOnce).again());
    dropped = database.changes();
    if (dropped > 0) return {};
    const std::int64_t too_many = WEIR_TRY(surplus(database, records_max));
    if (too_many == 0) return {};
    WEIR_TRY(run.bind(std::int64_t{INT64_MAX}).bind(std::min(too_many, kDropAtOnce)).again());
    dropped = database.changes();
    return {};
  }));
  return static_cast<std::uint64_t>(dropped);
}

Status SqlitePredictionStore::clear() {
  return file_->write([](SqliteDatabase& database) {
    return database.execute("DELETE FROM records; DELETE FROM positions; DELETE FROM topics");
  });
}

Result<std::optional<ById>> SqlitePredictionStore::by_id(std::string_view id) {
  return file_->read<std::optional<ById>>(
      [&](SqliteDatabase& database) { return find_id(database, id); });
}

Result<std::optional<Kept>> SqlitePredictionStore::by_place(const Place& place) {
  return file_->read<std::optional<Kept>>(
      [&](SqliteDatabase& database) -> Result<std::optional<Kept>> {
        auto run = WEIR_TRY(
            database.run("SELECT " + kColumns + " FROM records WHERE part = ? AND off = ?"));
        if (!WEIR_TRY(run.bind(place.partition).bind(place.offset).step())) return std::nullopt;
        return kept_of(run);
      });
}

Result<Page> SqlitePredictionStore::list(const ListQuery& query) {
  WEIR_TRY(check(query));
  return file_->read<Page>([&](SqliteDatabase& database) { return list_from(database, query); });
}

Result<std::vector<std::optional<FirstOfId>>> SqlitePredictionStore::find_ids(
    std::span<const std::string> ids) {
  if (ids.size() > kIdsAtOnceMax) {
    return fail(Code::kInvalidArgument, std::to_string(ids.size()) + " ids at once; " +
                                            std::to_string(kIdsAtOnceMax) + " are allowed");
  }
  return file_->read<std::vector<std::optional<FirstOfId>>>(
      [&](SqliteDatabase& database) { return find_firsts(database, ids); });
}

Result<StoreStats> SqlitePredictionStore::stats() {
  return file_->read<StoreStats>([](SqliteDatabase& database) -> Result<StoreStats> {
    StoreStats stats;
    stats.kind = "sqlite";
    stats.records =
        static_cast<std::uint64_t>(WEIR_TRY(number_of(database, "SELECT count(*) FROM records")));
    const std::int64_t pages = WEIR_TRY(number_of(database, "PRAGMA page_count"));
    stats.bytes =
        static_cast<std::uint64_t>(pages * WEIR_TRY(number_of(database, "PRAGMA page_size")));
    auto run = WEIR_TRY(database.run("SELECT min(ordered_ms) FROM records"));
    if (WEIR_TRY(run.step()) && !run.is_null(0)) stats.oldest_ms = run.number(0);
    return stats;
  });
}

}  // namespace weir::predictions
