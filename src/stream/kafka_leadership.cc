// Who holds partition 0 of the control topic in its consumer group leads. Nothing is ever fetched:
// the assignment that librdkafka is told of is empty.
#include <algorithm>

#include "stream/kafka_group_internal.h"

namespace weir::stream {
namespace {

class KafkaLeadership final : public Leadership {
 public:
  KafkaLeadership(Millis close_timeout, const std::string& topic)
      : close_timeout_(close_timeout), wanted_(to_read(topic)) {}

  ~KafkaLeadership() override {
    if (client_) leave_group(*client_, *queue_, close_timeout_);
    queue_.reset();
  }

  Status start(const KafkaClientFactory& factory, const std::string& group,
               const std::string& member) {
    auto context = std::make_shared<KafkaClientContext>("leadership " + group);
    context->on_rebalance = [this](rd_kafka_resp_err_t change,
                                   rd_kafka_topic_partition_list_t* partitions) {
      on_rebalance(change, *partitions);
    };
    client_ = WEIR_TRY(factory.consumer(group, member, context));
    queue_.reset(rd_kafka_queue_get_consumer(client_->get()));
    return subscribe(*client_, wanted_.name);
  }

  Result<bool> is_leader(Millis timeout) override {
    const Inside call("polling for leadership");
    const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
    std::optional<Error> error = serve(Millis(0));
    while (!leads_ && !error && left_until(deadline) > Millis(0))
      error = serve(left_until(deadline));
    if (!error) error = client_->context().take_trouble(!leads_);
    // While it leads, brokers that are away for a moment change nothing: the group would have to
    // give the partition to another first.
    if (error && !(leads_ && error->retryable())) return fail(std::move(*error));
    return leads_;
  }

 private:
  std::optional<Error> serve(Millis timeout) {
    rd_kafka_message_t* message = nullptr;
    if (rd_kafka_consume_batch_queue(queue_.get(), milliseconds(timeout), &message, 1) != 1) {
      return std::nullopt;
    }
    std::optional<Error> error;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR &&
        message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF &&
        message->err != RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED) {
      error = client_->error(message->err, rd_kafka_message_errstr(message), &wanted_);
    }
    rd_kafka_message_destroy(message);
    return error;
  }

  void on_rebalance(rd_kafka_resp_err_t change, const rd_kafka_topic_partition_list_t& partitions) {
    leads_ = change == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS &&
             std::any_of(partitions.elems, partitions.elems + partitions.cnt,
                         [](const auto& at) { return at.partition == 0; });
    const PartitionListPtr none(rd_kafka_topic_partition_list_new(0));
    rd_kafka_assign(client_->get(),
                    change == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? none.get() : nullptr);
    if (queue_) rd_kafka_queue_yield(queue_.get());
  }

  const Millis close_timeout_;
  const KafkaRight wanted_;
  std::unique_ptr<KafkaClient> client_;
  QueuePtr queue_;
  bool leads_ = false;
};

}  // namespace

Result<std::unique_ptr<Leadership>> open_kafka_leadership(const KafkaClientFactory& factory,
                                                          const std::string& topic,
                                                          const std::string& group,
                                                          const std::string& member) {
  auto leadership = std::make_unique<KafkaLeadership>(factory.timeouts().close, topic);
  WEIR_TRY(leadership->start(factory, group, member));
  return leadership;
}

}  // namespace weir::stream
