// bench_latency BROKERS INPUT OUTPUT DATA.csv RATE WARM_SECONDS SECONDS: sends records at fixed
// moments, whether predictions come or not, and tells how long each took.
//
// Record number i is due i / RATE seconds after the start, and its time is from then until a
// read_committed reader in this process has been given the record with its key from OUTPUT: so it
// holds the sender's linger (5 ms at most), the contestant's work, the wait for its commit, and the
// way back (see bench/gateway/open_loop.cc on why from when it was due). Before the start, records
// are sent one at a time until one is answered; those of the first WARM_SECONDS are not counted.
// Every record must come back, and once. Prints one line of JSON; `sent_late` is how far behind its
// own times the sender was.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "kafka.h"
#include "records.h"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;
using FloatMs = std::chrono::duration<double, std::milli>;

constexpr std::chrono::milliseconds kProbeInterval{200};
constexpr std::size_t kProbesMax = 300;
constexpr std::chrono::seconds kPatience{60};  // for what is due last
constexpr std::chrono::milliseconds kLook{20};
constexpr int kPollMs = 100;
constexpr std::size_t kRecordsPerPoll = 10'000;

// When the answer to each record came, by its number.
class Reader {
 public:
  Reader(const std::string& brokers, const char* topic, std::size_t records)
      : topic_(topic), came_(records) {
    context_ = std::make_shared<stream::KafkaClientContext>("latency");
    client_ = must(client_factory(brokers).consumer(topic, topic, context_));
    thread_ = std::thread([this] { run(); });
  }

  ~Reader() {
    stop_ = true;
    thread_.join();
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  std::size_t answered() const { return answered_; }
  // Once all have been answered.
  Clock::time_point came(std::size_t number) const { return came_[number]; }

 private:
  void run() {
    const stream::QueuePtr queue(rd_kafka_queue_get_consumer(client_->get()));
    const stream::PartitionListPtr partitions = all_partitions(client_->get(), topic_);
    must(rd_kafka_assign(client_->get(), partitions.get()), "assigning");
    std::vector<rd_kafka_message_t*> messages(kRecordsPerPoll);
    while (!stop_) {
      const auto batch = poll_batch(queue.get(), messages, kPollMs);
      const auto now = Clock::now();
      for (rd_kafka_message_t* const message : batch) take(message, now);
    }
  }

  void take(rd_kafka_message_t* message, Clock::time_point now) {
    if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      must(message->err, "reading");
      const std::size_t number = number_of(key_of(*message));
      if (number >= came_.size()) die("an answer to what was not sent");
      if (came_[number] != Clock::time_point{}) die("two answers to one record");
      came_[number] = now;
      ++answered_;
    }
    rd_kafka_message_destroy(message);
  }

  const char* const topic_;
  std::shared_ptr<stream::KafkaClientContext> context_;
  std::unique_ptr<stream::KafkaClient> client_;
  std::vector<Clock::time_point> came_;
  std::atomic<std::size_t> answered_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

class Sender {
 public:
  Sender(const std::string& brokers, const char* topic, std::vector<std::string> records)
      : records_(std::move(records)) {
    auto context = std::make_shared<stream::KafkaClientContext>("latency");
    context->on_delivery_error = [](const rd_kafka_message_t& message) {
      die(std::string("not delivered: ") + rd_kafka_err2str(message.err));
    };
    client_ = must(client_factory(brokers).producer("", context));
    topic_ = rd_kafka_topic_new(client_->get(), topic, nullptr);
  }
  ~Sender() { rd_kafka_topic_destroy(topic_); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  void send(std::size_t number) {
    produce(client_->get(), topic_, Key(number).text(), records_[number % records_.size()]);
  }
  void poll() { rd_kafka_poll(client_->get(), 0); }

 private:
  const std::vector<std::string> records_;
  std::unique_ptr<stream::KafkaClient> client_;
  rd_kafka_topic_t* topic_ = nullptr;
};

void wait_for(const Reader& reader, std::size_t count) {
  const auto deadline = Clock::now() + kPatience;
  while (reader.answered() < count) {
    if (Clock::now() > deadline) {
      die(std::to_string(count - reader.answered()) + " records were not answered in time");
    }
    std::this_thread::sleep_for(kLook);
  }
}

// How many it took until one was answered; all have been, then.
std::size_t probe(Sender& sender, const Reader& reader) {
  std::size_t sent = 0;
  while (reader.answered() == 0) {
    if (sent == kProbesMax) die("nothing is answered");
    sender.send(sent++);
    std::this_thread::sleep_for(kProbeInterval);
    sender.poll();
  }
  wait_for(reader, sent);
  return sent;
}

struct Schedule {
  double rate;
  std::size_t records;
  std::size_t warm;  // of them

  Clock::duration since_start(std::size_t i) const {
    return std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(static_cast<double>(i) / rate));
  }
};

// Sends each when it is due, from number `first` on; gives how late each was.
std::vector<double> keep(const Schedule& schedule, Clock::time_point start, std::size_t first,
                         Sender& sender) {
  std::vector<double> late_ms;
  late_ms.reserve(schedule.records);
  for (std::size_t i = 0; i < schedule.records; ++i) {
    const auto due = start + schedule.since_start(i);
    if (Clock::now() < due) {
      sender.poll();
      std::this_thread::sleep_until(due);
    }
    sender.send(first + i);
    late_ms.push_back(FloatMs(Clock::now() - due).count());
  }
  return late_ms;
}

double at(const std::vector<double>& sorted, double part) {
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

void measure(const std::string& brokers, const char* input, const char* output, const char* csv,
             const Schedule& schedule) {
  Reader reader(brokers, output, kProbesMax + schedule.records);
  Sender sender(brokers, input, make_records(csv, Shape::kFlat));
  const std::size_t probes = probe(sender, reader);
  const auto start = Clock::now() + std::chrono::milliseconds(100);
  std::vector<double> late_ms = keep(schedule, start, probes, sender);
  wait_for(reader, probes + schedule.records);

  std::vector<double> times_ms;
  for (std::size_t i = schedule.warm; i < schedule.records; ++i) {
    times_ms.push_back(FloatMs(reader.came(probes + i) - start - schedule.since_start(i)).count());
  }
  std::sort(times_ms.begin(), times_ms.end());
  late_ms.erase(late_ms.begin(), late_ms.begin() + static_cast<std::ptrdiff_t>(schedule.warm));
  std::sort(late_ms.begin(), late_ms.end());
  std::printf(
      "{\"sent\": %zu, \"counted\": %zu, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"p999_ms\": %.2f, "
      "\"max_ms\": %.2f, \"sent_late_p99_ms\": %.2f, \"sent_late_max_ms\": %.2f}\n",
      probes + schedule.records, times_ms.size(), at(times_ms, 0.5), at(times_ms, 0.99),
      at(times_ms, 0.999), at(times_ms, 1), at(late_ms, 0.99), at(late_ms, 1));
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  if (argc != 8) {
    die("usage: bench_latency BROKERS INPUT OUTPUT DATA.csv RATE WARM_SECONDS SECONDS");
  }
  const double rate = std::atof(argv[5]);
  const auto count = [&](double seconds) { return static_cast<std::size_t>(rate * seconds); };
  const double warm = std::atof(argv[6]);
  const Schedule schedule{rate, count(warm + std::atof(argv[7])), count(warm)};
  if (schedule.records <= schedule.warm) die("no record is due in so short a time");
  measure(argv[1], argv[2], argv[3], argv[4], schedule);
}
