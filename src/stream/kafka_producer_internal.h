// What the transactional sink and the publisher share: getting one record into librdkafka's queue.
//
// Threads: one. Errors: kInvalidArgument for a record that no broker will take; kTimeout where the
// queue stays full; else as kafka_error gives them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "stream/kafka_client_internal.h"
#include "stream/records.h"
#include "stream/transactional_sink.h"

namespace weir::stream {

class KafkaProducer {
 public:
  static Result<std::unique_ptr<KafkaProducer>> make(const KafkaClientFactory& factory,
                                                     const std::string& transactional_id,
                                                     Places places = Places::kNotTold);
  ~KafkaProducer();

  Status send(const OutRecord& record);
  // The first record that was not delivered since the last call, if any.
  std::optional<Error> take_delivery_error();
  std::uint64_t undelivered() const;
  std::vector<std::string> topics() const;  // written to so far
  rd_kafka_t* get() const { return client_->get(); }
  const KafkaClient& client() const { return *client_; }

 private:
  KafkaProducer() = default;
  Result<rd_kafka_topic_t*> topic(std::string_view name);
  rd_kafka_resp_err_t enqueue(rd_kafka_topic_t* topic, const OutRecord& record);

  using TopicHandle = std::unique_ptr<rd_kafka_topic_t, TopicHandleDeleter>;
  std::unique_ptr<KafkaClient> client_;
  Millis queue_full_timeout_{0};
  std::map<std::string, TopicHandle, std::less<>> topics_;
  rd_kafka_topic_t* last_topic_ = nullptr;  // most sends go where the one before went
  std::string last_name_;
  std::optional<Error> delivery_error_;
  std::uint64_t given_up_ = 0;
};

}  // namespace weir::stream
