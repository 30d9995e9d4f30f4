#include "sabotaged_broker.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <thread>
#include <utility>

namespace weir::stream {
namespace {

constexpr const char* kCommitsTheLastOffset = "commits-the-last-offset";
constexpr const char* kCommitsNoOffsets = "commits-no-offsets";
constexpr const char* kCommitsFail = "commits-fail";
constexpr const char* kDoesNotRewind = "does-not-rewind";
constexpr const char* kDoesNotFence = "does-not-fence";
constexpr const char* kHearsOfHaltsLate = "hears-of-halts-late";
constexpr std::array kNames = {kCommitsTheLastOffset, kCommitsNoOffsets, kCommitsFail,
                               kDoesNotRewind,        kDoesNotFence,     kHearsOfHaltsLate};
// Of a scorer's commits, by their number.
constexpr int kRefusedEvery = 20;
constexpr int kAnswerLostEvery = 33;
constexpr std::chrono::milliseconds kDwell{300};

class SabotagedSink final : public TransactionalSink {
 public:
  SabotagedSink(std::unique_ptr<TransactionalSink> inner, const std::string& sabotage)
      : inner_(std::move(inner)),
        sabotage_(sabotage),
        fails_(sabotage == kCommitsFail || sabotage == kDoesNotRewind) {}

  Status begin() override { return inner_->begin(); }
  Status send(const OutRecord& record) override { return inner_->send(record); }
  Status commit(std::string_view source_topic, std::span<const PartitionOffset> offsets,
                const GroupMetadata* group) override {
    std::vector<PartitionOffset> changed(offsets.begin(), offsets.end());
    if (sabotage_ == kCommitsNoOffsets) changed.clear();
    if (sabotage_ == kCommitsTheLastOffset) {
      for (auto& offset : changed) --offset.next_offset;
    }
    static std::atomic<int> commits{0};  // over all sinks of the process: one that failed is spent
    const int number = group == nullptr || !fails_ ? 1 : ++commits;
    if (number % kRefusedEvery == 0) {
      WEIR_TRY(inner_->abort());
      return fail(Code::kUnavailable, "sabotage: the commit was refused");
    }
    if (sabotage_ == kDoesNotFence && group != nullptr) std::this_thread::sleep_for(kDwell);
    WEIR_TRY(inner_->commit(source_topic, changed, group));
    if (number % kAnswerLostEvery == 0) {
      return fail(Code::kUnknownOutcome, "sabotage: the answer to the commit was lost");
    }
    return {};
  }
  Status abort() override { return inner_->abort(); }

 private:
  const std::unique_ptr<TransactionalSink> inner_;
  const std::string sabotage_;
  const bool fails_;
};

class SabotagedSource final : public RecordSource {
 public:
  SabotagedSource(std::unique_ptr<RecordSource> inner, const std::string& sabotage)
      : inner_(std::move(inner)), rewinds_(sabotage != kDoesNotRewind) {}

  Result<std::unique_ptr<RecordBatch>> poll(std::size_t records_max, Millis timeout) override {
    return inner_->poll(records_max, timeout);
  }
  void set_paused(bool paused) override { inner_->set_paused(paused); }
  Status rewind_to_committed() override {
    return rewinds_ ? inner_->rewind_to_committed() : Status{};
  }
  std::vector<std::int32_t> assignment() const override { return inner_->assignment(); }
  std::vector<PartitionPosition> positions() const override { return inner_->positions(); }
  bool at_end() const override { return inner_->at_end(); }
  void close() override { inner_->close(); }

 private:
  const std::unique_ptr<RecordSource> inner_;
  const bool rewinds_;
};

// Holds what begins with a halt back until something follows it.
class LateLog final : public LogReader {
 public:
  explicit LateLog(std::unique_ptr<LogReader> inner) : inner_(std::move(inner)) {}

  Result<std::vector<LogEntry>> poll(Millis timeout) override {
    return without_open_halt(WEIR_TRY(inner_->poll(timeout)));
  }
  Result<std::vector<LogEntry>> read_to_end(Millis timeout) override {
    return without_open_halt(WEIR_TRY(inner_->read_to_end(timeout)));
  }

