// The members topic from both ends: a producer or scorer says that it is there and has halted; the
// trainer knows who is live and waits for them.
//
// Why nobody is overlooked: a member announces itself before it reads the control log to its end,
// and the trainer reads the members topic to its end after it has written a halt. So a member that
// the trainer does not see announces itself later than the halt, and then sees the halt.
//
// Owner: a role each. Threads: one. Errors: those of stream.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "record/member.h"
#include "stream/broker.h"

namespace weir::gate {

// One member's voice.
class Membership {
 public:
  // `self`: type (kAlive, or kTrainer), member, role and transactional_id filled in. Announces at
  // once.
  static Result<std::unique_ptr<Membership>> open(stream::Broker& broker, const std::string& topic,
                                                  record::MemberRecord self, Clock& clock);
  // Says "alive", or once more "halted" while a halt is acknowledged, when a heartbeat is due; only
  // then asks how the member gets on.
  Status heartbeat(const std::function<record::MemberProgress()>& progress);
  // Says that the gate is closed for `epoch` and nothing of ours is in flight.
  Status acknowledge_halt(std::uint64_t epoch);
  void gate_opened() { halted_epoch_ = 0; }
  void leave();  // best effort, bounded

 private:
  Membership(std::unique_ptr<stream::RecordPublisher> publisher, std::string topic,
             record::MemberRecord self, Clock& clock)
      : publisher_(std::move(publisher)),
        topic_(std::move(topic)),
        self_(std::move(self)),
        clock_(clock) {}
  Status say(record::MemberType type, std::uint64_t epoch, record::MemberProgress progress = {});

  std::unique_ptr<stream::RecordPublisher> publisher_;
  const std::string topic_;
  const record::MemberRecord self_;
  Clock& clock_;
  std::uint64_t halted_epoch_ = 0;
  SteadyTime last_said_{};
};

// The trainer's view of all members.
class MemberTable {
 public:
  struct Member {
    record::MemberRecord latest;
    std::uint64_t halted_epoch = 0;
    SteadyTime
        last_heard{};  // by the writer's clock, where it was said before this table was opened
    SteadyTime last_read{};  // when this table read of it: no clock of another host is in it
    bool silent = false;  // not heard of for kMemberSilence: it need not be waited for, only fenced
  };

  static Result<std::unique_ptr<MemberTable>> open(stream::Broker& broker, const std::string& topic,
                                                   Clock& clock);
  // Reads what members have said, to the end that the topic has now.
  Status refresh(Millis timeout);
  // Members that have not acknowledged the halt of `epoch`, the silent ones included: a scorer that
  // was held up may wake with a transaction in hand.
  std::vector<Member> not_halted(std::uint64_t epoch) const;
  std::size_t live_count() const;  // without the silent
  // Members by name, then trainers: those are told of to people alone.
  std::vector<Member> all() const;
  void remove(const std::string& member) { members_.erase(member); }
  struct Request {
    record::MemberRecord record;
    SteadyTime asked{};  // as far as can be told: see age_of()
  };
  // The oldest request neither taken nor answered yet.
  std::optional<Request> take_request();

 private:
  MemberTable(std::unique_ptr<stream::LogReader> log, std::string topic, Clock& clock)
      : log_(std::move(log)), topic_(std::move(topic)), clock_(clock) {}
  void apply(const stream::LogEntry& entry);
  void hear(std::map<std::string, Member>& heard, record::MemberRecord record,
            const stream::LogEntry& entry) const;
  // Entries carry the time of another host. What was not there at the last look is younger than
  // that, whatever the clocks say.
  Millis age_of(const stream::LogEntry& entry) const;

  std::unique_ptr<stream::LogReader> log_;
  const std::string topic_;
  Clock& clock_;
  bool first_read_ = true;
  std::map<std::string, Member> members_;
  std::map<std::string, Member> trainers_;
  std::vector<Request> requests_;
  SteadyTime last_refresh_{};
};

}  // namespace weir::gate
