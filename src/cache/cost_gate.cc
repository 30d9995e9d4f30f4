#include "cache/cost_gate.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace weir::cache {
namespace {

constexpr double kRowsOfMean = 1'000;
constexpr double kPartMin = 1.0 / 16;  // of a mean that one call moves, however few its rows
constexpr double kJumpMax = 4;         // times the mean, as one call counts
constexpr int kWindowsBadMax = 2;
constexpr std::uint64_t kProbeRowsMax = 65'536;

std::string with_unit(double value, const char* unit) {
  char text[40];
  std::snprintf(text, sizeof text, value < 10 ? "%.1f %s" : "%.0f %s", value, unit);
  return text;
}

std::string duration_text(double nanoseconds) {
  if (nanoseconds < 1e3) return with_unit(nanoseconds, "ns");
  if (nanoseconds < 1e6) return with_unit(nanoseconds / 1e3, "µs");
  return with_unit(nanoseconds / 1e6, "ms");
}

}  // namespace

double RowCost::add(std::size_t rows, double nanoseconds) {
  if (rows == 0) return 0;
  const auto count = static_cast<double>(rows);
  double one = std::max(nanoseconds, 0.0) / count;
  if (!known_) {
    known_ = true;
    mean_ = one;
    return one * count;
  }
  if (mean_ > 0) one = std::min(one, mean_ * kJumpMax);
  mean_ += (one - mean_) * std::max(count / (count + kRowsOfMean), kPartMin);
  return one * count;
}

CostGate::CostGate(CostGateOptions options, Clock& clock)
    : options_(std::move(options)), clock_(clock) {}

std::size_t CostGate::admit(std::size_t rows) {
  if (!closed_) return rows;
  if (probe_left_ == 0 && clock_.steady() >= next_probe_) {
    const double share = static_cast<double>(went_round_) * options_.probe_share;
    probe_left_ = std::min(static_cast<std::uint64_t>(share), kProbeRowsMax);
    if (probe_left_ > 0) {
      went_round_ = 0;
      next_probe_ = clock_.steady() + options_.probe_every;
    }
  }
  const std::size_t admitted = std::min<std::uint64_t>(rows, probe_left_);
  probe_left_ -= admitted;
  went_round_ += rows - admitted;
  return admitted;
}

void CostGate::passed(std::size_t rows, std::size_t hits, double lookup_ns, double other_ns,
                      double prediction_ns, bool settled) {
  lookup_ns = lookup_.add(rows, lookup_ns);
  window_.rows += rows;
  window_.hits += hits;
  window_.lookup_ns += lookup_ns;
  window_.all_ns += lookup_ns + other_ns;
  passed_ += rows;
  // Before anything was predicted there is nothing to compare with.
  if (window_.rows >= options_.window_rows && prediction_ns > 0) judge(prediction_ns, settled);
}

void CostGate::judge(double prediction_ns, bool settled) {
  const Window window = std::exchange(window_, {});
  const auto rows = static_cast<double>(window.rows);
  const double lookup = window.lookup_ns / rows;
  const double cost = window.all_ns / rows;
  const double saved = static_cast<double>(window.hits) / rows * prediction_ns;
  if (closed_) {
    if (saved < cost * options_.opens_above) return;
    closed_ = false;
    reason_.clear();
    windows_bad_ = 0;
    passed_ = 0;
    return;
  }
  const bool hopeless = prediction_ns < lookup * options_.closes_below;
  const bool patient = !settled && passed_ < options_.patience_rows;
  if (!hopeless && (patient || saved >= cost * options_.closes_below)) {
    windows_bad_ = 0;
    return;
  }
  if (++windows_bad_ < kWindowsBadMax) return;
  if (hopeless) {
    close(options_.what + " costs " + duration_text(lookup) + " a row, the prediction " +
          duration_text(prediction_ns));
  } else {
    close("too few rows are found (" +
          with_unit(100 * static_cast<double>(window.hits) / rows, "%") + "): " + options_.what +
          " costs " + duration_text(cost) + " a row, the prediction " +
          duration_text(prediction_ns));
  }
}

void CostGate::close(std::string reason) {
  closed_ = true;
  reason_ = std::move(reason);
  windows_bad_ = 0;
  went_round_ = 0;
  probe_left_ = 0;
  next_probe_ = clock_.steady() + options_.probe_every;
}

}  // namespace weir::cache
