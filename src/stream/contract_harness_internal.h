// The two brokers that the contract suites run against: the in-memory twin always, a real Kafka
// where WEIR_TEST_KAFKA names one (host:port).
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "stream/broker.h"
#include "stream/memory_broker.h"

namespace weir::stream {

class Harness {
 public:
  virtual ~Harness() = default;
  virtual Broker& broker() = 0;
  // A name that no other test has.
  virtual std::string fresh(const std::string& name) = 0;
  virtual void delete_records_before(const std::string& topic, std::int32_t partition,
                                     std::int64_t offset) = 0;
  // With all its records. Returns when the name can be taken again.
  virtual void delete_topic(const std::string& topic) = 0;
  virtual void add_partitions(const std::string& topic, std::int32_t count) = 0;
  // The next commit ends when its offsets are sent: its transaction is left as by one that died
  // there. SimulatedCrash, or an error, comes out of it.
  virtual void crash_once_offsets_are_sent() = 0;
  // The group's committed offset, -1 where there is none.
  virtual std::int64_t committed(const std::string& group, const std::string& topic,
                                 std::int32_t partition) = 0;
};

std::unique_ptr<Harness> make_memory_harness();
std::unique_ptr<Harness> make_kafka_harness(const std::string& servers);

// Notes what it is told, and does what the test wants done on a revocation.
class NotingListener final : public RebalanceListener {
 public:
  void on_assigned(std::span<const std::int32_t> partitions) override {
    held.assign(partitions.begin(), partitions.end());
    ++assigned;
  }
  void on_revoked(std::span<const std::int32_t>) override {
    ++revoked;
    if (when_revoked) when_revoked();
    held.clear();
  }
  void on_lost(std::span<const std::int32_t>) override {
    ++lost;
    held.clear();
  }
  std::vector<std::int32_t> held;
  int assigned = 0;
  int revoked = 0;
  int lost = 0;
  std::function<void()> when_revoked;
};

// The base of the suites: TEST_P over both brokers.
class BrokerContract : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override;
  Broker& broker() { return harness_->broker(); }
  std::string make_topic(const std::string& name, std::int32_t partitions = 1);
  // Outside of any transaction.
  void write(const std::string& topic, const std::vector<std::string>& values,
             std::int32_t partition = 0);
  std::unique_ptr<TransactionalSink> sink(const std::string& id);
  std::unique_ptr<RecordSource> source(const std::string& topic, const std::string& group,
                                       const std::string& member, RebalanceListener& listener);
  // The values that come until there are `count`, or for `limit`.
  std::vector<std::string> take(RecordSource& source, std::size_t count,
                                Millis limit = Millis(15000));
  // A batch of exactly one record.
  std::unique_ptr<RecordBatch> take_one(RecordSource& source);
  // Polls all of them by turns until `done`; false where that takes too long.
  bool poll_until(const std::vector<RecordSource*>& sources, const std::function<bool()>& done);
  // Commits the offset after this batch's last record in a transaction of its own.
  Status commit(TransactionalSink& out, const std::string& topic, const RecordBatch& batch);
  std::vector<std::string> visible(const std::string& topic);

  std::unique_ptr<Harness> harness_;
};

std::string contract_name(const ::testing::TestParamInfo<std::string>& info);

#define WEIR_BROKER_CONTRACT(suite) \
  INSTANTIATE_TEST_SUITE_P(, suite, ::testing::Values("memory", "kafka"), contract_name)

// Fails the test, with the words of the error, where it is one.
#define WEIR_ASSERT_OK(expression)                             \
  do {                                                         \
    const auto& weir_result = (expression);                    \
    ASSERT_TRUE(weir_result) << weir_result.error().message(); \
  } while (false)

}  // namespace weir::stream
