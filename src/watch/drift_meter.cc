#include "watch/drift_meter.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace weir::watch {

DriftMeter::Feature DriftMeter::make_feature(const record::Input& input,
                                             std::vector<double> values) {
  Feature feature;
  if (input.kind == record::InputKind::kCategory) {
    feature.categories = input.categories.size() + 1;
    feature.bins = feature.categories + 1;
    return feature;
  }
  std::erase_if(values, [](double value) { return std::isnan(value); });
  std::sort(values.begin(), values.end());
  if (!values.empty()) {
    const std::size_t bins = std::clamp<std::size_t>(values.size() / kRowsOfBinMin, 2, kBinsMax);
    // Below all of the model's rows there is nothing.
    feature.cuts.push_back(std::nextafter(values.front(), -HUGE_VAL));
    for (std::size_t i = 1; i <= bins; ++i) {
      const double cut = values[(i * values.size() + bins - 1) / bins - 1];
      if (cut > feature.cuts.back()) feature.cuts.push_back(cut);
    }
  }
  feature.bins = feature.cuts.size() + 2;
  return feature;
}

DriftMeter::DriftMeter(std::size_t features, const record::Inputs& inputs,
                       std::span<const double> rows, std::uint64_t window)
    : half_window_(std::max<std::uint64_t>(window / 2, 1)) {
  WEIR_CHECK(features > 0 && rows.size() % features == 0);
  model_rows_ = rows.size() / features;
  const record::Input plain;
  std::size_t bins = 0;
  for (std::size_t i = 0; i < features; ++i) {
    std::vector<double> values;
    values.reserve(model_rows_);
    for (std::size_t at = i; at < rows.size(); at += features) values.push_back(rows[at]);
    Feature feature = make_feature(inputs.plain() ? plain : inputs.columns[i], std::move(values));
    feature.begin = bins;
    bins += feature.bins;
    features_.push_back(std::move(feature));
  }
  model_counts_.resize(bins);
  older_.resize(bins);
  newer_.resize(bins);
  for (std::size_t at = 0; at < rows.size(); ++at) {
    const Feature& feature = features_[at % features];
    ++model_counts_[feature.begin + bin_of(feature, rows[at])];
  }
}

std::size_t DriftMeter::bin_of(const Feature& feature, double value) {
  if (std::isnan(value)) return feature.bins - 1;
  if (feature.categories > 0) {
    const double last = static_cast<double>(feature.categories - 1);
    return static_cast<std::size_t>(std::clamp(value, 0.0, last));
  }
  const auto cut = std::lower_bound(feature.cuts.begin(), feature.cuts.end(), value);
  return static_cast<std::size_t>(cut - feature.cuts.begin());
}

void DriftMeter::add(std::span<const double> row) {
  WEIR_CHECK(row.size() == features_.size());
  if (newer_rows_ == half_window_) {
    older_.swap(newer_);
    older_rows_ = newer_rows_;
    std::fill(newer_.begin(), newer_.end(), 0);
    newer_rows_ = 0;
  }
  for (std::size_t i = 0; i < row.size(); ++i) {
    ++newer_[features_[i].begin + bin_of(features_[i], row[i])];
  }
  ++newer_rows_;
}

double DriftMeter::psi(std::size_t index) const {
  const Feature& feature = features_[index];
  const auto share = [&](std::uint64_t count, std::uint64_t rows) {
    return (static_cast<double>(count) + 0.5) /
           (static_cast<double>(rows) + 0.5 * static_cast<double>(feature.bins));
  };
  double psi = 0;
  for (std::size_t bin = feature.begin; bin < feature.begin + feature.bins; ++bin) {
    const double expected = share(model_counts_[bin], model_rows_);
    const double actual = share(older_[bin] + newer_[bin], rows());
    psi += (actual - expected) * std::log(actual / expected);
  }
  return psi;
}

double DriftMeter::by_chance(std::size_t index) const {
  if (rows() == 0 || model_rows_ == 0) return HUGE_VAL;
  return static_cast<double>(features_[index].bins - 1) *
         (1 / static_cast<double>(rows()) + 1 / static_cast<double>(model_rows_));
}

}  // namespace weir::watch
