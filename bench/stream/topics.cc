// bench_topics BROKERS PARTITIONS NAME...: makes topics.
#include <cstdlib>

#include "kafka.h"

int main(int argc, char** argv) {
  using namespace weir;
  if (argc < 4) bench::die("usage: bench_topics BROKERS PARTITIONS NAME...");
  const auto broker = bench::must(stream::KafkaBroker::make({{"bootstrap.servers", argv[1]}}));
  std::vector<stream::TopicSpec> topics;
  for (int i = 3; i < argc; ++i) topics.push_back({argv[i], std::atoi(argv[2])});
  bench::must(broker->ensure_topics(topics, Millis(30'000)));
}
