// The order in which evidence is gathered decides what may be said of it. The pipeline goes on
// meanwhile, and what it does must not look like a breach:
//
//   committed offsets          what is below them was answered before now, so ...
//   ends of both answer topics ... its answers are below these: a record without one is lost
//   committed offsets again    an answer below those ends is covered by these, or was not committed
//                              with its offset
//   end of the features topic  an answer below those ends names a record below this one
//   control log, swaps         name every epoch of those answers
//   models, data folders       hold what that log names ...
//   control log again          ... and nothing but what this one names
//
// Offsets and answers become visible one after the other when a transaction commits. So committed
// offsets are read as stable ones, and the answer topics are read up to where their logs ended,
// open transactions included, as soon as these have ended.
#include "audit/audit.h"

#include <algorithm>

#include "record/swap.h"

namespace weir::audit {
namespace {

constexpr std::int64_t kAnswersBeforeMs =
    600'000;  // read before the window, for clocks that differ
constexpr Millis kLookAgain{50};
constexpr std::size_t kLogBatchMax = 1'000;

using Offsets = std::map<std::int32_t, std::int64_t>;

Result<Offsets> committed(stream::Broker& broker, const AuditOptions& options) {
  Offsets offsets;
  for (const auto& at : WEIR_TRY(during(
           broker.committed_offsets(options.group, options.features_topic, options.stream.timeout),
           "reading the committed offsets of " + options.group))) {
    offsets[at.partition] = at.next_offset;
  }
  return offsets;
}

bool reaches(const stream::TopicHistory& history, const Offsets& ends) {
  return std::all_of(history.spans().begin(), history.spans().end(), [&](const auto& span) {
    const auto end = ends.find(span.partition);
    return end == ends.end() || span.end >= end->second;
  });
}

// The topic up to where its log ends now, once the transactions that are open now have ended.
Result<std::unique_ptr<stream::TopicHistory>> open_settled(stream::Broker& broker,
                                                           const std::string& topic,
                                                           const stream::HistoryStart& start,
                                                           Millis timeout, Clock& clock) {
  Offsets ends;
  for (const auto& at :
       WEIR_TRY(during(broker.log_ends(topic, timeout), "looking for the end of " + topic))) {
    ends[at.partition] = at.next_offset;
  }
  const SteadyTime deadline = clock.steady() + timeout;
  for (;;) {
    auto history = WEIR_TRY(during(broker.open_history(topic, start), "opening " + topic));
    if (reaches(*history, ends)) return history;
    if (clock.steady() > deadline) {
      return fail(Code::kTimeout, "a transaction in " + topic + " has been open for " +
                                      std::to_string(timeout.count() / 1000) +
                                      " s and hides what comes after it; is somebody else writing "
                                      "there? See 'kafka-transactions list'");
    }
    clock.sleep_for(kLookAgain, {});
  }
}

// A topic of one partition from its beginning to its end of now.
Status read_log(stream::Broker& broker, const std::string& topic, Millis timeout,
                const std::function<void(const stream::Record&)>& take) {
  auto history = WEIR_TRY(during(broker.open_history(topic, {}), "opening " + topic));
  if (history->spans().size() != 1) {
    return fail(Code::kCorrupt, topic + " has " + std::to_string(history->spans().size()) +
                                    " partitions; it must have one");
  }
  for (;;) {
    const auto batch = WEIR_TRY(during(
        history->next(history->spans()[0].partition, kLogBatchMax, timeout), "reading " + topic));
    if (batch->records().empty()) return {};
    for (const stream::Record& record : batch->records()) take(record);
  }
}

Result<std::vector<ControlEntry>> read_control(stream::Broker& broker,
                                               const AuditOptions& options) {
  std::vector<ControlEntry> entries;
  WEIR_TRY(
      read_log(broker, options.control_topic.name(), options.stream.timeout,
               [&](const stream::Record& record) {
                 entries.push_back({record.offset, record.timestamp_ms, std::string(record.value)});
               }));
  return entries;
}

Result<SwapNotes> read_swaps(stream::Broker& broker, const AuditOptions& options,
                             Findings& findings) {
  SwapNotes notes;
  WEIR_TRY(read_log(
      broker, options.swaps_topic, options.stream.timeout, [&](const stream::Record& record) {
        const auto swap = record::SwapRecord::parse(record.value);
        if (!swap) {
          findings.add(Breach::kSwapNotOnRecord, [&] {
            return options.swaps_topic + "[0]@" + std::to_string(record.offset) + ": " +
                   swap.error().message();
          });
          return;
        }
        const SwapNote note{swap->offset, swap->version};
        const auto [lowest, fresh] = notes[swap->partition].try_emplace(swap->epoch, note);
        if (!fresh && note.offset < lowest->second.offset) lowest->second = note;
      }));
  return notes;
}

stream::HistoryStart start_at(std::optional<std::int64_t> time_ms) {
  stream::HistoryStart start;
  start.time_ms = time_ms;
  return start;
}

}  // namespace

Result<AuditReport> run_audit(const AuditOptions& options, stream::Broker& broker,
                              store::FileStore& store, Clock& clock,
                              const AuditProgress& progress) {
  AuditReport report(options.examples_max);
  StreamEvidence evidence;
  evidence.features_topic = options.features_topic;
  evidence.predictions_topic = options.predictions_topic;
  evidence.dead_topic = options.dead_topic;
  const auto since = options.since_ms;
  const auto answers_since =
      since ? std::optional(std::max<std::int64_t>(*since - kAnswersBeforeMs, 0)) : std::nullopt;
  const Millis timeout = options.stream.timeout;

  evidence.committed_before = WEIR_TRY(committed(broker, options));
  const auto predictions = WEIR_TRY(
      open_settled(broker, options.predictions_topic, start_at(answers_since), timeout, clock));
  const auto dead =
      WEIR_TRY(open_settled(broker, options.dead_topic, start_at(answers_since), timeout, clock));
  evidence.committed_after = WEIR_TRY(committed(broker, options));
  const auto features =
      WEIR_TRY(during(broker.open_history(options.features_topic, start_at(since)),
                      "opening " + options.features_topic));
  evidence.predictions = predictions.get();
  evidence.dead = dead.get();
  evidence.features = features.get();

  // Whatever is wrong with the log is found in its second reading, too.
  Findings unused(0);
  const ControlHistory before =
      judge_control_log(WEIR_TRY(read_control(broker, options)), options.control_topic, unused);
  const StoreListing listing =
      WEIR_TRY(StoreListing::look(store, options.dataset_path, options.models_path));
  const auto entries = WEIR_TRY(read_control(broker, options));
  const ControlHistory after = judge_control_log(entries, options.control_topic, report.findings);
  report.control_records = entries.size();
  report.epochs = after.reigns.size() - (after.under_way() ? 1 : 0);

  StoreAudit store_audit(store, listing, before, after, since.value_or(0), report.findings);
  WEIR_TRY(store_audit.check_models());
  WEIR_TRY(store_audit.check_datasets(
      [&](std::uint64_t bytes) { return progress("data sets", bytes, 0); }));
  report.store = store_audit.counts();

  const SwapNotes swaps = WEIR_TRY(read_swaps(broker, options, report.findings));
  evidence.swaps = &swaps;
  evidence.control = &after;
  evidence.models = &store_audit.models();
  StreamAudit stream_audit(evidence, options.stream, report.findings);
  report.stream = WEIR_TRY(stream_audit.run(
      [&](std::uint64_t done, std::uint64_t total) { return progress("answers", done, total); }));
  return report;
}

}  // namespace weir::audit
