// bench_passthrough BROKERS INPUT OUTPUT GROUP COMMIT_MS exactly-once|at-least-once [forever]:
// copies a topic, and no more; to where it ends, or until it is killed.
//
// What any program on librdkafka pays before it does work of its own: fetch, decompress, copy,
// compress, produce. Same keys, same bytes. One thread calls librdkafka, as in weir; the client
// settings are weir's, idempotence and acks=all among them. It keeps to the happy path: any error
// ends it. Every COMMIT_MS it commits:
//
// exactly-once   one transaction, with the consumed offsets in it
// at-least-once  no transaction: it waits until all that it produced is acknowledged (flush), then
//                commits the consumed offsets and waits for that. Dying between the two doubles
//                records and loses none.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "kafka.h"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kRecordsPerPoll = 10'000;
constexpr int kIdleMs = 20;
constexpr int kTimeoutMs = 30'000;

struct GroupMetadataDeleter {
  void operator()(rd_kafka_consumer_group_metadata_t* metadata) const {
    rd_kafka_consumer_group_metadata_destroy(metadata);
  }
};

class Passthrough {
 public:
  Passthrough(const std::string& brokers, const char* input, const char* output, const char* group,
              int commit_ms, bool exactly_once, bool forever)
      : input_(input), commit_interval_(commit_ms), exactly_once_(exactly_once), forever_(forever) {
    auto context = std::make_shared<stream::KafkaClientContext>("passthrough");
    context->on_rebalance = [this](rd_kafka_resp_err_t change, auto* list) {
      assign(change, list);
    };
    consumer_ = must(client_factory(brokers).consumer(group, group, context));
    queue_.reset(rd_kafka_queue_get_consumer(consumer_->get()));
    const stream::PartitionListPtr topics(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(topics.get(), input, RD_KAFKA_PARTITION_UA);
    must(rd_kafka_subscribe(consumer_->get(), topics.get()), "subscribing");

    auto sink_context = std::make_shared<stream::KafkaClientContext>("passthrough");
    sink_context->on_delivery_error = [](const rd_kafka_message_t& message) {
      must(message.err, "delivering");
    };
    producer_ = must(client_factory(brokers).producer(exactly_once ? group : "", sink_context));
    if (exactly_once) {
      must(rd_kafka_init_transactions(producer_->get(), kTimeoutMs), "init_transactions");
    }
    output_.reset(rd_kafka_topic_new(producer_->get(), output, nullptr));
  }

  void run() {
    std::vector<rd_kafka_message_t*> messages(kRecordsPerPoll);
    while (forever_ || assigned_ == 0 || !at_end() || open_) {
      for (rd_kafka_message_t* const message : poll_batch(queue_.get(), messages, kIdleMs)) {
        take(message);
      }
      rd_kafka_poll(producer_->get(), 0);
      if (open_ && (at_end() || Clock::now() - began_ >= commit_interval_)) commit();
    }
    rd_kafka_consumer_close(consumer_->get());
  }

  void print() {
    std::sort(commit_ms_.begin(), commit_ms_.end());
    const auto at = [&](double part) {
      return commit_ms_[static_cast<std::size_t>(part *
                                                 static_cast<double>(commit_ms_.size() - 1))];
    };
    if (commit_ms_.empty()) commit_ms_.push_back(0);
    std::printf(
        "{\"records\": %llu, \"commits\": %zu, \"commit_ms_median\": %.1f, "
        "\"commit_ms_p99\": %.1f, \"commit_ms_max\": %.1f}\n",
        static_cast<unsigned long long>(records_), commit_ms_.size(), at(0.5), at(0.99), at(1));
  }

 private:
  bool at_end() const { return !forever_ && ended_ == assigned_; }

  void assign(rd_kafka_resp_err_t change, rd_kafka_topic_partition_list_t* partitions) {
    if (change != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      rd_kafka_assign(consumer_->get(), nullptr);
      return;
    }
    if (assigned_ != 0) die("a second assignment: is another process in the group?");
    assigned_ = partitions->cnt;
    for (int i = 0; i < partitions->cnt; ++i) {
      partitions->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    must(rd_kafka_assign(consumer_->get(), partitions), "assigning");
  }

  void take(rd_kafka_message_t* message) {
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      ++ended_;
    } else {
      must(message->err, "consuming");
      if (!open_) begin();
      produce(producer_->get(), output_.get(), key_of(*message), value_of(*message));
      next_[message->partition] = message->offset + 1;
      ++records_;
    }
    rd_kafka_message_destroy(message);
  }

  void begin() {
    if (exactly_once_) must(rd_kafka_begin_transaction(producer_->get()), "begin_transaction");
    began_ = Clock::now();
    open_ = true;
  }

  void commit() {
    const auto started = Clock::now();
    const stream::PartitionListPtr offsets(
        rd_kafka_topic_partition_list_new(static_cast<int>(next_.size())));
    for (const auto& [partition, next] : next_) {
      rd_kafka_topic_partition_list_add(offsets.get(), input_, partition)->offset = next;
    }
    if (exactly_once_) {
      const std::unique_ptr<rd_kafka_consumer_group_metadata_t, GroupMetadataDeleter> group(
          rd_kafka_consumer_group_metadata(consumer_->get()));
      must(rd_kafka_send_offsets_to_transaction(producer_->get(), offsets.get(), group.get(),
                                                kTimeoutMs),
           "send_offsets_to_transaction");
      must(rd_kafka_commit_transaction(producer_->get(), kTimeoutMs), "commit_transaction");
    } else {
      must(rd_kafka_flush(producer_->get(), kTimeoutMs), "flushing");
      must(rd_kafka_commit(consumer_->get(), offsets.get(), 0), "committing offsets");
    }
    open_ = false;
    commit_ms_.push_back(std::chrono::duration<double, std::milli>(Clock::now() - started).count());
  }

  struct TopicDeleter {
    void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
  };

  const char* const input_;
  const std::chrono::milliseconds commit_interval_;
  const bool exactly_once_;
  const bool forever_;
  std::unique_ptr<stream::KafkaClient> consumer_;
  stream::QueuePtr queue_;
  std::unique_ptr<stream::KafkaClient> producer_;
  std::unique_ptr<rd_kafka_topic_t, TopicDeleter> output_;
  std::map<std::int32_t, std::int64_t> next_;
  int assigned_ = 0;
  int ended_ = 0;      // partitions that were read to their end; nobody writes to them any more
  bool open_ = false;  // something was produced since the last commit
  Clock::time_point began_;
  std::uint64_t records_ = 0;
  std::vector<double> commit_ms_;
};

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  const std::string_view mode = argc >= 7 ? argv[6] : "";
  const bool forever = argc == 8 && argv[7] == std::string_view("forever");
  if (argc != (forever ? 8 : 7) || (mode != "exactly-once" && mode != "at-least-once")) {
    die("usage: bench_passthrough BROKERS INPUT OUTPUT GROUP COMMIT_MS exactly-once|at-least-once "
        "[forever]");
  }
  Passthrough passthrough(argv[1], argv[2], argv[3], argv[4], std::atoi(argv[5]),
                          mode == "exactly-once", forever);
  passthrough.run();
  passthrough.print();
}