 private:
  std::vector<LogEntry> without_open_halt(std::vector<LogEntry> entries) {
    if (held_back_) entries.insert(entries.begin(), *std::exchange(held_back_, std::nullopt));
    const bool ends_in_halt =
        !entries.empty() && entries.back().value.find(R"("halt")") != std::string::npos;
    if (ends_in_halt) {
      held_back_ = std::move(entries.back());
      entries.pop_back();
    }
    return entries;
  }

  const std::unique_ptr<LogReader> inner_;
  std::optional<LogEntry> held_back_;
};

}  // namespace

Result<std::unique_ptr<SabotagedBroker>> SabotagedBroker::make(const KafkaProperties& properties,
                                                               const KafkaTimeouts& timeouts,
                                                               const CrashPoints& crash_points) {
  const char* given = std::getenv("WEIR_SABOTAGE");
  const std::string sabotage = given == nullptr ? "" : given;
  if (std::find(kNames.begin(), kNames.end(), sabotage) == kNames.end()) {
    return fail(Code::kBadConfig, "WEIR_SABOTAGE names no fault: '" + sabotage + "'");
  }
  auto inner = WEIR_TRY(KafkaBroker::make(properties, timeouts, crash_points));
  return std::unique_ptr<SabotagedBroker>(new SabotagedBroker(std::move(inner), sabotage));
}

Status SabotagedBroker::ensure_topics(const std::vector<TopicSpec>& topics, Millis timeout) {
  return inner_->ensure_topics(topics, timeout);
}

Result<std::unique_ptr<RecordSource>> SabotagedBroker::open_source(
    const std::string& topic, const std::string& group, const std::string& member,
    RebalanceListener& listener, const std::vector<std::string>& evidence) {
  auto source = WEIR_TRY(inner_->open_source(topic, group, member, listener, evidence));
  return std::unique_ptr<RecordSource>(
      std::make_unique<SabotagedSource>(std::move(source), sabotage_));
}

Result<std::unique_ptr<TransactionalSink>> SabotagedBroker::open_sink(
    const std::string& transactional_id, Millis timeout, Places places) {
  auto sink = WEIR_TRY(inner_->open_sink(transactional_id, timeout, places));
  return std::unique_ptr<TransactionalSink>(
      std::make_unique<SabotagedSink>(std::move(sink), sabotage_));
}

Result<std::unique_ptr<RecordPublisher>> SabotagedBroker::open_publisher() {
  return inner_->open_publisher();
}

Result<std::unique_ptr<LogReader>> SabotagedBroker::open_log(const std::string& topic,
                                                             StartAt start, std::int64_t time_ms) {
  auto log = inner_->open_log(topic, start, time_ms);
  if (!log || sabotage_ != kHearsOfHaltsLate || !topic.ends_with(".control")) return log;
  return std::unique_ptr<LogReader>(std::make_unique<LateLog>(std::move(*log)));
}

Result<std::unique_ptr<TopicHistory>> SabotagedBroker::open_history(const std::string& topic,
                                                                    const HistoryStart& start) {
  return inner_->open_history(topic, start);
}

Result<std::unique_ptr<TopicTail>> SabotagedBroker::open_tail(const std::string& topic,
                                                              const TailStart& start) {
  return inner_->open_tail(topic, start);
}

Result<std::vector<PartitionOffset>> SabotagedBroker::committed_offsets(const std::string& group,
                                                                        const std::string& topic,
                                                                        Millis timeout) {
  return inner_->committed_offsets(group, topic, timeout);
}

Result<std::vector<PartitionOffset>> SabotagedBroker::log_ends(const std::string& topic,
                                                               Millis timeout) {
  return inner_->log_ends(topic, timeout);
}

Result<std::unique_ptr<Leadership>> SabotagedBroker::open_leadership(const std::string& topic,
                                                                     const std::string& group,
                                                                     const std::string& member) {
  return inner_->open_leadership(topic, group, member);
}

Status SabotagedBroker::fence(const std::string& transactional_id, Millis timeout) {
  return sabotage_ == kDoesNotFence ? Status{} : inner_->fence(transactional_id, timeout);
}

}  // namespace weir::stream
