#include "train/profile_totals.h"

#include <utility>

namespace weir::train {

format::DatasetProfile empty_profile(const std::vector<std::string>& header,
                                     const TrainingOptions& options) {
  const std::string& missing = options.features.missing;
  // A number in the place of gaps is none for date-times, which are filled with their median.
  const bool kept = missing != "refuse" && missing != "mean";
  return {header, options.features.missing_words,
          kept ? format::Quantiles::kKept : format::Quantiles::kLeftOut};
}

ProfileTotals::ProfileTotals(format::DatasetProfile empty, std::uint64_t first_split)
    : none_(empty.take_figures()), end_(first_split), open_(none_), rest_(std::move(empty)) {}

void ProfileTotals::add(std::uint64_t split, const format::ProfileFigures& chunk) {
  close_until(split);
  open_.merge(chunk);
}

void ProfileTotals::close_until(std::uint64_t split) {
  for (; end_ < split; ++end_) tree_.append({0, end_, std::exchange(open_, none_)});
}

format::DatasetProfile ProfileTotals::whole() && {
  rest_.put_figures(std::move(tree_).collapse());
  return std::move(rest_);
}

}  // namespace weir::train
