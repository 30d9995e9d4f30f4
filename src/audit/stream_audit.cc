// One pass: the earliest record among all output partitions is taken, matched with its feature
// record, compared, and forgotten. Feature partitions are read on as the answers ask for them.
//
// What cannot be judged is counted and not guessed at: answers to records before the window, and
// unanswered records from before the oldest answers that the topics still hold.
#include "audit/stream_audit.h"

#include <algorithm>
#include <limits>

#include "base/text.h"

namespace weir::audit {
namespace {

constexpr std::size_t kBatchRecordsMax = 2'000;
constexpr std::uint64_t kProgressEvery = 10'000;
constexpr std::size_t kMessageBytesMax = std::size_t{1} << 20;  // what scorers read
constexpr int kDepthMax = 64;

// How deep brackets nest at most; those within strings are counted too, which errs to mercy.
int bracket_depth(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
    if (c == ']' || c == '}') --depth;
  }
  return deepest;
}

}  // namespace

StreamAudit::StreamAudit(const StreamEvidence& evidence, const StreamAuditOptions& options,
                         Findings& findings)
    : evidence_(evidence), options_(options), findings_(findings) {
  for (const auto& span : evidence.features->spans()) {
    windows_.try_emplace(span.partition, *evidence.features, span, options.timeout);
  }
  add_outputs(*evidence.predictions, false);
  add_outputs(*evidence.dead, true);
}

void StreamAudit::add_outputs(stream::TopicHistory& history, bool dead) {
  for (const auto& span : history.spans()) {
    auto output = std::make_unique<Output>();
    output->dead = dead;
    output->history = &history;
    output->span = span;
    outputs_.push_back(std::move(output));
  }
}

Status StreamAudit::fill(Output& output) {
  if (output.ended || (output.batch && output.at < output.batch->records().size())) return {};
  const bool first = !output.batch;
  output.batch =
      WEIR_TRY(output.history->next(output.span.partition, kBatchRecordsMax, options_.timeout));
  output.at = 0;
  output.ended = output.batch->records().empty();
  // Begins behind the topic's first offset: what was before has been deleted, or is left out.
  if (first && output.span.begin > 0 && !output.ended) {
    cut_ms_ = std::max(cut_ms_, output.record().timestamp_ms);
  }
  return {};
}

StreamAudit::Output* StreamAudit::earliest() {
  Output* best = nullptr;
  for (const auto& output : outputs_) {
    if (output->ended) continue;
    if (!best || output->record().timestamp_ms < best->record().timestamp_ms) best = output.get();
  }
  return best;
}

Result<StreamCounts> StreamAudit::run(const StreamProgress& progress) {
  std::uint64_t total = 0;
  for (const auto& output : outputs_) {
    total += static_cast<std::uint64_t>(
        std::max<std::int64_t>(output->span.end - output->span.begin, 0));
    WEIR_TRY(fill(*output));
  }
  std::uint64_t done = 0;
  while (Output* output = earliest()) {
    // As long as its records are of one time the choice would not change.
    const std::int64_t now_ms = output->record().timestamp_ms;
    do {
      WEIR_TRY(take(*output));
      ++output->at;
      if (++done % kProgressEvery == 0) WEIR_TRY(progress(done, total));
      WEIR_TRY(fill(*output));
    } while (!output->ended && output->record().timestamp_ms <= now_ms);
  }
  judge_reaches();
  WEIR_TRY(finish_windows());
  WEIR_TRY(progress(total, total));
  return counts_;
}

Status StreamAudit::take(Output& output) {
  ++(output.dead ? counts_.dead_letters : counts_.predictions);
  const Answer* answer = output.dead ? reader_.read_dead_letter(*output.batch, output.at)
                                     : reader_.read_prediction(output.record().value);
  if (!answer) {
    findings_.add(Breach::kUnreadableAnswer,
                  [&] { return place(output) + ": " + reader_.fault(); });
    return {};
  }
  if (output.dead && answer->topic != evidence_.features_topic) {
    findings_.add(Breach::kPhantom, [&] {
      return place(output) + " answers a record of another topic, " + one_line(answer->topic);
    });
    return {};
  }
  return match(output, *answer);
}

