// How far the rows that come now are from those that a model was made of: the population stability
// index of each feature,
//
//   PSI = sum over bins of (a - e) * ln(a / e),
//
// with e the share of a bin among the model's rows and a its share now (N. Siddiqi, Credit Risk
// Scorecards, Wiley 2006; rule of thumb there: below 0.1 nothing to speak of, above 0.25 a shift).
// Half a row is added to each bin, so that none is empty. Where nothing has changed its mean is
// about (bins - 1) * (1/n + 1/m) for n rows now and m of the model's (B. Yurdakul, J. Naranjo,
// Statistical properties of the population stability index, 2020): by_chance().
//
// A number or date-time has as many bins as the model's rows can fill, ten at most, of about equal
// shares, and one more beyond each end; a category has a bin for each of its texts and one for all
// others; what may be missing has a bin for that.
//
// Owner: one role. Threads: one. Memory: fixed by the features. Errors: none.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "record/inputs.h"

namespace weir::watch {

class DriftMeter {
 public:
  static constexpr std::size_t kBinsMax = 10;
  // Fewer rows of the model than this in a bin say little about its share.
  static constexpr std::size_t kRowsOfBinMin = 20;

  // `rows`: of the model, row-major, `features` values each, as record/inputs.h has them. `window`:
  // about how many of the last rows are compared.
  DriftMeter(std::size_t features, const record::Inputs& inputs, std::span<const double> rows,
             std::uint64_t window);

  void add(std::span<const double> row);
  // That are compared now: up to `window`, and never less than half of it once there were as many.
  std::uint64_t rows() const { return older_rows_ + newer_rows_; }
  std::uint64_t model_rows() const { return model_rows_; }
  double psi(std::size_t feature) const;
  double by_chance(std::size_t feature) const;  // what psi() is expected to be without any drift

 private:
  struct Feature {
    std::vector<double> cuts;  // rising; a bin holds what is above the cut before it, up to its own
    std::size_t categories = 0;  // 0: it has cuts
    std::size_t begin = 0;       // of its bins in the counts
    std::size_t bins = 0;        // the last one is for what is missing
  };
  static Feature make_feature(const record::Input& input, std::vector<double> values);
  static std::size_t bin_of(const Feature& feature, double value);

  std::vector<Feature> features_;
  std::uint64_t model_rows_ = 0;
  std::vector<std::uint64_t> model_counts_;
  // The window moves by halves: what is older than both is forgotten.
  std::uint64_t half_window_;
  std::uint64_t older_rows_ = 0;
  std::uint64_t newer_rows_ = 0;
  std::vector<std::uint64_t> older_;
  std::vector<std::uint64_t> newer_;
};

}  // namespace weir::watch
