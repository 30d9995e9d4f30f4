// The control log as a process reads it and as the leading trainer writes it.
//
// Owner: one role each. Threads: one. Errors: those of stream; kUnsupported where the log holds a
// record of a newer version of the program: the role must not go on. A record that is broken, that
// cannot follow, or that nobody who is trusted has signed is reported loudly and passed over: it
// changes no gate.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "record/control.h"
#include "record/control_topic.h"
#include "stream/broker.h"

namespace weir::gate {

class ControlFollower {
 public:
  static Result<std::unique_ptr<ControlFollower>> open(stream::Broker& broker,
                                                       const record::ControlTopic& topic);
  // Applies everything that was in the log when the call began.
  Status catch_up(Millis timeout);
  // Applies what has come; true where something has.
  Result<bool> poll(Millis timeout);
  const record::ControlState& state() const { return state_; }
  // Hears of each record that changed the state, in the order of the log, from now on.
  void on_record(std::function<void(const record::ControlRecord&)> listener) {
    listener_ = std::move(listener);
  }

 private:
  ControlFollower(std::unique_ptr<stream::LogReader> log, record::ControlTopic topic)
      : log_(std::move(log)), topic_(std::move(topic)) {}
  Status apply(const std::vector<stream::LogEntry>& entries);
  Status pass_over(const stream::LogEntry& entry, const Error& why) const;

  std::unique_ptr<stream::LogReader> log_;
  const record::ControlTopic topic_;
  record::ControlState state_;
  std::function<void(const record::ControlRecord&)> listener_;
};

// Appends through one fixed transactional id: opening a writer shuts out every earlier one.
class ControlWriter {
 public:
  static Result<std::unique_ptr<ControlWriter>> open(stream::Broker& broker,
                                                     const record::ControlTopic& topic,
                                                     const std::string& transactional_id,
                                                     Millis timeout);
  // Returns once the record is in the log, and `follower` has applied it. An unknown outcome is
  // resolved by reading the log: the record is in it once, or not at all and then written again.
  // kFenced: another trainer leads, or has led meanwhile and the record cannot follow any more.
  Status append(const record::ControlRecord& record, ControlFollower& follower);

 private:
  ControlWriter(stream::Broker& broker, record::ControlTopic topic, std::string transactional_id,
                Millis timeout)
      : broker_(broker),
        topic_(std::move(topic)),
        transactional_id_(std::move(transactional_id)),
        timeout_(timeout) {}
  Status write_once(const std::string& value);

  stream::Broker& broker_;
  const record::ControlTopic topic_;
  const std::string transactional_id_;
  const Millis timeout_;
  std::unique_ptr<stream::TransactionalSink> sink_;
};

}  // namespace weir::gate
