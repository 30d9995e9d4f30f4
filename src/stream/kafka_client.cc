#include <array>
#include <future>
#include <thread>

#include "base/log.h"
#include "stream/kafka_client_internal.h"

namespace weir::stream {
namespace {

constexpr Millis kWarnEvery{30000};
constexpr int kSyslogError = 3;

KafkaClientContext* context_of(const rd_kafka_t* client) {
  return static_cast<KafkaClientContext*>(rd_kafka_opaque(client));
}

void log_callback(const rd_kafka_t* client, int level, const char* facility, const char* text) {
  if (!client) return;
  context_of(client)->log(level, facility, text);
}

void error_callback(rd_kafka_t* client, int error, const char* reason, void* opaque) {
  static_cast<KafkaClientContext*>(opaque)->on_error(
      client, static_cast<rd_kafka_resp_err_t>(error), reason);
}

void rebalance_callback(rd_kafka_t*, rd_kafka_resp_err_t change,
                        rd_kafka_topic_partition_list_t* partitions, void* opaque) {
  const auto& on_rebalance = static_cast<KafkaClientContext*>(opaque)->on_rebalance;
  if (on_rebalance) on_rebalance(change, partitions);
}

void delivery_callback(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  const auto& context = *static_cast<KafkaClientContext*>(opaque);
  const bool delivered = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
  const auto& hears = delivered ? context.on_delivered : context.on_delivery_error;
  if (hears) hears(*message);
}

}  // namespace

void KafkaClientContext::log(int level, std::string_view facility, std::string_view text) {
  // Brokers that come and go are what librdkafka has most to say about; it says it again and again.
  bool loud = false;
  {
    const std::lock_guard lock(mutex_);
    if (level <= kSyslogError) {
      last_words_ = std::string(text);
      const auto now = std::chrono::steady_clock::now();
      loud = !warned_ || now - last_warning_ > kWarnEvery;
      if (loud) {
        warned_ = true;
        last_warning_ = now;
      }
    }
  }
  weir::log::write(loud ? log::Level::kWarn : log::Level::kDebug, "kafka",
                   {{"client", name_}, {"about", facility}, {"text", text}});
}

void KafkaClientContext::on_error(rd_kafka_t* client, rd_kafka_resp_err_t error,
                                  const char* reason) {
  const std::string words = reason ? reason : "";
  log(kSyslogError, rd_kafka_err2name(error), words);
  const std::lock_guard lock(mutex_);
  switch (error) {
    case RD_KAFKA_RESP_ERR__FATAL: trouble_ = kafka_error(client, error, reason); break;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
      trouble_ = Error(kafka_error(error).code(),
                       words +
                           " (look at kafka.sasl.username, kafka.sasl.password and "
                           "kafka.sasl.mechanism)");
      break;
    // It follows the others, and says less.
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
      if (!trouble_ || trouble_->retryable()) trouble_ = kafka_error(error, reason);
      break;
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__SSL: trouble_ = kafka_error(error, reason); break;
    // One broker, perhaps of several: mostly the client finds its way.
    default: passing_ = kafka_error(client, error, reason);
  }
}

std::optional<Error> KafkaClientContext::take_refused_login() {
  const std::lock_guard lock(mutex_);
  if (!trouble_ || trouble_->retryable()) return std::nullopt;
  return std::exchange(trouble_, std::nullopt);
}

std::optional<Error> KafkaClientContext::take_trouble(bool passing_too) {
  const std::lock_guard lock(mutex_);
  std::optional<Error> passing = std::exchange(passing_, std::nullopt);
  if (trouble_) return std::exchange(trouble_, std::nullopt);
  return passing_too ? passing : std::nullopt;
}

std::string KafkaClientContext::last_words() const {
  const std::lock_guard lock(mutex_);
  return last_words_;
}

Result<std::unique_ptr<KafkaClient>> KafkaClient::make(rd_kafka_type_t type, ConfPtr conf,
                                                       std::shared_ptr<KafkaClientContext> context,
                                                       Millis close_timeout) {
  rd_kafka_conf_set_opaque(conf.get(), context.get());
  rd_kafka_conf_set_log_cb(conf.get(), log_callback);
  rd_kafka_conf_set_error_cb(conf.get(), error_callback);
  if (context->on_rebalance) rd_kafka_conf_set_rebalance_cb(conf.get(), rebalance_callback);
  if (context->on_delivery_error) rd_kafka_conf_set_dr_msg_cb(conf.get(), delivery_callback);
  std::array<char, 512> reason{};
  rd_kafka_t* client = rd_kafka_new(type, conf.get(), reason.data(), reason.size());
  if (!client) {
    const rd_kafka_resp_err_t error = rd_kafka_last_error();
    const bool exhausted = error == RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE;
    return fail(exhausted ? Code::kExhausted : Code::kBadConfig, reason.data());
  }
  static_cast<void>(conf.release());                              // the client owns it now
  if (context->on_rebalance) rd_kafka_poll_set_consumer(client);  // a member of a group
  return std::unique_ptr<KafkaClient>(new KafkaClient(client, std::move(context), close_timeout));
}

KafkaClient::KafkaClient(rd_kafka_t* client, std::shared_ptr<KafkaClientContext> context,
                         Millis close_timeout)
    : client_(client), context_(std::move(context)), close_timeout_(close_timeout) {}

KafkaClient::~KafkaClient() {
  context_->on_rebalance = nullptr;
  context_->on_delivery_error = nullptr;
  context_->on_delivered = nullptr;
  if (rd_kafka_type(client_) == RD_KAFKA_PRODUCER) {
    rd_kafka_purge(client_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                RD_KAFKA_PURGE_F_NON_BLOCKING);
  }
  const Inside call("ending a kafka client");
  // rd_kafka_destroy has been seen to hang, and a role must not hang with it.
  std::promise<void> ended;
  std::future<void> end = ended.get_future();
  std::thread([client = client_, context = context_, ended = std::move(ended)]() mutable {
    rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    context.reset();
    ended.set_value();
  }).detach();
  if (end.wait_for(close_timeout_) == std::future_status::timeout) {
    weir::log::warn("a kafka client does not end; going on without it",
                    {{"last_words", context_->last_words()}});
  }
}

Error KafkaClient::explained(Error error) const {
  if (error.code() != Code::kTimeout && error.code() != Code::kUnavailable) return error;
  const std::string words = context_->last_words();
  if (words.empty()) return error;
  return Error(error.code(), error.reason() + "; last heard: " + words);
}

Error KafkaClient::error(rd_kafka_resp_err_t code, const char* detail,
                         const KafkaRight* wanted) const {
  return explained(kafka_error(client_, code, detail, wanted));
}

Error KafkaClient::error(const rd_kafka_error_t& error) const {
  Error plain = kafka_error(error);
  if (plain.code() != Code::kPermissionDenied) return explained(std::move(plain));
  return kafka_error(client_, rd_kafka_error_code(&error), rd_kafka_error_string(&error));
}

Error KafkaClient::first_error(rd_kafka_resp_err_t code, const char* detail) const {
  Error plain = error(code, detail);
  if (!plain.retryable() || !context_->last_words().empty()) return plain;
  return Error(plain.code(), plain.reason() +
                                 "; no broker has said a word: does "
                                 "kafka.security.protocol, '" +
                                 kafka_property(client_, "security.protocol") +
                                 "', fit the listener?");
}

std::optional<Error> KafkaClient::refused_login() const {
  // Has the error callback called. Of a member of a group it would take records.
  if (!context_->on_rebalance) rd_kafka_poll(client_, 0);
  return context_->take_refused_login();
}

KafkaClientFactory::Made KafkaClientFactory::consumer(const std::string& group,
                                                      const std::string& member, Context context,
                                                      const KafkaProperties& tuning) const {
  // The queue limits are what a fast reader needs between two fetches: past them librdkafka waits,
  // by default for a whole second.
  KafkaProperties defaults = {
      {"client.id", "weir-" + member},
      {"session.timeout.ms", "10000"},
      {"heartbeat.interval.ms", "1000"},
      {"max.poll.interval.ms", "300000"},
      // Partitions that are added to a topic are dealt at a rebalance, which begins where the
      // leader of the group sees them.
      {"topic.metadata.refresh.interval.ms", "10000"},
      {"queued.min.messages", "200000"},
      {"queued.max.messages.kbytes", "65536"},
      {"fetch.queue.backoff.ms", "1"},
      {"fetch.wait.max.ms", "100"},
      {"fetch.message.max.bytes", "4194304"},
      {"fetch.error.backoff.ms", "100"},
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "2000"},
      {"check.crcs", "true"},
      {"log.connection.close", "false"},
  };
  for (const auto& [name, value] : tuning) defaults[name] = value;
  KafkaProperties owned = {
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"isolation.level", "read_committed"},
      {"auto.offset.reset", "error"},
      {"enable.partition.eof", "true"},
      {"allow.auto.create.topics", "false"},
      {"partition.assignment.strategy", "range"},
  };
  if (!group.empty()) owned["group.id"] = group;
  ConfPtr conf = WEIR_TRY(make_conf(RD_KAFKA_CONSUMER, defaults, properties_, owned));
  return KafkaClient::make(RD_KAFKA_CONSUMER, std::move(conf), std::move(context), timeouts_.close);
}

