// What the watcher of a stream sees, as it tells it with its heartbeats: drift of the features,
// errors of the predictions, events. For people and alerts: nothing is decided by it.
//
//   {"version":3,"epoch":3,"rows":1000,"model_rows":119,"rows_min":1000,"psi_max":0.25,
//    "features_known":13,"drifting":1,"drift_since":"…","features":[{"feature":"crim","psi":0.41,
//    "by_chance":0.08,"drifts":true,"since":"…"},…],"accuracy":{…},"events":[{"at":"…","words":"…"}]}
//
// Threads: plain values. Errors: reading throws those of nlohmann-json, for a parse function that
// catches them. Limits: kFeaturesToldMax, kEventsToldMax, kWordsBytesMax; who reads keeps to them,
// too.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace weir::record {

// A heartbeat stays small, whatever is watched.
inline constexpr std::size_t kFeaturesToldMax = 50;  // those that drift first, then by their index
inline constexpr std::size_t kEventsToldMax = 20;
inline constexpr std::size_t kWordsBytesMax = 400;  // of an event, or a feature's name

struct WatchedFeature {
  std::string feature;
  double psi = 0;        // population stability index
  double by_chance = 0;  // what it is expected to be without any drift
  bool drifts = false;
  std::string since;  // RFC 3339: that it is so; empty before there are enough rows

  bool operator==(const WatchedFeature&) const = default;
};

// Of the model in force, by the true values that have come.
struct WatchedAccuracy {
  std::uint64_t pairs = 0;      // behind the figures
  std::uint64_t pairs_min = 0;  // of fewer nothing is judged
  std::uint64_t joined = 0;     // since the model came into force
  std::uint64_t waiting = 0;    // predictions and true values without their other half
  std::uint64_t refused = 0;    // true values that are none, since the model came into force
  std::uint64_t one_in = 1;     // of so many ids one is followed
  double rmse = 0;              // in the target's unit, 0 where there are no pairs
  double mae = 0;
  std::optional<double> rmse_max;       // the bound; absent: nothing is judged
  std::optional<double> held_out_rmse;  // in training
  bool too_high = false;
  std::string since;  // RFC 3339: that it is so

  bool operator==(const WatchedAccuracy&) const = default;
};

struct WatchEvent {
  std::string at;     // RFC 3339
  std::string words;  // "feature 'crim' drifts: …"

  bool operator==(const WatchEvent&) const = default;
};

struct WatchReport {
  std::uint64_t version = 0;  // the model compared with, 0 = none yet
  std::uint64_t epoch = 0;
  std::uint64_t rows = 0;         // that are compared
  std::uint64_t rows_min = 0;     // of fewer nothing is judged
  std::uint64_t model_rows = 0;   // compared with
  std::uint64_t refused = 0;      // records that are no features, since the model came into force
  std::optional<double> psi_max;  // the bound; absent: nothing is judged
  std::uint64_t features_known = 0;  // of which `features` are the foremost
  std::uint64_t drifting = 0;        // so many of them
  std::string drift_since;           // RFC 3339: that any drifts, or that none does
  std::vector<WatchedFeature> features;
  WatchedAccuracy accuracy;
  std::vector<WatchEvent> events;  // the last, oldest first

  bool operator==(const WatchReport&) const = default;
};

nlohmann::ordered_json watch_report_json(const WatchReport& report);
WatchReport read_watch_report(const nlohmann::json& json);

}  // namespace weir::record
