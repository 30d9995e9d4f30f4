#include "gate/control_log.h"

#include "base/log.h"

namespace weir::gate {
namespace {

constexpr int kAppendTriesMax = 5;

// True where the log's last words are those of `record`.
bool is_applied(const record::ControlState& state, const record::ControlRecord& record) {
  if (record.type == record::ControlType::kResume) {
    return state.ruling_epoch == record.epoch && !state.begun;
  }
  return state.begun && state.begun->epoch == record.epoch && state.begun->type == record.type;
}

}  // namespace

Result<std::unique_ptr<ControlFollower>> ControlFollower::open(stream::Broker& broker,
                                                               const record::ControlTopic& topic) {
  auto log = WEIR_TRY(during(broker.open_log(topic.name(), stream::StartAt::kEarliest),
                             "opening the control log " + topic.name()));
  return std::unique_ptr<ControlFollower>(new ControlFollower(std::move(log), topic));
}

Status ControlFollower::catch_up(Millis timeout) {
  const auto entries = WEIR_TRY(during(log_->read_to_end(timeout),
                                       "reading the control log " + topic_.name() + " to its end"));
  return apply(entries);
}

Result<bool> ControlFollower::poll(Millis timeout) {
  const auto entries =
      WEIR_TRY(during(log_->poll(timeout), "reading the control log " + topic_.name()));
  WEIR_TRY(apply(entries));
  return !entries.empty();
}

Status ControlFollower::apply(const std::vector<stream::LogEntry>& entries) {
  for (const stream::LogEntry& entry : entries) {
    const auto record = topic_.read(entry.value);
    const Status applied = record ? state_.apply(*record) : Status(fail(record.error()));
    if (!applied) {
      WEIR_TRY(pass_over(entry, applied.error()));
    } else if (listener_) {
      listener_(*record);
    }
  }
  return {};
}

Status ControlFollower::pass_over(const stream::LogEntry& entry, const Error& why) const {
  if (why.code() == Code::kUnsupported) {
    return fail(Error(why).while_doing("reading offset " + std::to_string(entry.offset) + " of " +
                                       topic_.name()));
  }
  const bool forged = why.code() == Code::kPermissionDenied;
  log::error(forged ? "ignored a forged control record: no trusted key has signed it (where it is "
                      "older than the keys, set control.unsigned_epochs)"
                    : "ignored a control record that cannot be: somebody other than the trainer "
                      "wrote it?",
             {{"topic", topic_.name()}, {"offset", entry.offset}, {"reason", why}});
  return {};
}

Result<std::unique_ptr<ControlWriter>> ControlWriter::open(stream::Broker& broker,
                                                           const record::ControlTopic& topic,
                                                           const std::string& transactional_id,
                                                           Millis timeout) {
  std::unique_ptr<ControlWriter> writer(
      new ControlWriter(broker, topic, transactional_id, timeout));
  writer->sink_ = WEIR_TRY(during(broker.open_sink(transactional_id, timeout),
                                  "opening the control log " + topic.name() + " for writing"));
  return writer;
}

Status ControlWriter::write_once(const std::string& value) {
  WEIR_TRY(sink_->begin());
  WEIR_TRY(sink_->send({topic_.name(), 0, std::nullopt, value, nullptr}));
  return sink_->commit({}, {}, nullptr);
}

Status ControlWriter::append(const record::ControlRecord& record, ControlFollower& follower) {
  const std::string value = topic_.to_value(record);
  // One try: true where the record is in the log by now.
  const auto attempt = [&]() -> Result<bool> {
    if (!sink_) {
      // An earlier try came to nothing or to nobody knows what. Opening the sink anew ends what
      // that one left open, so that the log's end, read after that, says whether the record is
      // there.
      sink_ = WEIR_TRY(broker_.open_sink(transactional_id_, timeout_));
      WEIR_TRY(follower.catch_up(timeout_));
      if (is_applied(follower.state(), record)) return true;
    }
    record::ControlState after = follower.state();
    if (auto can_follow = after.apply(record); !can_follow) {
      return fail(Code::kFenced,
                  "somebody else has led meanwhile: " + can_follow.error().message());
    }
    WEIR_TRY(write_once(value));
    WEIR_TRY(follower.catch_up(timeout_));
    return is_applied(follower.state(), record);
  };
  for (int tries = 1;; ++tries) {
    Result<bool> done = attempt();
    if (done && *done) return {};
    if (done) {
      const std::string epoch = std::to_string(record.epoch);
      // A reply that took long may come with what another leader has made of the record since.
      const bool went_on = follower.state().epoch >= record.epoch;
      return fail(Code::kFenced,
                  went_on ? "somebody else has led meanwhile, and gone on with epoch " + epoch
                          : "somebody else writes to the control log " + topic_.name() +
                                ": it does not show epoch " + epoch + " after it was written");
    }
    sink_.reset();
    const Code code = done.error().code();
    const bool may_try = done.error().retryable() || code == Code::kUnknownOutcome;
    if (!may_try || tries == kAppendTriesMax) {
      return fail(
          std::move(done.error()).while_doing("writing to the control log " + topic_.name()));
    }
    log::warn("writing to the control log is tried again",
              {{"topic", topic_.name()}, {"try", tries}, {"reason", done.error()}});
  }
}

}  // namespace weir::gate