KafkaClientFactory::Made KafkaClientFactory::producer(const std::string& transactional_id,
                                                      Context context) const {
  // lz4, as zstd can stall librdkafka. The waits are short, as each transaction pays for them.
  KafkaProperties defaults = {
      {"client.id", "weir-" + (transactional_id.empty() ? "producer" : transactional_id)},
      {"compression.type", "lz4"},
      {"linger.ms", "5"},
      {"batch.size", "1000000"},
      {"batch.num.messages", "50000"},
      {"queue.buffering.max.messages", "500000"},
      {"queue.buffering.max.kbytes", "131072"},
      {"message.timeout.ms", "20000"},
      {"retry.backoff.ms", "10"},
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "2000"},
      {"log.connection.close", "false"},
  };
  KafkaProperties owned = {
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"partitioner", "murmur2_random"},
      {"delivery.report.only.error", context->on_delivered ? "false" : "true"},
  };
  if (!transactional_id.empty()) {
    for (const auto& [name, value] : transaction_bounds(properties_, timeouts_.transaction)) {
      defaults[name] = value;
    }
    owned["transactional.id"] = transactional_id;
  }
  ConfPtr conf = WEIR_TRY(make_conf(RD_KAFKA_PRODUCER, defaults, properties_, owned));
  return KafkaClient::make(RD_KAFKA_PRODUCER, std::move(conf), std::move(context), timeouts_.close);
}

}  // namespace weir::stream