Status StreamAudit::match(Output& output, const Answer& answer) {
  const auto window = windows_.find(answer.partition);
  auto match = FeatureWindow::Match::kAbsent;
  if (window != windows_.end()) {
    match = WEIR_TRY(window->second.answer(answer.offset, [&](const FeatureRecord& record) {
      ++counts_.compared;
      compare(output, answer, record);
    }));
  }
  const auto told = [&] {
    return place(output) + " answers " + feature_place(answer.partition, answer.offset);
  };
  switch (match) {
    case FeatureWindow::Match::kOutside: ++counts_.not_judged; return {};
    case FeatureWindow::Match::kAbsent:
      findings_.add(Breach::kPhantom, [&] { return told() + ", which is not there"; });
      return {};
    case FeatureWindow::Match::kAgain:
      findings_.add(Breach::kDoubled, [&] { return told() + ", which has an answer already"; });
      break;
    case FeatureWindow::Match::kFirst: break;
  }
  const auto committed = evidence_.committed_after.find(answer.partition);
  if (committed == evidence_.committed_after.end() || answer.offset >= committed->second) {
    ++ahead_[answer.partition];
    ahead_last_[answer.partition] = answer.offset;
  }
  const auto [last, fresh] = output.last_offset_of.try_emplace(answer.partition, answer.offset);
  if (!fresh && answer.offset <= last->second && match == FeatureWindow::Match::kFirst) {
    findings_.add(Breach::kOrderBroken, [&, before = last->second] {
      return told() + ", after the answer to offset " + std::to_string(before);
    });
  }
  last->second = std::max(last->second, answer.offset);
  if (!answer.dead) judge_epoch(output, answer);
  return {};
}

// ---- the value ----

void StreamAudit::compare(const Output& output, const Answer& answer, const FeatureRecord& record) {
  const bool left_out = answer.dead && answer.record_left_out;
  if (output.record().key != record.key && !left_out) {
    findings_.add(Breach::kKeyChanged, [&] {
      return place(output) + " has not the key of " +
             feature_place(answer.partition, answer.offset);
    });
  }
  answer.dead ? compare_dead_letter(output, answer, record)
              : compare_prediction(output, answer, record);
}

void StreamAudit::compare_prediction(const Output& output, const Answer& answer,
                                     const FeatureRecord& record) {
  const auto model = evidence_.models->find(answer.model);
  if (model == evidence_.models->end()) {
    findings_.add(Breach::kUnknownModel,
                  [&] { return place(output) + " names model " + std::to_string(answer.model); });
    return;
  }
  const Expectation& expected = recomputer_.expect(model->second, record.value);
  if (expected.verdict == Expectation::Verdict::kUnknown) {
    ++counts_.not_compared;
    return;
  }
  if (expected.verdict == Expectation::Verdict::kRefused) {
    findings_.add(Breach::kScoredDespiteFault, [&] {
      return place(output) + ": " + feature_place(answer.partition, answer.offset) + " has " +
             std::string(expected.why);
    });
    return;
  }
  const bool same = expected.many == answer.many &&
                    std::equal(expected.values.begin(), expected.values.end(),
                               answer.values.begin(), answer.values.end(), same_number);
  if (same) return;
  findings_.add(Breach::kWrongValue, [&] {
    const auto list = [](const std::vector<double>& values) {
      return values.empty() ? std::string("nothing")
                            : format_double(values[0]) + (values.size() > 1 ? ", …" : "");
    };
    return place(output) + " says " + list(answer.values) + ", model " +
           std::to_string(answer.model) + " says " + list(expected.values) + " of " +
           feature_place(answer.partition, answer.offset);
  });
}

