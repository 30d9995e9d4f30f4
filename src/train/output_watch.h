// Watches the ends of the topics that scorers write, over a halt: evidence that is free of clocks.
//
// Once everyone has halted or is fenced, nobody may commit anything until the resume. The ends are
// looked up then, and again just before the resume, which carries them: all answers at or above
// them are of its epoch or a later one, all below of earlier ones. What was committed in between is
// a bug or a foreign hand, and is told as an alert. Without a halt there is one look, and the
// answers of earlier epochs may go on for a while.
//
// Owner: the trainer. Threads: one. Errors: none. Evidence that cannot be had is told and left out:
// the stream is not to stay halted for it.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "record/control.h"
#include "stream/broker.h"

namespace weir::train {

class OutputWatch {
 public:
  OutputWatch(stream::Broker& broker, std::string predictions_topic, std::string dead_topic);

  void halted();  // nobody may commit from now on
  void forget();  // no halt is in force that we have seen through
  // The ends now, for the resume; looks for what was committed since halted().
  std::optional<record::OutputEnds> before_resume(std::uint64_t epoch);
  std::uint64_t alerts() const {
    return alerts_;
  }  // records that came during a halt, one a partition

 private:
  using Ends = std::map<std::int32_t, std::int64_t>;
  Result<Ends> ends(const std::string& topic);
  std::optional<record::OutputEnds> look();
  void alert_of_commits(const std::string& topic, const Ends& then, const Ends& now,
                        std::uint64_t epoch);
  Status find_commits(const std::string& topic, const Ends& from, std::uint64_t epoch);

  stream::Broker& broker_;
  const std::string predictions_topic_;
  const std::string dead_topic_;
  std::optional<record::OutputEnds> when_halted_;
  std::uint64_t alerts_ = 0;
};

}  // namespace weir::train
