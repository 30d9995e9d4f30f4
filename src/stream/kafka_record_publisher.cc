#include "stream/kafka_producer_internal.h"
#include "stream/transactional_sink.h"

namespace weir::stream {
namespace {

class KafkaRecordPublisher final : public RecordPublisher {
 public:
  explicit KafkaRecordPublisher(std::unique_ptr<KafkaProducer> producer)
      : producer_(std::move(producer)) {}

  Status send(const OutRecord& record) override {
    if (++since_poll_ == kSendsPerPoll) {  // delivery reports, else they pile up until flush()
      since_poll_ = 0;
      rd_kafka_poll(producer_->get(), 0);
    }
    return producer_->send(record);
  }

  Status flush(std::chrono::milliseconds timeout) override {
    const Inside call("waiting for records to be acknowledged");
    const auto error = rd_kafka_flush(producer_->get(), milliseconds(timeout));
    if (auto undelivered = producer_->take_delivery_error()) return fail(std::move(*undelivered));
    if (error) return fail(producer_->client().error(error));
    return {};
  }

  std::uint64_t undelivered() const override { return producer_->undelivered(); }

 private:
  static constexpr int kSendsPerPoll = 1000;
  const std::unique_ptr<KafkaProducer> producer_;
  int since_poll_ = 0;
};

}  // namespace

Result<std::unique_ptr<RecordPublisher>> open_kafka_publisher(const KafkaClientFactory& factory) {
  auto producer = WEIR_TRY(KafkaProducer::make(factory, ""));
  return std::make_unique<KafkaRecordPublisher>(std::move(producer));
}

}  // namespace weir::stream
