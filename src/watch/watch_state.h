// What the watcher sees, as values for whoever shows it: a page, metrics, weir status.
//
// Threads: WatchState is a plain value; a WatchBoard may be written by one thread and read by any.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace weir::watch {

struct FeatureDrift {
  std::string feature;
  double psi = 0;
  double by_chance = 0;  // what it is expected to be without any drift
  bool raised = false;
};

// Of the model in force, by the true values that have come.
struct Accuracy {
  std::uint64_t pairs = 0;    // behind the figures
  std::uint64_t joined = 0;   // since the model came into force
  std::uint64_t waiting = 0;  // for their other half
  double rmse = 0;
  double mae = 0;
  std::optional<double> held_out_rmse;  // in training
  bool raised = false;
};

struct WatchEvent {
  std::string at;     // RFC 3339
  std::string words;  // "feature 'crim' drifts: …"
};

struct WatchState {
  std::uint64_t version = 0;  // the model compared with, 0 = none yet
  std::uint64_t epoch = 0;
  std::uint64_t rows = 0;        // that are compared
  std::uint64_t model_rows = 0;  // compared with
  std::vector<FeatureDrift> features;
  Accuracy accuracy;
  std::uint64_t features_refused = 0;  // records that are none, since the model came into force
  std::uint64_t actuals_refused = 0;
  std::vector<WatchEvent> events;  // the last, oldest first; at most kEventsMax
  std::string summary;             // in a few words, for weir status

  static constexpr std::size_t kEventsMax = 50;
};

class WatchBoard {
 public:
  void put(WatchState state) {
    const std::lock_guard lock(mutex_);
    state_ = std::move(state);
  }
  WatchState get() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }

 private:
  mutable std::mutex mutex_;
  WatchState state_;  // guarded by mutex_
};

}  // namespace weir::watch
