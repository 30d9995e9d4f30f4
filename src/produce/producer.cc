#include "produce/producer.h"

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "base/text.h"
#include "format/csv_chunker.h"
#include "format/csv_record.h"
#include "format/json_row.h"

namespace weir::produce {
namespace {

constexpr Millis kIdle{20};
constexpr Millis kLoadAgainAfter{1'000};
constexpr int kAncestorsMax = 16;
constexpr std::uint64_t kRowsPerStep = 1'000;
// The client gives rows up after message.timeout.ms; that one is meant to have an end, too.
constexpr Millis kLastFlush{1'000};
constexpr int kLastFlushesMax = 600;

}  // namespace

Result<std::vector<FeatureRecord>> records_of_test_csv(std::uint64_t version,
                                                       const std::string& test_csv,
                                                       const std::string& target) {
  format::CsvChunker chunker;
  WEIR_TRY(chunker.feed(test_csv));
  WEIR_TRY(chunker.finish());
  if (!chunker.header()) return fail(Code::kCorrupt, "no header");
  const auto names = WEIR_TRY(format::parse_csv_header(*chunker.header()));
  std::vector<FeatureRecord> records;
  format::CsvRecordSplitter splitter;
  while (const auto chunk = chunker.next()) {
    std::string_view rest = chunk->bytes;
    while (!rest.empty()) {
      const format::CsvRecordSpan span = format::first_csv_record(rest);
      const std::string_view record = rest.substr(0, span.length);
      rest.remove_prefix(span.next);
      if (splitter.split(record) || splitter.fields().size() != names.size()) {
        return fail(Code::kCorrupt, "a row does not match the header");
      }
      FeatureRecord made{std::to_string(version) + ":" + std::string(splitter.fields()[0]), "{"};
      for (std::size_t i = 1; i < names.size(); ++i) {
        if (names[i] == target) continue;
        if (made.value.size() > 1) made.value += ", ";
        format::append_json_string(made.value, names[i]);
        made.value += ": ";
        format::append_json_cell(made.value, splitter.fields()[i]);
      }
      made.value += "}";
      records.push_back(std::move(made));
    }
  }
  return records;
}

namespace {

// The first feature that rows of the other model do not have.
std::optional<std::string> lacking(const record::Schema& wanted, const record::Schema& has) {
  for (const std::string& feature : wanted.features) {
    if (!has.feature_index(feature)) return feature;
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<FeatureRecord>> rows_to_produce(const registry::ModelRegistry& models,
                                                   std::uint64_t version) {
  const registry::Manifest live = WEIR_TRY(models.manifest(version));
  registry::Manifest manifest = live;
  std::string why = "it has no held-out rows";
  for (int looks = 0; looks < kAncestorsMax; ++looks) {
    const auto lacks = lacking(live.schema, manifest.schema);
    if (lacks) {
      why += ", and those of version " + std::to_string(manifest.version) + " lack the feature '" +
             *lacks + "'";
      break;
    }
    auto rows = WEIR_TRY(records_of_test_csv(
        manifest.version, WEIR_TRY(models.test_csv(manifest.version)), manifest.schema.target));
    if (!rows.empty()) return rows;
    if (!live.imported || manifest.parent_version == 0) break;
    manifest = WEIR_TRY(models.manifest(manifest.parent_version));
  }
  if (live.imported) why += "; import it with --evaluate-on FILE.csv to send those";
  return fail(Code::kNotFound, why);
}

Producer::Producer(ProducerOptions options, stream::Broker&, registry::ModelRegistry& models,
                   Clock& clock, ProducerCounters& counters)
    : options_(std::move(options)),
      models_(models),
      clock_(clock),
      counters_(counters),
      random_(options_.seed),
      waiting_(clock, options_.member) {}

Result<std::unique_ptr<Producer>> Producer::open(ProducerOptions options, stream::Broker& broker,
                                                 registry::ModelRegistry& models, Clock& clock,
                                                 ProducerCounters& counters) {
  std::unique_ptr<Producer> producer(
      new Producer(std::move(options), broker, models, clock, counters));
  const ProducerOptions& own = producer->options_;
  record::MemberRecord self;
  self.member = own.member;
  self.role = "producer";
  producer->membership_ = WEIR_TRY(gate::Membership::open(broker, own.members_topic, self, clock));
  producer->control_ = WEIR_TRY(gate::ControlFollower::open(broker, own.control_topic));
  WEIR_TRY(producer->control_->catch_up(own.broker_timeout));
  producer->publisher_ =
      WEIR_TRY(during(broker.open_publisher(), "opening the features topic " + own.features_topic));
  return producer;
}

Status Producer::step(Millis wait_max, std::stop_token stop) {
  WEIR_TRY(control_->poll(Millis{0}));
  WEIR_TRY(follow_control());
  look_for_progress();
  WEIR_TRY(membership_->heartbeat([this] {
    record::MemberProgress progress;
    if (gate_open_) progress.model = rows_version_;
    progress.waiting_for = waiting_.words();
    progress.waiting_ms = waiting_.lasts().count();
    return progress;
  }));
  const std::uint64_t due = gate_open_ && !done() ? rows_due() : 0;
  if (due > 0) return send(due);
  Millis wait = std::min(wait_max, kIdle);
  if (gate_open_ && options_.rate) {
    const auto left = std::chrono::duration_cast<Millis>(next_row_ - clock_.steady());
    wait = std::clamp(left + Millis{1}, Millis{1}, wait);
  }
  clock_.sleep_for(wait, stop);
  return {};
}

void Producer::look_for_progress() {
  if (gate_open_ || done()) return waiting_.moves();
  if (waiting_.waits_at_gate(control_->state())) return;
  waiting_.waits(
      "rows",
      "no rows of model " + std::to_string(control_->state().version) + "'s data set can be loaded",
      log::Level::kWarn);
}

Status Producer::follow_control() {
  const record::ControlState& state = control_->state();
  if (!state.gate_open()) {
    if (gate_open_) {
      WEIR_TRY(during(publisher_->flush(options_.broker_timeout), "ending the rows on their way"));
      gate_open_ = false;
      if (state.begun) {
        log::info("halted", {{"member", options_.member}, {"epoch", state.begun->epoch}});
      }
    }
    return state.begun ? membership_->acknowledge_halt(state.begun->epoch) : Status{};
  }
  if (gate_open_ && rows_version_ == state.version) return {};
  return load_rows();
}

Status Producer::load_rows() {
  if (clock_.steady() < next_load_) return {};
  gate_open_ = false;
  const std::uint64_t version = control_->state().version;
  auto rows = rows_to_produce(models_, version);
  if (!rows) {
    const std::string why = std::to_string(version) + ": " + rows.error().message();
    if (why != why_no_rows_) {
      log::error("nothing is produced: no rows of the live model's data set",
                 {{"version", version}, {"reason", rows.error()}});
    }
    why_no_rows_ = why;
    next_load_ = clock_.steady() + kLoadAgainAfter;
    return {};
  }
  rows_ = std::move(*rows);
  rows_version_ = version;
  why_no_rows_.clear();
  gate_open_ = true;
  membership_->gate_opened();
  next_row_ = clock_.steady();
  return {};
}

std::uint64_t Producer::rows_due() {
  const std::uint64_t left =
      options_.count == 0 ? kRowsPerStep : options_.count - counters_.produced.load();
  if (!options_.rate) return std::min(left, kRowsPerStep);
  const SteadyTime now = clock_.steady();
  if (now < next_row_) return 0;
  using Seconds = std::chrono::duration<double>;
  const auto missed = static_cast<std::uint64_t>(Seconds(now - next_row_).count() * *options_.rate);
  const std::uint64_t rows = std::min({missed + 1, left, kRowsPerStep});
  next_row_ += std::chrono::duration_cast<SteadyTime::duration>(
      Seconds(static_cast<double>(rows) / *options_.rate));
  // After a pause of the whole process the rows of a second at most are made up for.
  next_row_ = std::max(next_row_, now - std::chrono::seconds(1));
  return rows;
}

Status Producer::send(std::uint64_t rows) {
  std::uniform_int_distribution<std::size_t> any(0, rows_.size() - 1);
  const std::string what = "writing to the features topic " + options_.features_topic;
  for (std::uint64_t i = 0; i < rows; ++i) {
    const FeatureRecord& row = rows_[any(random_)];
    WEIR_TRY(during(
        publisher_->send({options_.features_topic, std::nullopt, row.key, row.value, nullptr}),
        what));
    ++counters_.produced;
  }
  if (options_.rate) WEIR_TRY(during(publisher_->flush(options_.broker_timeout), what));
  counters_.undelivered = publisher_->undelivered();
  return {};
}

void Producer::finish() {
  finished_ = true;
  Status first_error;
  for (int i = 0; i < kLastFlushesMax; ++i) {
    Status flushed = publisher_->flush(kLastFlush);
    counters_.undelivered = publisher_->undelivered();
    if (flushed) break;
    if (first_error) first_error = std::move(flushed);
  }
  counters_.undelivered = take_off_undelivered();
  if (counters_.undelivered > 0) {
    log::warn("rows were not delivered",
              {{"rows", counters_.undelivered.load()},
               {"reason", first_error ? "" : first_error.error().message()}});
  }
  membership_->leave();
}

std::uint64_t Producer::take_off_undelivered() {
  const std::uint64_t rows = std::min(publisher_->undelivered(), counters_.produced.load());
  counters_.produced -= rows;
  return rows;
}

Producer::~Producer() {
  if (finished_ || !publisher_) return;
  take_off_undelivered();
  counters_.undelivered = 0;
}

}  // namespace weir::produce
