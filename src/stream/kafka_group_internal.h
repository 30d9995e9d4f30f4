// What source and leadership do with a consumer group, as free functions over a client.
//
// Threads: the client's. Errors: as kafka_error gives them; kCorrupt from find_starts.
#pragma once

#include "stream/kafka_client_internal.h"
#include "stream/records.h"

namespace weir::stream {

struct GroupMetadataDeleter {
  void operator()(rd_kafka_consumer_group_metadata_t* metadata) const {
    rd_kafka_consumer_group_metadata_destroy(metadata);
  }
};

class KafkaGroupMetadata final : public GroupMetadata {
 public:
  // What the group says that this consumer is; null where it is no member.
  static std::shared_ptr<const KafkaGroupMetadata> now(rd_kafka_t* consumer);
  const rd_kafka_consumer_group_metadata_t* get() const { return metadata_.get(); }
  std::string group() const { return rd_kafka_consumer_group_metadata_group_id(metadata_.get()); }

 private:
  std::unique_ptr<rd_kafka_consumer_group_metadata_t, GroupMetadataDeleter> metadata_;
};

PartitionListPtr list_of(const std::string& topic, const std::vector<std::int32_t>& partitions);

Status subscribe(const KafkaClient& client, const std::string& topic);

// Fills in the committed offsets, negative where there is none. Waits out a transaction that has
// offsets of these partitions pending.
// `wanted`: the right on their topic that the caller needs it for.
Status look_up_committed(const KafkaClient& client, const KafkaRight& wanted,
                         rd_kafka_topic_partition_list_t& partitions, Millis timeout);

// Whether any record was ever committed to this topic, as far as can be seen.
Result<bool> ever_written(const KafkaClientFactory& factory, const std::string& topic,
                          Millis timeout);

// Called where the group has committed nothing in the whole topic: may it be a first start?
using FirstStartCheck = std::function<Status()>;

// Fills in where the group begins in each of these partitions, by the rule of start_offset.h.
// `patience`: with a transaction that hides committed offsets; `timeout`: with all else.
Status find_starts(const KafkaClient& client, const std::string& topic,
                   rd_kafka_topic_partition_list_t& partitions, const FirstStartCheck& first_start,
                   Millis patience, Millis timeout);

// Has librdkafka forget what it fetched of these partitions and fetch from these offsets, at once.
Status seek_all(const KafkaClient& client, const rd_kafka_topic_partition_list_t& offsets,
                Millis timeout);

// Calls the rebalance callback for the last time, leaves, and returns after `timeout` at most. A
// member with an instance name leaves, too, though librdkafka would have it stay until its session
// is over: nobody is to wait for one that says goodbye.
void leave_group(const KafkaClient& client, rd_kafka_queue_t& queue, Millis timeout);

}  // namespace weir::stream
