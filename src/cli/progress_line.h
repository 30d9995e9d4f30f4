// One line on a terminal that tells how far a command has come, written over as it goes on; nothing
// where stderr is no terminal.
//
// Owner: a command, for as long as it works; the line is wiped at the end. Threads: one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "train/dataset_training.h"

namespace weir::cli {

// "training on boston.csv: 412.0 MB of 869.2 MB (47 %), 5700000 rows, 6100000 rows/s, 1 s left".
// While the columns are looked at there are no rows yet.
std::string training_text(std::string_view dataset, const train::TrainingProgress& progress,
                          double seconds);

class ProgressLine {
 public:
  // `wanted`: false keeps it silent on a terminal, too.
  ProgressLine(Clock& clock, bool wanted);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // "answers: 1200 of 5000 (24 %), 100000/s, 1 s left"; a few times a second at most.
  void show(std::string_view what, std::uint64_t done, std::uint64_t total);
  // As training_text() says it.
  void show_training(std::string_view dataset, const train::TrainingProgress& progress);
  // For work whose end is not known: "data sets: 1.2 GB".
  void show_bytes(std::string_view what, std::uint64_t bytes);

 private:
  bool due();
  void write(const std::string& text);

  Clock& clock_;
  const bool on_;
  SteadyTime began_;  // of the work that is told of now
  SteadyTime next_{};
  std::string what_;
  std::uint64_t bytes_ = 0;  // of a training, when it was last told of
  bool written_ = false;
};

}  // namespace weir::cli
