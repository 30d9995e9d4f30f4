#include "train/profile_totals.h"

#include <utility>

namespace weir::train {

format::DatasetProfile empty_profile(const std::vector<std::string>& header,
                                     const TrainingOptions& options) {
  const std::string& missing = options.features.missing;
  // A number in the place of gaps is none for date-times, which are filled with their median.
  const auto quantiles = missing == "refuse" || missing == "mean" ? format::Quantiles::kLeftOut
                         : missing == "median"                    ? format::Quantiles::kKept
                                                                  : format::Quantiles::kOfDateTimes;
  return {header, options.features.missing_words, quantiles};
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

void ProfileTotals::append(ProfileTotals following) {
  place_.append(following.place_);
  tree_.append(std::move(following.tree_));
  end_ = following.end_;
  rest_.merge(following.rest_);
}

void ProfileTotals::save(ByteWriter& to) const {
  for (const auto& node : tree_.nodes()) node.value.save(to);
  rest_.save_rest(to);
}

ProfileTotals ProfileTotals::load(ByteReader& from, format::DatasetProfile empty,
                                  std::uint64_t first_split, std::uint64_t count) {
  ProfileTotals totals(std::move(empty), first_split);
  const std::size_t columns = totals.none_.columns.size();
  const std::uint64_t end = first_split + count;
  while (totals.end_ < end && from.ok()) {
    const unsigned level = level_at(totals.end_, end);
    totals.tree_.append({level, totals.end_ >> level, format::ProfileFigures::load(from, columns)});
    totals.end_ += std::uint64_t{1} << level;
  }
  totals.rest_.load_rest(from);
  if (!from.ok()) return totals;
  SplitTree<format::ProfileFigures> tree = totals.tree_;
  totals.rest_.put_figures(std::move(tree).collapse());
  if (!totals.rest_.is_consistent()) from.refuse();
  totals.rest_.take_figures();
  return totals;
}

format::DatasetProfile ProfileTotals::whole() && {
  rest_.put_figures(std::move(tree_).collapse());
  return std::move(rest_);
}

}  // namespace weir::train
