// A store of predictions in one SQLite file of this machine, for one process.
//
// The file is <pipeline>.predictions.sqlite in the folder, readable by its owner alone. One that is
// damaged, or of another version, pipeline or features topic, is moved aside
// (….sqlite.aside, in the place of the one before) with a warning, and a new one is made: the feed
// fills it again. Another process that opens the same file is refused.
//
// Owner, threads and errors: as prediction_store.h. open(): kUnavailable where another process has
// the file, kPermissionDenied, kExhausted, kIo.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "predictions/prediction_store.h"

namespace weir::predictions {

struct SqliteStoreOptions {
  std::string folder;    // made where it is missing, 0700
  std::string pipeline;  // a name such as a topic may have
  std::string features_topic;
  Millis query_max{2'000};  // one question takes no longer
  Millis check_max{1'000};  // looking the file through at the opening
};

class SqlitePredictionStore final : public PredictionStore {
 public:
  static Result<std::unique_ptr<SqlitePredictionStore>> open(SqliteStoreOptions options);
  ~SqlitePredictionStore() override;

  Result<Positions> positions() override;
  Status apply(const Batch& batch) override;
  Result<std::uint64_t> drop(std::int64_t before_ms, std::uint64_t records_max) override;
  Status clear() override;

  Result<std::optional<ById>> by_id(std::string_view id) override;
  Result<std::optional<Kept>> by_place(const Place& place) override;
  Result<Page> list(const ListQuery& query) override;
  Result<std::vector<std::optional<FirstOfId>>> find_ids(std::span<const std::string> ids) override;
  Result<StoreStats> stats() override;

 private:
  class File;
  explicit SqlitePredictionStore(std::unique_ptr<File> file);
  const std::unique_ptr<File> file_;
};

}  // namespace weir::predictions