void StreamAudit::compare_dead_letter(const Output& output, const Answer& answer,
                                      const FeatureRecord& record) {
  const bool left_out = answer.value_left_out || answer.record_left_out;
  const stream::Record& letter = output.record();
  const bool same_value = left_out || (letter.value == record.value &&
                                       (letter.value.data() == nullptr) == record.tombstone);
  const stream::Headers own = record.headers();
  const bool same_headers =
      answer.record_left_out || (own.size() == answer.reasons_at &&
                                 std::equal(own.begin(), own.end(), answer.headers.begin()));
  if (!same_value || !same_headers) {
    findings_.add(Breach::kDeadLetterChanged, [&] {
      return place(output) + " has other " + (same_value ? "headers" : "bytes") + " than " +
             feature_place(answer.partition, answer.offset);
    });
  }
  if (refused_for_good_reason(answer, record)) return;
  findings_.add(Breach::kDeadWithoutCause, [&] {
    return place(output) + " (" + one_line(answer.reason) +
           "): " + feature_place(answer.partition, answer.offset) + " can be scored";
  });
}

// A dead letter does not name the model that refused it, so any model of the pipeline may have.
bool StreamAudit::refused_for_good_reason(const Answer& answer, const FeatureRecord& record) {
  const std::string_view value = record.value;
  if (answer.reason == "weir.refusal.too_long") return value.size() > kMessageBytesMax;
  if (answer.reason == "weir.refusal.too_deep") return bracket_depth(value) > kDepthMax;
  // How large a prediction may be is the broker's to say.
  if (answer.reason == "weir.refusal.prediction_too_large") return true;
  if (answer.reason == "weir.refusal.out_of_range" &&
      value.find_first_of("eE") != std::string_view::npos) {
    return true;
  }
  if (evidence_.models->empty()) return true;
  return std::any_of(evidence_.models->begin(), evidence_.models->end(), [&](const auto& entry) {
    return recomputer_.expect(entry.second, value).verdict != Expectation::Verdict::kScored;
  });
}

// ---- the epoch ----

void StreamAudit::judge_epoch(const Output& output, const Answer& answer) {
  const auto found = evidence_.control->reigns.find(answer.epoch);
  if (found == evidence_.control->reigns.end() || !found->second.resume) {
    findings_.add(Breach::kUnknownEpoch,
                  [&] { return place(output) + " names epoch " + std::to_string(answer.epoch); });
    return;
  }
  const Reign& reign = found->second;
  if (reign.resume->version != answer.model) {
    findings_.add(Breach::kWrongModel, [&] {
      return place(output) + " names model " + std::to_string(answer.model) + " in epoch " +
             std::to_string(answer.epoch) + ", which version " +
             std::to_string(reign.resume->version) + " ruled";
    });
  }
  judge_reign(output, answer, reign);
  const auto [reach, fresh] =
      reaches_[answer.partition].try_emplace(answer.epoch, Reach{answer.offset, answer.offset});
  if (fresh) return;
  reach->second.first = std::min(reach->second.first, answer.offset);
  reach->second.last = std::max(reach->second.last, answer.offset);
}

// By where the predictions topic ended at each resume, which takes no clock; by time where a resume
// does not tell.
void StreamAudit::judge_reign(const Output& output, const Answer& answer, const Reign& reign) {
  const Reign* next = evidence_.control->next_halt(answer.epoch);
  const auto end_at = [&](const Reign* at) -> std::optional<std::int64_t> {
    if (!at || !at->resume->output_ends) return std::nullopt;
    const auto& ends = at->resume->output_ends->predictions;
    const auto end = ends.find(output.span.partition);
    return end == ends.end() ? std::nullopt : std::optional(end->second);
  };
  const auto told = [&](const Reign& at, const std::string& how) {
    findings_.add(Breach::kOutOfReign, [&] {
      return place(output) + " of epoch " + std::to_string(answer.epoch) + how +
             " the resume of epoch " + std::to_string(at.begin.epoch);
    });
  };
  const std::int64_t offset = output.record().offset;
  const std::int64_t at_ms = output.record().timestamp_ms;
  const std::int64_t skew_ms = options_.clock_skew.count();
  if (const auto first = end_at(&reign)) {
    if (offset < *first)
      told(reign, " stands before offset " + std::to_string(*first) + ", that of");
  } else if (at_ms + skew_ms < reign.resumed_ms) {
    told(reign, " is " + std::to_string(reign.resumed_ms - at_ms) + " ms older than");
  }
  if (!next) return;
  if (const auto last = end_at(next)) {
    if (offset >= *last)
      told(*next, " stands behind offset " + std::to_string(*last) + ", that of");
  } else if (at_ms - skew_ms > next->resumed_ms) {
    told(*next, " is " + std::to_string(at_ms - next->resumed_ms) + " ms younger than");
  }
}

