#include <algorithm>

#include "stream/kafka_producer_internal.h"

namespace weir::stream {
namespace {

// librdkafka writes to neither, whatever its signatures say: RD_KAFKA_MSG_F_COPY.
void* unconst(std::string_view bytes) {
  static constexpr char kEmpty = 0;  // a null pointer would be an absent key, or a tombstone
  return const_cast<char*>(bytes.data() ? bytes.data() : &kEmpty);
}

rd_kafka_resp_err_t enqueue_with_headers(rd_kafka_t* client, rd_kafka_topic_t* topic,
                                         const OutRecord& record) {
  rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers->size());
  for (const auto& [name, value] : *record.headers) {
    rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  const std::string_view key = record.key.value_or(std::string_view());
  rd_kafka_vu_t fields[7] = {};
  fields[0].vtype = RD_KAFKA_VTYPE_RKT;
  fields[0].u.rkt = topic;
  fields[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  fields[1].u.i32 = record.partition.value_or(RD_KAFKA_PARTITION_UA);
  fields[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  fields[2].u.i = RD_KAFKA_MSG_F_COPY;
  fields[3].vtype = RD_KAFKA_VTYPE_KEY;
  fields[3].u.mem = {record.key ? unconst(key) : nullptr, key.size()};
  fields[4].vtype = RD_KAFKA_VTYPE_VALUE;
  fields[4].u.mem = {record.null_value ? nullptr : unconst(record.value), record.value.size()};
  fields[5].vtype = RD_KAFKA_VTYPE_HEADERS;
  fields[5].u.headers = headers;
  fields[6].vtype = RD_KAFKA_VTYPE_OPAQUE;
  fields[6].u.ptr = record.place;
  const KafkaErrorPtr error(rd_kafka_produceva(client, fields, 7));
  if (!error) return RD_KAFKA_RESP_ERR_NO_ERROR;  // the message owns the headers now
  rd_kafka_headers_destroy(headers);
  return rd_kafka_error_code(error.get());
}

}  // namespace

Result<std::unique_ptr<KafkaProducer>> KafkaProducer::make(const KafkaClientFactory& factory,
                                                           const std::string& transactional_id,
                                                           Places places) {
  std::unique_ptr<KafkaProducer> made(new KafkaProducer());
  auto context = std::make_shared<KafkaClientContext>(
      transactional_id.empty() ? "publisher" : "sink " + transactional_id);
  context->on_delivery_error = [self = made.get()](const rd_kafka_message_t& message) {
    ++self->given_up_;
    // Purged by us, or by librdkafka after an error that says more.
    const bool purged = message.err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
                        message.err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
    if (self->delivery_error_ || purged) return;
    const std::string topic = rd_kafka_topic_name(message.rkt);
    const KafkaRight wanted = to_write(topic);
    self->delivery_error_ =
        kafka_error(self->get(), message.err, rd_kafka_message_produce_errstr(&message), &wanted)
            .while_doing("writing to " + topic);
  };
  if (places == Places::kTold) {
    context->on_delivered = [](const rd_kafka_message_t& message) {
      auto* place = static_cast<Place*>(message._private);
      if (place) *place = {message.partition, message.offset};
    };
  }
  made->client_ = WEIR_TRY(factory.producer(transactional_id, context));
  made->queue_full_timeout_ = factory.timeouts().queue_full;
  return made;
}

KafkaProducer::~KafkaProducer() { topics_.clear(); }

Status KafkaProducer::send(const OutRecord& record) {
  rd_kafka_topic_t* to = WEIR_TRY(topic(record.topic));
  rd_kafka_resp_err_t error = enqueue(to, record);
  if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
    const Inside call("waiting for room in the queue to the brokers");
    const SteadyTime deadline = std::chrono::steady_clock::now() + queue_full_timeout_;
    while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL && left_until(deadline) > Millis(0)) {
      rd_kafka_poll(get(), 2);
      error = enqueue(to, record);
    }
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      return fail(
          client_->error(RD_KAFKA_RESP_ERR__TIMED_OUT, "the queue to the brokers stays full"));
    }
  }
  if (!error) return {};
  const std::string topic_name(record.topic);
  return fail(client_->error(error, to_write(topic_name)).while_doing("writing to " + topic_name));
}

rd_kafka_resp_err_t KafkaProducer::enqueue(rd_kafka_topic_t* topic, const OutRecord& record) {
  if (record.headers && !record.headers->empty()) return enqueue_with_headers(get(), topic, record);
  const std::string_view key = record.key.value_or(std::string_view());
  const int failed =
      rd_kafka_produce(topic, record.partition.value_or(RD_KAFKA_PARTITION_UA), RD_KAFKA_MSG_F_COPY,
                       record.null_value ? nullptr : unconst(record.value), record.value.size(),
                       record.key ? unconst(key) : nullptr, key.size(), record.place);
  return failed ? rd_kafka_last_error() : RD_KAFKA_RESP_ERR_NO_ERROR;
}

Result<rd_kafka_topic_t*> KafkaProducer::topic(std::string_view name) {
  if (last_topic_ && name == last_name_) return last_topic_;
  auto found = topics_.find(name);
  if (found == topics_.end()) {
    TopicHandle made(rd_kafka_topic_new(get(), std::string(name).c_str(), nullptr));
    if (!made) return fail(client_->error(rd_kafka_last_error()));
    found = topics_.emplace(std::string(name), std::move(made)).first;
  }
  last_topic_ = found->second.get();
  last_name_ = found->first;
  return last_topic_;
}

std::vector<std::string> KafkaProducer::topics() const {
  std::vector<std::string> names;
  for (const auto& [name, handle] : topics_) names.push_back(name);
  return names;
}

std::uint64_t KafkaProducer::undelivered() const {
  return given_up_ + static_cast<std::uint64_t>(std::max(0, rd_kafka_outq_len(get())));
}

std::optional<Error> KafkaProducer::take_delivery_error() {
  return std::exchange(delivery_error_, std::nullopt);
}

}  // namespace weir::stream
