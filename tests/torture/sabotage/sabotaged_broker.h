// A Kafka broker with one fault planted in it, named by the variable WEIR_SABOTAGE: for a weir that
// must break its promises under torture. No production program holds any of this: weir_sabotaged
// compiles cli/context.cc once more, with this class in the place of KafkaBroker (CMakeLists.txt
// beside it).
//
//   commits-the-last-offset  the offset of the last record, in the place of the next one
//   commits-no-offsets       predictions without the offsets that they came from
//   commits-fail             no fault of the program: some commits are refused, and of some that
//                            took place the answer is lost; all promises must hold
//   does-not-rewind          the same, and then the source goes on where it was
//   does-not-fence           who did not halt in time is not shut out; and before each commit a
//                            scorer dwells, as it is there that being stopped does harm
//   hears-of-halts-late      for scorers: a halt is read together with its resume
//
// Owner: cli. Threads: as KafkaBroker. Errors: those of KafkaBroker; kBadConfig for an unknown
// name.
#pragma once

#include "stream/kafka_broker.h"

namespace weir::stream {

class SabotagedBroker final : public Broker {
 public:
  static Result<std::unique_ptr<SabotagedBroker>> make(const KafkaProperties& properties,
                                                       const KafkaTimeouts& timeouts = {},
                                                       const CrashPoints& crash_points = {});

  Status ensure_topics(const std::vector<TopicSpec>& topics, Millis timeout) override;
  Result<std::unique_ptr<RecordSource>> open_source(
      const std::string& topic, const std::string& group, const std::string& member,
      RebalanceListener& listener, const std::vector<std::string>& evidence) override;
  Result<std::unique_ptr<TransactionalSink>> open_sink(const std::string& transactional_id,
                                                       Millis timeout,
                                                       Places places = Places::kNotTold) override;
  Result<std::unique_ptr<RecordPublisher>> open_publisher() override;
  Result<std::unique_ptr<LogReader>> open_log(const std::string& topic, StartAt start,
                                              std::int64_t time_ms) override;
  Result<std::unique_ptr<TopicHistory>> open_history(const std::string& topic,
                                                     const HistoryStart& start) override;
  Result<std::unique_ptr<TopicTail>> open_tail(const std::string& topic,
                                               const TailStart& start) override;
  Result<std::vector<PartitionOffset>> committed_offsets(const std::string& group,
                                                         const std::string& topic,
                                                         Millis timeout) override;
  Result<std::vector<PartitionOffset>> log_ends(const std::string& topic, Millis timeout) override;
  Result<std::unique_ptr<Leadership>> open_leadership(const std::string& topic,
                                                      const std::string& group,
                                                      const std::string& member) override;
  Status fence(const std::string& transactional_id, Millis timeout) override;

 private:
  SabotagedBroker(std::unique_ptr<KafkaBroker> inner, std::string sabotage)
      : inner_(std::move(inner)), sabotage_(std::move(sabotage)) {}

  const std::unique_ptr<KafkaBroker> inner_;
  const std::string sabotage_;
};

}  // namespace weir::stream
