// That no step from a message to a prediction has become much dearer than it was: each against the
// least that any program would do for it, in the same process and in turn. Times of different
// machines say nothing of each other; these ratios do.
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>

#include "workloads.h"

namespace weir::bench {
namespace {

constexpr int kRounds = 21;
constexpr int kPassesOfARound = 3;  // of which the fastest counts
constexpr int kTries = 3;           // one below the limit is enough: a busy machine is no fault

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double seconds(const Work& work, double& sum) {
  double least = HUGE_VAL;
  for (int i = 0; i < kPassesOfARound; ++i) {
    const double begun = thread_seconds();
    sum = work.pass();
    least = std::min(least, thread_seconds() - begun);
  }
  return least / static_cast<double>(work.records);
}

double median_ratio(const Comparison& one) {
  std::vector<double> ratios;
  for (int round = 0; round < kRounds; ++round) {
    double ours_sum = 0;
    double plain_sum = 0;
    const double ours = seconds(one.ours, ours_sum);
    ratios.push_back(ours / seconds(one.plain, plain_sum));
    if (one.same_sum) {
      EXPECT_NEAR(ours_sum, plain_sum, 1e-9 * std::abs(plain_sum));
    }
  }
  std::nth_element(ratios.begin(), ratios.begin() + kRounds / 2, ratios.end());
  return ratios[kRounds / 2];
}

}  // namespace

// What GoogleTest calls it in messages.
void PrintTo(const Comparison& one, std::ostream* out) { *out << one.ours.name; }

namespace {

class Cost : public testing::TestWithParam<Comparison> {};

TEST_P(Cost, is_bounded_by_that_of_the_plainest_way) {
  const Comparison& one = GetParam();
  double best = HUGE_VAL;
  for (int i = 0; i < kTries && best > one.ratio_max; ++i) best = std::min(best, median_ratio(one));
  std::printf("%s: %.2f of %s, %.2f allowed\n", one.ours.name.c_str(), best, one.plain.name.c_str(),
              one.ratio_max);
  EXPECT_LE(best, one.ratio_max)
      << one.ours.name << " costs " << best << " times what " << one.plain.name
      << " costs. Find out what made it dearer: bench/micro/run, then perf";
}

std::string test_name(const testing::TestParamInfo<Comparison>& info) {
  std::string name = info.param.ours.name;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(of, Cost, testing::ValuesIn(comparisons()), test_name);

}  // namespace
}  // namespace weir::bench
