// Whether looking up pays: what it costs a row against what the rows that were found would have
// cost to predict. Open, all rows go through; closed, a small share now and then, to find out
// whether it would pay by now.
//
// It closes at once where a lookup costs more than a prediction, as then no hit rate can pay; and,
// once what looks up has had the time to fill, where too few rows are found. Both only over two
// windows of rows in a row, and it opens again only where it would pay by a margin: a figure near
// the edge does not make it swing.
//
// Owner: a ModelCache. Threads: one at a time. Errors: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace weir::cache {

// What an operation costs a row, in nanoseconds: a moving mean over some thousand rows. A single
// time that is far off, as of a thread that was put aside, moves it by a bounded part.
class RowCost {
 public:
  // Gives what they count for, all rows together.
  double add(std::size_t rows, double nanoseconds);
  bool known() const { return known_; }
  double nanoseconds() const { return mean_; }

 private:
  bool known_ = false;
  double mean_ = 0;
};

struct CostGateOptions {
  std::string what = "a lookup";  // for reasons: "asking Redis"
  std::uint64_t window_rows = 1'024;
  std::uint64_t patience_rows = 262'144;  // before it closes for want of hits
  double closes_below = 0.9;              // saved / cost
  double opens_above = 1.3;
  Millis probe_every{10'000};
  double probe_share = 1.0 / 64;  // of the rows that have gone round since the last one
};

class CostGate {
 public:
  CostGate(CostGateOptions options, Clock& clock);

  // How many of so many rows go through.
  std::size_t admit(std::size_t rows);
  // What became of rows that went through. `lookup_ns`: for all, found or not; `other_ns`: what
  // else they cost, such as keeping what was not found. `settled`: more rows would not fill it.
  void passed(std::size_t rows, std::size_t hits, double lookup_ns, double other_ns,
              double prediction_ns, bool settled);

  bool closed() const { return closed_; }
  const std::string& reason() const { return reason_; }  // why it is closed
  double lookup_ns() const { return lookup_.nanoseconds(); }

 private:
  struct Window {
    std::uint64_t rows = 0;
    std::uint64_t hits = 0;
    double lookup_ns = 0;
    double all_ns = 0;
  };
  void judge(double prediction_ns, bool settled);
  void close(std::string reason);

  const CostGateOptions options_;
  Clock& clock_;
  RowCost lookup_;
  Window window_;
  bool closed_ = false;
  std::string reason_;
  int windows_bad_ = 0;
  std::uint64_t passed_ = 0;      // since it opened
  std::uint64_t went_round_ = 0;  // since the last probe began
  std::uint64_t probe_left_ = 0;
  SteadyTime next_probe_{};
};

}  // namespace weir::cache
