// One Kafka transaction at a time, by librdkafka.
//
// What the answers of a commit mean:
//   none, until the deadline         kUnknownOutcome: the broker may have committed
//   "abort it", and the abort works  kUnavailable: a broker that committed refuses the abort
//   "abort it", and the abort fails  kUnknownOutcome
//   fenced                           kFenced
//   fatal otherwise                  kUnknownOutcome: an earlier try of the same request may have
//                                    been heard
// Before the commit request is sent nothing can become visible, whatever the answers: an error of
// send() or of the offsets is definite, even where the abort after it is not.
//
// librdkafka keeps one epoch for many transactions, so that a request which the network held back
// could end the next transaction. Hence a sink is spent after any error, and the next one, opened
// under the same id, has a higher epoch that shuts the late request out.
#include <algorithm>

#include "base/log.h"
#include "stream/kafka_group_internal.h"
#include "stream/kafka_producer_internal.h"

namespace weir::stream {
namespace {

class KafkaTransactionalSink final : public TransactionalSink {
 public:
  KafkaTransactionalSink(std::unique_ptr<KafkaProducer> producer, const KafkaClientFactory& factory)
      : producer_(std::move(producer)),
        timeouts_(factory.timeouts()),
        crash_points_(factory.crash_points()) {}

  ~KafkaTransactionalSink() override {
    // Else readers would wait for its time-out.
    if (open_ && !spent_) static_cast<void>(abort());
  }

  Status init(Millis timeout) {
    const Inside call("taking a transactional id");
    const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
    return retried(deadline, [&] {
      return rd_kafka_init_transactions(producer_->get(), milliseconds(left_until(deadline)));
    });
  }

  Status begin() override {
    WEIR_TRY(usable());
    if (open_)
      return spend(Error(Code::kInvalidArgument, "begin() in the middle of a transaction"));
    const KafkaErrorPtr error(rd_kafka_begin_transaction(producer_->get()));
    if (error) return spend(producer_->client().error(*error));
    open_ = true;
    return {};
  }

  Status send(const OutRecord& record) override {
    WEIR_TRY(usable());
    if (!open_) return spend(Error(Code::kInvalidArgument, "send() outside of a transaction"));
    Status sent = producer_->send(record);
    if (sent || sent.error().code() == Code::kInvalidArgument) return sent;
    return abandon(cause_of(std::move(sent.error())));
  }

  Status commit(std::string_view source_topic, std::span<const PartitionOffset> offsets,
                const GroupMetadata* group) override {
    const Inside call("committing a transaction");
    WEIR_TRY(usable());
    if (!open_) return spend(Error(Code::kInvalidArgument, "commit() outside of a transaction"));
    const SteadyTime deadline = std::chrono::steady_clock::now() + timeouts_.commit;
    if (!offsets.empty()) {
      if (auto sent = send_offsets(source_topic, offsets, group, deadline); !sent) {
        return abandon(std::move(sent.error()));
      }
      crash_points_.reach("offsets-sent");
    }
    return end_by_commit(deadline);
  }

  Status abort() override {
    WEIR_TRY(usable());
    if (!open_) return {};
    open_ = false;
    Status aborted = try_abort();
    static_cast<void>(producer_->take_delivery_error());  // what was purged, by our own wish
    if (!aborted) return spend(std::move(aborted.error()));
    return {};
  }

 private:
  Status usable() const {
    if (spent_) return fail(Code::kInvalidArgument, "the sink is spent: open another");
    return {};
  }

  Status spend(Error error) {
    spent_ = true;
    return fail(std::move(error));
  }

  // Calls again while librdkafka says that it may be called again, until the deadline.
  template <typename Call>
  Status retried(SteadyTime deadline, Call call, const std::vector<KafkaRight>& wanted = {}) {
    for (;;) {
      const KafkaErrorPtr error(call());
      if (!error) return {};
      const bool again = rd_kafka_error_is_retriable(error.get()) != 0 &&
                         rd_kafka_error_txn_requires_abort(error.get()) == 0;
      if (!again || left_until(deadline) == Millis(0)) return fail(told(*error, wanted));
      rd_kafka_poll(producer_->get(), 1);
    }
  }

  Status send_offsets(std::string_view source_topic, std::span<const PartitionOffset> offsets,
                      const GroupMetadata* group, SteadyTime deadline) {
    const auto* metadata = dynamic_cast<const KafkaGroupMetadata*>(group);
    if (!metadata)
      return fail(Code::kInvalidArgument, "offsets without the group that they are of");
    const std::string topic(source_topic);
    const PartitionListPtr list(
        rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
    for (const PartitionOffset& offset : offsets) {
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), offset.partition)->offset =
          offset.next_offset;
    }
    const auto send = [&] {
      return rd_kafka_send_offsets_to_transaction(producer_->get(), list.get(), metadata->get(),
                                                  milliseconds(left_until(deadline)));
    };
    const KafkaRight commit_in_group{"Read", "group", metadata->group()};
    return during(retried(deadline, send, {to_read(topic), commit_in_group}),
                  "adding the offsets of " + topic + " to the transaction");
  }