void StreamAudit::judge_reaches() {
  for (const auto& [partition, epochs] : reaches_) {
    const Reach* before = nullptr;
    std::uint64_t before_epoch = 0;
    for (const auto& [epoch, reach] : epochs) {
      judge_swap(partition, epoch, reach, before);
      if (before && reach.first <= before->last) {
        findings_.add(Breach::kEpochFalls, [&, partition = partition, epoch = epoch] {
          return "epoch " + std::to_string(epoch) + " has scored " +
                 feature_place(partition, reach.first) + ", and the earlier epoch " +
                 std::to_string(before_epoch) + " offset " + std::to_string(before->last);
        });
      }
      if (!before || reach.last > before->last) before = &reach;
      before_epoch = epoch;
    }
  }
}

// A note may stand before the first prediction: the first answer may have been a dead letter, which
// names no epoch.
void StreamAudit::judge_swap(std::int32_t partition, std::uint64_t epoch, const Reach& reach,
                             const Reach* before) {
  const auto notes = evidence_.swaps->find(partition);
  const SwapNote* note = nullptr;
  if (notes != evidence_.swaps->end()) {
    const auto found = notes->second.find(epoch);
    if (found != notes->second.end()) note = &found->second;
  }
  const auto told = [&](const std::string& what) {
    findings_.add(Breach::kSwapNotOnRecord, [&] {
      return "epoch " + std::to_string(epoch) + " took over at " +
             feature_place(partition, reach.first) + " or before; " + what;
    });
  };
  if (!note) return told("there is no note of it");
  if (note->offset > reach.first || (before && note->offset <= before->last)) {
    return told("the note says offset " + std::to_string(note->offset));
  }
  if (note->version != evidence_.control->reigns.at(epoch).resume->version) {
    return told("the note says version " + std::to_string(note->version));
  }
}

// ---- what has no answer ----

Status StreamAudit::finish_windows() {
  for (auto& [partition, window] : windows_) {
    const auto committed = evidence_.committed_before.find(partition);
    const std::int64_t below = committed == evidence_.committed_before.end()
                                   ? std::numeric_limits<std::int64_t>::min()
                                   : committed->second;
    WEIR_TRY(window.finish([&, partition = partition](std::int64_t offset, std::int64_t time_ms) {
      if (offset >= below) {
        ++counts_.waiting;
      } else if (time_ms < cut_ms_) {
        ++counts_.not_judged;
      } else {
        findings_.add(Breach::kLost, [&] {
          return feature_place(partition, offset) + ", below the committed offset " +
                 std::to_string(below) + ", has no answer";
        });
      }
    }));
    counts_.features += window.records();
    counts_.not_compared += window.not_compared();
  }
  for (const auto& [partition, count] : ahead_) {
    const auto committed = evidence_.committed_after.find(partition);
    findings_.add(Breach::kAheadOfOffsets, count,
                  std::to_string(count) + " answers up to " +
                      feature_place(partition, ahead_last_[partition]) + ", but the group has " +
                      (committed == evidence_.committed_after.end()
                           ? "no committed offset"
                           : "committed offset " + std::to_string(committed->second)));
  }
  return {};
}

std::string StreamAudit::place(const Output& output) const {
  return (output.dead ? evidence_.dead_topic : evidence_.predictions_topic) + "[" +
         std::to_string(output.span.partition) + "]@" + std::to_string(output.record().offset);
}

std::string StreamAudit::feature_place(std::int32_t partition, std::int64_t offset) const {
  return evidence_.features_topic + "[" + std::to_string(partition) + "]@" + std::to_string(offset);
}

}  // namespace weir::audit
