#include "train/output_watch.h"

#include "base/log.h"

namespace weir::train {
namespace {

// Short of the time that others wait for a resume: without an answer there is no evidence.
constexpr Millis kLookTimeout{5'000};

}  // namespace

OutputWatch::OutputWatch(stream::Broker& broker, std::string predictions_topic,
                         std::string dead_topic)
    : broker_(broker),
      predictions_topic_(std::move(predictions_topic)),
      dead_topic_(std::move(dead_topic)) {}

void OutputWatch::halted() { when_halted_ = look(); }

void OutputWatch::forget() { when_halted_.reset(); }

std::optional<record::OutputEnds> OutputWatch::before_resume(std::uint64_t epoch) {
  auto now = look();
  if (now && when_halted_) {
    alert_of_commits(predictions_topic_, when_halted_->predictions, now->predictions, epoch);
    alert_of_commits(dead_topic_, when_halted_->dead, now->dead, epoch);
  }
  when_halted_.reset();
  return now;
}

Result<OutputWatch::Ends> OutputWatch::ends(const std::string& topic) {
  Ends found;
  for (const auto& at : WEIR_TRY(
           during(broker_.log_ends(topic, kLookTimeout), "looking up where " + topic + " ends"))) {
    found[at.partition] = at.next_offset;
  }
  return found;
}

std::optional<record::OutputEnds> OutputWatch::look() {
  const auto attempt = [&]() -> Result<record::OutputEnds> {
    record::OutputEnds both;
    both.predictions = WEIR_TRY(ends(predictions_topic_));
    both.dead = WEIR_TRY(ends(dead_topic_));
    return both;
  };
  auto both = attempt();
  if (both) return std::move(*both);
  log::warn("the control log will not say where the predictions of this epoch begin",
            {{"reason", both.error()}});
  return std::nullopt;
}

// The end of a log moves for marks, too: a transaction that was committed before the halt may get
// its mark a little later. Hence a look at what is there.
void OutputWatch::alert_of_commits(const std::string& topic, const Ends& then, const Ends& now,
                                   std::uint64_t epoch) {
  if (then == now) return;
  if (auto looked = find_commits(topic, then, epoch); !looked) {
    log::warn("cannot look at what came to a topic during the halt",
              {{"topic", topic}, {"reason", looked.error()}});
  }
}

Status OutputWatch::find_commits(const std::string& topic, const Ends& from, std::uint64_t epoch) {
  const auto history = WEIR_TRY(broker_.open_history(topic, {std::nullopt, from}));
  for (const auto& [partition, begin] : from) {
    const auto batch = WEIR_TRY(history->next(partition, 1, kLookTimeout));
    if (batch->records().empty()) continue;
    ++alerts_;
    log::error(
        "a record was committed while the stream was halted: somebody other than the scorers "
        "writes to this topic, or a promise is broken",
        {{"topic", topic},
         {"partition", partition},
         {"offset", batch->records().front().offset},
         {"epoch", epoch}});
  }
  return {};
}

}  // namespace weir::train
