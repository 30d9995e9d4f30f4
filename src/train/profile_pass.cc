#include "train/profile_pass.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "format/csv_record.h"
#include "train/dataset_chunks.h"
#include "train/in_order.h"
#include "train/profile_totals.h"

namespace weir::train {
namespace {

// All threads' profiles together, about; where one takes more, there is one.
constexpr std::size_t kProfileBytesMax = std::size_t{256} << 20;

class ProfilePass {
 public:
  ProfilePass(store::FileStore& store, const registry::Dataset& dataset,
              const TrainingOptions& options, const StillWanted& still_wanted)
      : options_(options),
        chunks_(store, dataset, options,
                [&](std::uint64_t bytes, std::uint64_t) { return still_wanted(bytes); }) {}

  Result<format::DatasetProfile> run() {
    WEIR_TRY(chunks_.read(
        kLookingThrough, [this](const std::string& header) { return begin(header); },
        [this] { look_through_chunks(); }));
    if (!totals_) return fail(no_rows());
    totals_->close_until(chunks_.layout().splits);
    format::DatasetProfile profile = std::move(*totals_).whole();
    if (profile.rows() == 0) return fail(no_rows());
    return profile;
  }

 private:
  Status begin(const std::string& header) {
    names_ = WEIR_TRY(format::parse_csv_header(header));
    // Each has a profile of its own.
    chunks_.limit_threads(kProfileBytesMax / (names_.size() * format::kColumnProfileBytes));
    totals_.emplace(empty_profile(names_, options_), 0);
    return {};
  }

  // A thread of its own.
  void look_through_chunks() {
    format::DatasetProfile own = empty_profile(names_, options_);
    while (const auto task = chunks_.next()) {
      own.add(task->chunk);
      in_order_.add(task->order, {task->split, own.take_figures()}, [this](const Figures& each) {
        totals_->add(each.split, each.figures);
        return true;
      });
    }
    const std::lock_guard lock(rest_mutex_);
    totals_->add_rest(own);
  }

  struct Figures {
    std::uint64_t split = 0;
    format::ProfileFigures figures;
  };

  const TrainingOptions& options_;
  DatasetChunks chunks_;

  // Set once by the calling thread before the others start.
  std::vector<std::string> names_;
  std::optional<ProfileTotals> totals_;  // its figures go by in_order_, the rest by rest_mutex_

  InOrder<Figures> in_order_;
  std::mutex rest_mutex_;
};

}  // namespace

Error no_rows() { return {Code::kBadData, "there is no whole row to look at"}; }

Result<format::DatasetProfile> profile_first_rows(store::FileStore& store,
                                                  const registry::Dataset& dataset,
                                                  const TrainingOptions& options) {
  for (const auto& part : dataset.parts) {
    format::CsvChunkerOptions chunker_options;
    chunker_options.record_bytes_max = options.record_bytes_max;
    format::CsvChunker chunker(chunker_options);
    const auto attempt = [&]() -> Result<std::optional<format::DatasetProfile>> {
      const auto length = std::min<std::uint64_t>(kProfiledFirst, part.length);
      WEIR_TRY(store.read(part.path, 0, length,
                          [&](std::string_view piece) { return chunker.feed(piece); }));
      // The last record that was read is cut, as a rule.
      static_cast<void>(chunker.finish());
      std::optional<format::DatasetProfile> profile;
      while (const auto chunk = chunker.next()) {
        if (!profile) {
          const auto names = WEIR_TRY(format::parse_csv_header(*chunker.header()));
          profile.emplace(names, options.features.missing_words, format::Quantiles::kLeftOut);
        }
        profile->add(*chunk);
      }
      return profile;
    };
    auto profile = WEIR_TRY(during(attempt(), std::string(kLookingThrough) + store.url(part.path)));
    if (profile) return std::move(*profile);
  }
  return fail(no_rows());
}

Result<format::DatasetProfile> profile_all_rows(store::FileStore& store,
                                                const registry::Dataset& dataset,
                                                const TrainingOptions& options,
                                                const StillWanted& still_wanted) {
  return ProfilePass(store, dataset, options, still_wanted).run();
}

}  // namespace weir::train
