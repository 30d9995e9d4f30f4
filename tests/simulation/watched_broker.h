// A broker and a store as one simulated process sees them: every call is a place where the process
// may be held up or die, commits may fail, reads may lag, and what takes effect goes into the
// journal.
//
// Owner: the actor; inner broker, store and watcher outlive it. Threads: one.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "simulation/journal.h"
#include "simulation/sabotage.h"
#include "store/forwarding_file_store.h"
#include "stream/broker.h"
#include "stream/memory_broker.h"

namespace weir::simulation {

struct TopicNames {
  std::string features = "sim.features";
  std::string predictions = "sim.predictions";
  std::string dead = "sim.dead";
  std::string control = "sim.control";
  std::string members = "sim.members";
  std::string swaps = "sim.swaps";
};

// What the wrappers ask of the world around one process.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // Called before each call of the process to the outside, and after those that change something.
  // It may run the others for a while, or throw SimulatedCrash.
  virtual void at(std::string_view place) = 0;
  virtual bool duplicates() = 0;  // a record that is published arrives twice
  virtual bool log_lags() = 0;    // a poll of a log that finds nothing although there is something
  virtual std::optional<stream::CommitFault> commit_fault() = 0;
  virtual std::optional<Error> store_fault() = 0;  // of this call of the store
  virtual bool store_fault_after_work() = 0;
  virtual void write(Event event) = 0;
  virtual void has_read(const std::string& topic, const stream::LogEntry& entry) = 0;
  virtual Sabotage sabotage() const = 0;
};

class WatchedBroker final : public stream::Broker {
 public:
  // `cluster`: for what a test may do that a process may not; `process`: for everything else.
  WatchedBroker(stream::MemoryBroker& cluster, stream::MemoryInstance& process, Watcher& watcher,
                const TopicNames& topics)
      : cluster_(cluster), process_(process), watcher_(watcher), topics_(topics) {}

  Status ensure_topics(const std::vector<stream::TopicSpec>& topics, Millis timeout) override;
  Result<std::unique_ptr<stream::RecordSource>> open_source(
      const std::string& topic, const std::string& group, const std::string& member,
      stream::RebalanceListener& listener, const std::vector<std::string>& evidence) override;
  Result<std::unique_ptr<stream::TransactionalSink>> open_sink(
      const std::string& transactional_id, Millis timeout,
      stream::Places places = stream::Places::kNotTold) override;
  Result<std::unique_ptr<stream::RecordPublisher>> open_publisher() override;
  Result<std::unique_ptr<stream::LogReader>> open_log(const std::string& topic,
                                                      stream::StartAt start,
                                                      std::int64_t time_ms) override;
  Result<std::unique_ptr<stream::Leadership>> open_leadership(const std::string& topic,
                                                              const std::string& group,
                                                              const std::string& member) override;
  Result<std::unique_ptr<stream::TopicHistory>> open_history(
      const std::string& topic, const stream::HistoryStart& start) override;
  Result<std::unique_ptr<stream::TopicTail>> open_tail(const std::string& topic,
                                                       const stream::TailStart& start) override;
  Result<std::vector<stream::PartitionOffset>> committed_offsets(const std::string& group,
                                                                 const std::string& topic,
                                                                 Millis timeout) override;
  Result<std::vector<stream::PartitionOffset>> log_ends(const std::string& topic,
                                                        Millis timeout) override;
  Status fence(const std::string& transactional_id, Millis timeout) override;

 private:
  stream::MemoryBroker& cluster_;
  stream::MemoryInstance& process_;
  Watcher& watcher_;
  const TopicNames& topics_;
};

class WatchedStore final : public store::ForwardingFileStore {
 public:
  WatchedStore(store::FileStore& inner, Watcher& watcher)
      : ForwardingFileStore(inner), inner_(inner), watcher_(watcher) {}

  Result<std::vector<store::FileStatus>> list(const std::string& path) override;
  Result<store::FileStatus> status(const std::string& path) override;
  Status read(const std::string& path, std::uint64_t offset, std::uint64_t length,
              const store::ByteSink& sink) override;
  Status create(const std::string& path, const store::ByteSource& source) override;
  Status make_directories(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;

 private:
  template <typename Call>
  auto watched(std::string_view place, bool changes, Call call) -> decltype(call());
  Status sabotaged_rename(const std::string& from, const std::string& to);

  store::FileStore& inner_;
  Watcher& watcher_;
};

}  // namespace weir::simulation
