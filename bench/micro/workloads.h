// What bench_micro times and micro_test compares: one step of the way from a message to a
// prediction, over a block of records, and beside it the least that any program would do for that
// step.
//
// Owner: the caller. Threads: one. Errors: none; the same numbers in every run.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace weir::bench {

// `pass` does the work for all records once and gives what came out, added up.
struct Work {
  std::string name;
  std::size_t records;
  std::function<double()> pass;
};

struct Comparison {
  Work ours;
  Work plain;  // gives the same sum where `same_sum`
  bool same_sum;
  // How often ours may cost what the plain one does, in the same process at the same time. It is
  // half as much again as what was measured on an AMD EPYC with GCC 12, or a little more.
  double ratio_max;
};

std::vector<Comparison> comparisons();

}  // namespace weir::bench
