// bench_micro [OPTIONS OF GOOGLE BENCHMARK]: the steps from a message to a prediction, each beside
// the least that any program would do for it. bench/micro/run makes a table of it.
//
// bench_micro --limits: which ratios micro_test allows, as JSON.
//
// `time/record` is in seconds; `instructions/record` is there where the machine lets us count them.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "instructions.h"
#include "workloads.h"

namespace {

using namespace weir::bench;

void run_work(benchmark::State& state, const Work& work, const InstructionCounter& counter) {
  const auto before = counter.read();
  for (auto _ : state) benchmark::DoNotOptimize(work.pass());
  const auto after = counter.read();
  const double records =
      static_cast<double>(state.iterations()) * static_cast<double>(work.records);
  using benchmark::Counter;
  state.counters["time/record"] = Counter(records, Counter::kIsRate | Counter::kInvert);
  if (before && after) {
    state.counters["instructions/record"] = static_cast<double>(*after - *before) / records;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto all = comparisons();
  if (argc == 2 && std::strcmp(argv[1], "--limits") == 0) {
    nlohmann::ordered_json limits;
    for (const Comparison& one : all) limits[one.ours.name] = one.ratio_max;
    std::puts(limits.dump().c_str());
    return 0;
  }
  const InstructionCounter counter;
  if (!counter.read()) benchmark::AddCustomContext("instructions", counter.why_not());
  for (const Comparison& one : all) {
    for (const Work* work : {&one.ours, &one.plain}) {
      benchmark::RegisterBenchmark(
          (one.ours.name + (work == &one.ours ? "|ours|" : "|plain|") + work->name).c_str(),
          [work, &counter](benchmark::State& state) { run_work(state, *work, counter); });
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