  Status end_by_commit(SteadyTime deadline) {
    for (;;) {
      const KafkaErrorPtr error(
          rd_kafka_commit_transaction(producer_->get(), milliseconds(left_until(deadline))));
      if (!error) {
        open_ = false;
        return {};
      }
      if (rd_kafka_error_txn_requires_abort(error.get()) != 0) return abandon_commit(told(*error));
      if (rd_kafka_error_is_retriable(error.get()) != 0 && left_until(deadline) > Millis(0)) {
        rd_kafka_poll(producer_->get(), 1);
        continue;
      }
      open_ = false;
      const Error cause = kafka_error(*error);
      const Code code = cause.code() == Code::kFenced ? Code::kFenced : Code::kUnknownOutcome;
      return spend(Error(code, producer_->client().error(*error).message())
                       .while_doing("committing the transaction"));
    }
  }

  // `wanted`: what the call needs, besides the right to write to the topics of the transaction.
  Error told(const rd_kafka_error_t& error, const std::vector<KafkaRight>& wanted = {}) {
    const rd_kafka_resp_err_t code = rd_kafka_error_code(&error);
    Error plain = producer_->client().error(error);
    std::vector<KafkaRight> suspects;
    for (const KafkaRight& right : wanted) {
      if (right.resource == "topic") suspects.push_back(right);
      if (right.resource == "group" && code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
        return kafka_denial(producer_->get(), {&right, 1});
      }
    }
    // librdkafka says that a topic was denied, but not which.
    if (code != RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) return plain;
    for (const std::string& topic : producer_->topics()) suspects.push_back(to_write(topic));
    const auto lacking = kafka_lacking_rights(producer_->client(), suspects, timeouts_.lookup);
    if (!lacking || lacking->empty()) return plain;  // granted again by now
    return kafka_denial(producer_->get(), *lacking);
  }

  // Once the transaction has failed librdkafka takes no more records, and says only that its state
  // is erroneous. To begin another is refused with the error itself.
  Error cause_of(Error sent) {
    if (sent.code() != Code::kInternal) return sent;
    const KafkaErrorPtr cause(rd_kafka_begin_transaction(producer_->get()));
    if (!cause || rd_kafka_error_code(cause.get()) == RD_KAFKA_RESP_ERR__STATE) return sent;
    return told(*cause);
  }

  Status abandon_commit(const Error& error) {
    Error cause = producer_->take_delivery_error().value_or(error);
    const Status aborted = try_abort();
    open_ = false;
    if (aborted) return spend(definite(std::move(cause)).while_doing("committing the transaction"));
    if (aborted.error().code() == Code::kFenced) return spend(aborted.error());
    // A broker that denied a topic was not asked to commit, and may know of nothing to abort.
    if (cause.code() == Code::kPermissionDenied) {
      return spend(std::move(cause).while_doing("committing the transaction"));
    }
    return spend(Error(Code::kUnknownOutcome, cause.message() + "; and then the abort failed: " +
                                                  aborted.error().message())
                     .while_doing("committing the transaction"));
  }

  // Ends a transaction whose commit was never asked for: nothing of it is ever visible.
  Status abandon(Error error) {
    if (auto undelivered = producer_->take_delivery_error()) error = std::move(*undelivered);
    const Status aborted = try_abort();
    if (!aborted && aborted.error().code() == Code::kFenced) error = aborted.error();
    open_ = false;
    return spend(definite(std::move(error)));
  }

  // A time-out before the commit, too, ends in an abort: the caller may begin anew.
  static Error definite(Error error) {
    if (error.code() != Code::kTimeout && error.code() != Code::kUnknownOutcome) return error;
    return Error(Code::kUnavailable, error.message());
  }

  Status try_abort() {
    const Inside call("aborting a transaction");
    const SteadyTime deadline = std::chrono::steady_clock::now() + timeouts_.abort;
    return during(retried(deadline,
                          [&] {
                            return rd_kafka_abort_transaction(producer_->get(),
                                                              milliseconds(left_until(deadline)));
                          }),
                  "aborting the transaction");
  }

  const std::unique_ptr<KafkaProducer> producer_;
  const KafkaTimeouts timeouts_;
  const CrashPoints crash_points_;
  bool open_ = false;
  bool spent_ = false;
};

}  // namespace

Result<std::unique_ptr<TransactionalSink>> open_kafka_sink(const KafkaClientFactory& factory,
                                                           const std::string& transactional_id,
                                                           Millis timeout, Places places) {
  if (transactional_id.empty()) return fail(Code::kInvalidArgument, "an empty transactional id");
  auto producer = WEIR_TRY(KafkaProducer::make(factory, transactional_id, places));
  auto sink = std::make_unique<KafkaTransactionalSink>(std::move(producer), factory);
  WEIR_TRY(during(sink->init(timeout), "taking transactional id " + transactional_id));
  return sink;
}

Status fence_kafka_producer(const KafkaClientFactory& factory, const std::string& transactional_id,
                            Millis timeout) {
  return during(open_kafka_sink(factory, transactional_id, timeout), "fencing").map([](auto&&) {});
}

}  // namespace weir::stream
