// How a trainer gets on, for people to read: in the log where it makes no progress for long, and on
// the members topic, for weir status. Nothing is decided by it; where it may not be told there, the
// trainer goes on without and says so once.
//
// Owner: a trainer. Threads: one. Errors: none. Limits: a call holds the trainer up for as long as
// Membership::heartbeat() does, and after one that may pass once in kQuietAfterFailure.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "gate/members.h"
#include "gate/waiting_notice.h"
#include "registry/manifest.h"
#include "stream/broker.h"

namespace weir::train {

class TrainerVoice {
 public:
  TrainerVoice(stream::Broker& broker, std::string members_topic, std::string name, Clock& clock);

  // Both as WaitingNotice has them.
  void waits(std::string kind, std::string words, log::Level level);
  void moves();
  // There is nothing to do, and all is well: weir status alone tells of it.
  void idles(std::string words);

  void tell();   // often: does something only when a heartbeat is due
  void leave();  // best effort, bounded

  static constexpr Millis kQuietAfterFailure{30'000};

 private:
  Status speak();

  stream::Broker& broker_;
  const std::string members_topic_;
  const std::string name_;
  Clock& clock_;
  gate::WaitingNotice notice_;
  std::unique_ptr<gate::Membership> membership_;
  SteadyTime quiet_until_{};
  bool idle_ = false;
};

// In the log: a model is in force from this epoch on, and why it is the one that it is.
void tell_of_model(const registry::Manifest& manifest, std::uint64_t epoch);

}  // namespace weir::train
