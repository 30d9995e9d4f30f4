#include <algorithm>
#include <set>
#include <thread>

#include "stream/kafka_group_internal.h"
#include "stream/start_offset.h"

namespace weir::stream {
namespace {

constexpr Millis kMetadataSlice{2000};
constexpr Millis kCoordinatorSlice{2000};
// The request dies with it, and takes the connection along: longer than a fetch before it may wait.
constexpr Millis kWakePatience{2'000};

// Who only looks needs no more of the group than of the topic.
KafkaRight group_right(const KafkaClient& client, const KafkaRight& on_topic) {
  return {on_topic.operation, "group", kafka_property(client.get(), "group.id")};
}

// The first partition that has an error of its own.
Status first_error(const KafkaClient& client, const KafkaRight& wanted,
                   const rd_kafka_topic_partition_list_t& list) {
  for (int i = 0; i < list.cnt; ++i) {
    const auto& at = list.elems[i];
    if (at.err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    return fail(
        client.error(at.err, wanted)
            .while_doing(std::string(at.topic) + " partition " + std::to_string(at.partition)));
  }
  return {};
}

// librdkafka's thread for a broker sleeps for up to a second where all that it has to fetch is
// paused, and neither resuming nor seeking wakes it. A question to the leader of each partition
// does; nobody minds the answer.
void wake_fetchers(const KafkaClient& client, const rd_kafka_topic_partition_list_t& partitions) {
  const PartitionListPtr ends(rd_kafka_topic_partition_list_copy(&partitions));
  for (int i = 0; i < ends->cnt; ++i) ends->elems[i].offset = RD_KAFKA_OFFSET_END;
  rd_kafka_offsets_for_times(client.get(), ends.get(), milliseconds(kWakePatience));
}

struct MetadataDeleter {
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
};

Result<bool> any_committed(const KafkaClient& client, const std::string& topic, Millis patience,
                           Millis timeout) {
  const int count = WEIR_TRY(kafka_partition_count(client, to_read(topic), timeout));
  const PartitionListPtr all(rd_kafka_topic_partition_list_new(count));
  rd_kafka_topic_partition_list_add_range(all.get(), topic.c_str(), 0, count - 1);
  WEIR_TRY(look_up_committed(client, to_read(topic), *all, patience));
  return std::any_of(all->elems, all->elems + all->cnt,
                     [](const auto& at) { return at.offset >= 0; });
}

// For a client that is no member. librdkafka waits in silence for a coordinator that this user may
// not ask about; it says so where a member would look for records.
Status look_up_of_another(const KafkaClient& client, const KafkaRight& wanted,
                          rd_kafka_topic_partition_list_t& partitions, SteadyTime deadline) {
  for (;;) {
    const Millis slice = std::min(left_until(deadline), kCoordinatorSlice);
    Status found = look_up_committed(client, wanted, partitions, slice);
    if (found || found.error().code() != Code::kTimeout) return found;
    rd_kafka_message_t* message = rd_kafka_consumer_poll(client.get(), 0);
    if (message) {
      const KafkaRight of_group = group_right(client, wanted);
      const Error said = client.error(message->err, rd_kafka_message_errstr(message), &of_group);
      rd_kafka_message_destroy(message);
      if (said.code() == Code::kPermissionDenied) return fail(said);
    }
    if (left_until(deadline) == Millis(0)) return found;
  }
}

}  // namespace

Result<int> kafka_partition_count(const KafkaClient& client, const KafkaRight& wanted,
                                  Millis timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  const std::string& topic = wanted.name;
  const std::unique_ptr<rd_kafka_topic_t, TopicHandleDeleter> handle(
      rd_kafka_topic_new(client.get(), topic.c_str(), nullptr));
  if (!handle) return fail(client.error(rd_kafka_last_error()));
  const rd_kafka_metadata_t* raw = nullptr;
  // In slices, as a login that is refused will not be taken later on.
  for (;;) {
    const Millis slice = std::min(left_until(deadline), kMetadataSlice);
    const auto error = rd_kafka_metadata(client.get(), 0, handle.get(), &raw, milliseconds(slice));
    if (!error) break;
    if (auto refused = client.refused_login()) return fail(std::move(*refused));
    const bool again = kafka_error(error).retryable() && left_until(deadline) > Millis(0);
    if (!again) return fail(client.first_error(error));
  }
  const std::unique_ptr<const rd_kafka_metadata_t, MetadataDeleter> metadata(raw);
  if (metadata->topic_cnt < 1) return fail(Code::kNotFound, "no topic " + topic);
  if (const auto error = metadata->topics[0].err) return fail(client.error(error, wanted));
  return metadata->topics[0].partition_cnt;
}

std::shared_ptr<const KafkaGroupMetadata> KafkaGroupMetadata::now(rd_kafka_t* consumer) {
  auto metadata = std::make_shared<KafkaGroupMetadata>();
  metadata->metadata_.reset(rd_kafka_consumer_group_metadata(consumer));
  const auto* raw = metadata->metadata_.get();
  if (!raw || rd_kafka_consumer_group_metadata_generation_id(raw) < 0) return nullptr;
  const char* member = rd_kafka_consumer_group_metadata_member_id(raw);
  if (!member || !*member) return nullptr;
  return metadata;
}

PartitionListPtr list_of(const std::string& topic, const std::vector<std::int32_t>& partitions) {
  PartitionListPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const std::int32_t partition : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition);
  }
  return list;
}

Status subscribe(const KafkaClient& client, const std::string& topic) {
  const PartitionListPtr topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  if (const auto error = rd_kafka_subscribe(client.get(), topics.get())) {
    return fail(client.error(error));
  }
  return {};
}

Status look_up_committed(const KafkaClient& client, const KafkaRight& wanted,
                         rd_kafka_topic_partition_list_t& partitions, Millis timeout) {
  for (int i = 0; i < partitions.cnt; ++i) partitions.elems[i].offset = RD_KAFKA_OFFSET_INVALID;
  if (const auto error = rd_kafka_committed(client.get(), &partitions, milliseconds(timeout))) {
    return fail(client.error(error, group_right(client, wanted)));
  }
  return first_error(client, wanted, partitions);
}

Result<std::vector<PartitionOffset>> kafka_committed_offsets(const KafkaClientFactory& factory,
                                                             const std::string& group,
                                                             const std::string& topic,
                                                             Millis timeout) {
  const auto look_up = [&]() -> Result<std::vector<PartitionOffset>> {
    const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
    const auto client = WEIR_TRY(
        factory.consumer(group, "offsets", std::make_shared<KafkaClientContext>("offsets")));
    const int count = WEIR_TRY(kafka_partition_count(*client, to_describe(topic), timeout));
    const PartitionListPtr all(rd_kafka_topic_partition_list_new(count));
    rd_kafka_topic_partition_list_add_range(all.get(), topic.c_str(), 0, count - 1);
    WEIR_TRY(look_up_of_another(*client, to_describe(topic), *all, deadline));
    std::vector<PartitionOffset> found;
    for (int i = 0; i < all->cnt; ++i) {
      const auto& at = all->elems[i];
      if (at.offset >= 0) found.push_back({at.partition, at.offset});
    }
    return found;
  };
  return during(look_up(), "looking up the offsets of group " + group + " in " + topic);
}

Status find_starts(const KafkaClient& client, const std::string& topic,
                   rd_kafka_topic_partition_list_t& partitions, const FirstStartCheck& first_start,
                   Millis patience, Millis timeout) {
  WEIR_TRY(look_up_committed(client, to_read(topic), partitions, patience));
  std::optional<bool> anywhere;
  for (int i = 0; i < partitions.cnt; ++i) {
    auto& at = partitions.elems[i];
    if (at.offset >= 0) continue;  // the fetch will tell if the log no longer has it
    if (!anywhere) {
      anywhere = WEIR_TRY(any_committed(client, topic, patience, timeout));
      if (!*anywhere) {
        Status first = first_start();
        // Another member may have committed its first answers since, and offsets with them.
        if (!first && first.error().code() == Code::kCorrupt) {
          anywhere = WEIR_TRY(any_committed(client, topic, patience, timeout));
        }
        if (!*anywhere) WEIR_TRY(std::move(first));
      }
    }
    std::int64_t low = 0;
    std::int64_t high = 0;
    if (const auto error = rd_kafka_query_watermark_offsets(
            client.get(), topic.c_str(), at.partition, &low, &high, milliseconds(timeout))) {
      return fail(client.error(error, to_read(topic)));
    }
    at.offset = WEIR_TRY(start_offset({topic, at.partition, std::nullopt, low}, *anywhere));
  }
  return {};
}

Result<bool> ever_written(const KafkaClientFactory& factory, const std::string& topic,
                          Millis timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  const auto client = WEIR_TRY(
      factory.consumer("", "evidence", std::make_shared<KafkaClientContext>("evidence " + topic)));
  const int count = WEIR_TRY(kafka_partition_count(*client, to_read(topic), timeout));
  const QueuePtr queue(rd_kafka_queue_new(client->get()));
  const std::unique_ptr<rd_kafka_topic_t, TopicHandleDeleter> handle(
      rd_kafka_topic_new(client->get(), topic.c_str(), nullptr));
  std::set<std::int32_t> unread;
  bool written = false;
  for (int partition = 0; partition < count && !written; ++partition) {
    std::int64_t low = 0;
    std::int64_t high = 0;
    if (const auto error =
            rd_kafka_query_watermark_offsets(client->get(), topic.c_str(), partition, &low, &high,
                                             milliseconds(left_until(deadline)))) {
      return fail(client->error(error, to_read(topic)));
    }
    written = low > 0;  // retention cut off what was there
    if (high == low) continue;
    if (rd_kafka_consume_start_queue(handle.get(), partition, low, queue.get())) {
      return fail(client->error(rd_kafka_last_error()));
    }
    unread.insert(partition);
  }
  // Aborted records and markers take up offsets, too: only reading tells.
  std::optional<Error> denied;
  while (!written && !unread.empty() && !denied) {
    if (left_until(deadline) == Millis(0)) return fail(client->error(RD_KAFKA_RESP_ERR__TIMED_OUT));
    rd_kafka_message_t* message = nullptr;
    if (rd_kafka_consume_batch_queue(queue.get(), 100, &message, 1) != 1) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) written = true;
    // It may come again where only marks came meanwhile.
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) unread.erase(message->partition);
    if (message->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
      denied = client->error(message->err, to_read(topic));
    }
    rd_kafka_message_destroy(message);
  }
  for (int partition = 0; partition < count; ++partition) {
    static_cast<void>(rd_kafka_consume_stop(handle.get(), partition));
  }
  if (denied) return fail(std::move(*denied));
  return written;
}

