#include "train/split_plan.h"

#include <algorithm>
#include <utility>

#include "base/sha256.h"
#include "format/csv_chunker.h"
#include "train/row_intake.h"
#include "train/split_totals.h"

namespace weir::train {
namespace {

// As much as is read of the first part at a time until its header has been seen whole.
constexpr std::uint64_t kHeaderPieceBytes = std::uint64_t{64} << 10;

Result<std::string> read_header(store::FileStore& store, const store::FileStatus& part,
                                const TrainingOptions& options) {
  format::CsvChunkerOptions chunker_options;
  chunker_options.record_bytes_max = options.record_bytes_max;
  format::CsvChunker chunker(chunker_options);
  for (std::uint64_t at = 0; at < part.length && !chunker.header();) {
    const std::uint64_t count = std::min(kHeaderPieceBytes, part.length - at);
    WEIR_TRY(store.read(part.path, at, count, [&](std::string_view bytes) -> Status {
      Status fed = chunker.feed(bytes);
      // What is wrong behind the header is for those to find who read it.
      return chunker.header() ? Status() : fed;
    }));
    at += count;
    while (chunker.next()) continue;
  }
  if (!chunker.header()) WEIR_TRY(chunker.finish());
  return *chunker.header();
}

std::string parts_sha256_of(const registry::Dataset& dataset) {
  Sha256 hash;
  for (const auto& part : dataset.parts) {
    hash.update(part.path);
    hash.update(std::string_view("\0", 1));
    hash.update(std::to_string(part.length) + " " + std::to_string(part.modified_ms) + " " +
                part.file_id + "\n");
  }
  return hash.finish_hex();
}

// `made`: what it makes, and of which columns.
Result<std::vector<PlannedSplit>> lay_out(store::FileStore& store, const std::string& address,
                                          const registry::Dataset& dataset,
                                          const TrainingOptions& options, Plan made) {
  const std::string what = "planning " + store.url(dataset.identity.path);
  if (dataset.parts.empty() || dataset.identity.length == 0) {
    return fail(Error(Code::kBadData, "it is empty").while_doing(what));
  }
  const SplitLayout layout = lay_out_splits(dataset, options.split_bytes);
  if (layout.splits > kSplitsMax) {
    return fail(Error(Code::kBadData, "it has " + std::to_string(layout.splits) +
                                          " splits, more than " + std::to_string(kSplitsMax))
                    .while_doing(what));
  }
  auto plan = std::make_shared<Plan>(std::move(made));
  plan->store = address;
  plan->dataset = dataset.identity.path;
  plan->is_folder = dataset.is_folder;
  plan->bytes = dataset.identity.length;
  plan->parts_sha256 = parts_sha256_of(dataset);
  plan->splits = layout.splits;
  plan->options = options;
  plan->header = WEIR_TRY(during(read_header(store, dataset.parts.front(), options), what));
  WEIR_TRY(during(RowIntake::make(plan->header, options, plan->columns), what));
  std::vector<PlannedSplit> splits;
  for (std::size_t part = 0; part < dataset.parts.size(); ++part) {
    const store::FileStatus& file = dataset.parts[part];
    std::uint64_t offset = 0;
    do {
      const std::uint64_t length = std::min(options.split_bytes, file.length - offset);
      splits.push_back({plan, file, part, splits.size(), offset, length});
      offset += length;
    } while (offset < file.length);
  }
  return splits;
}

}  // namespace

SplitLayout lay_out_splits(const registry::Dataset& dataset, std::uint64_t split_bytes) {
  SplitLayout layout;
  for (const auto& part : dataset.parts) {
    layout.first_split.push_back(layout.splits);
    const std::uint64_t whole = part.length / split_bytes;
    layout.splits += std::max<std::uint64_t>(1, whole + (part.length % split_bytes != 0 ? 1 : 0));
  }
  return layout;
}

Result<std::vector<PlannedSplit>> plan_model(store::FileStore& store, const std::string& address,
                                             const registry::Dataset& dataset,
                                             const TrainingOptions& options, ColumnPlan columns) {
  Plan plan;
  plan.makes = PlanFor::kModel;
  plan.columns = std::move(columns);
  return lay_out(store, address, dataset, options, std::move(plan));
}

Result<std::vector<PlannedSplit>> plan_profile(store::FileStore& store, const std::string& address,
                                               const registry::Dataset& dataset,
                                               const TrainingOptions& options) {
  Plan plan;
  plan.makes = PlanFor::kProfile;
  return lay_out(store, address, dataset, options, std::move(plan));
}

Result<std::vector<PlannedSplit>> plan_splits(store::FileStore& store, const std::string& address,
                                              const registry::Dataset& dataset,
                                              const TrainingOptions& options) {
  ColumnPlan columns = WEIR_TRY(plan_dataset(store, dataset, options, [&] {
    return profile_all_rows(store, dataset, options, [](std::uint64_t) { return Status(); });
  }));
  return plan_model(store, address, dataset, options, std::move(columns));
}

}  // namespace weir::train