Status seek_all(const KafkaClient& client, const rd_kafka_topic_partition_list_t& offsets,
                Millis timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const PartitionListPtr list(rd_kafka_topic_partition_list_copy(&offsets));
    const KafkaErrorPtr error(
        rd_kafka_seek_partitions(client.get(), list.get(),
                                 // With 0 it would not wait, and say of each that it is under way.
                                 milliseconds(std::max(left_until(deadline), Millis(20)))));
    Status status =
        error ? Status(fail(client.error(*error))) : first_error(client, to_read(""), *list);
    if (status) {
      wake_fetchers(client, offsets);
      return status;
    }
    // A partition that was assigned a moment ago may not have begun to be fetched.
    if (left_until(deadline) == Millis(0))
      return fail(Code::kUnavailable, status.error().message());
    std::this_thread::sleep_for(Millis(5));
  }
}

void leave_group(const KafkaClient& client, rd_kafka_queue_t& queue, Millis timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  const auto serve = [&] {
    rd_kafka_message_t* message = nullptr;
    if (rd_kafka_consume_batch_queue(&queue, 20, &message, 1) == 1) {
      rd_kafka_message_destroy(message);
    }
  };
  if (!kafka_property(client.get(), "group.instance.id").empty()) {
    // Closing says no goodbye for such a member, unsubscribing does; it loses its id with that.
    rd_kafka_unsubscribe(client.get());
    while (KafkaGroupMetadata::now(client.get()) && left_until(deadline) > Millis(0)) serve();
  }
  const KafkaErrorPtr error(rd_kafka_consumer_close_queue(client.get(), &queue));
  if (error) return;
  while (!rd_kafka_consumer_closed(client.get()) && left_until(deadline) > Millis(0)) serve();
}

}  // namespace weir::stream
