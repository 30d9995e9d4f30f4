// The models folder and the data folders against the control log: promises 4 and 5.
//
// What is looked for as missing is judged by the control log as it was before the look, what is
// found beyond that by the log as it was after: so a live trainer is not accused.
//
// Owner: one audit. Threads: one. Errors: the store's, and those of `progress`.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/control_history.h"
#include "audit/findings.h"
#include "audit/recompute.h"
#include "record/control.h"
#include "store/file_store.h"

namespace weir::audit {

// What the audit needs of a manifest.
struct ManifestFacts {
  std::uint64_t version = 0;
  record::DatasetIdentity dataset;
  std::string dataset_sha256;  // one of the two may be empty
  std::string splits_sha256;
  std::uint64_t split_bytes = 0;
  std::uint64_t rows = 0;
  std::uint64_t rows_trained = 0;
  std::uint64_t rows_held_out = 0;
  std::uint64_t rows_refused = 0;
  std::uint64_t refused_by_reason = 0;  // summed up
  std::string model_sha256;
  // Of a model that was imported: so many bytes of its data set, from the beginning, are
  // model.json.
  std::optional<std::uint64_t> model_bytes;

  static Result<ManifestFacts> parse(std::string_view json);
};

struct FolderEntry {
  store::FileStatus status;
  std::vector<store::FileStatus> inside;  // of a directory
};

// Everything below the models folder and the data folders, listed once.
struct StoreListing {
  std::vector<FolderEntry> models;
  std::vector<store::FileStatus> dropped;
  std::vector<FolderEntry> used;
  std::vector<store::FileStatus> rejected;

  static Result<StoreListing> look(store::FileStore& store, const std::string& dataset_path,
                                   const std::string& models_path);
};

struct StoreCounts {
  std::uint64_t models = 0;
  std::uint64_t datasets = 0;
  std::uint64_t dataset_bytes = 0;  // read again and hashed
};

using StoreProgress = std::function<Status(std::uint64_t bytes_done)>;

class StoreAudit {
 public:
  // since_ms: epochs that ended before are left out.
  StoreAudit(store::FileStore& store, const StoreListing& listing, const ControlHistory& before,
             const ControlHistory& after, std::int64_t since_ms, Findings& findings);

  Status check_models();
  Status check_datasets(const StoreProgress& progress);

  const StoreCounts& counts() const { return counts_; }
  const std::map<std::uint64_t, AuditModel>& models() const { return models_; }

 private:
  Status check_model(const FolderEntry& entry, std::uint64_t version);
  void check_announced(std::uint64_t version, const std::string& name);
  Status check_used(std::uint64_t epoch, const Reign& reign, const StoreProgress& progress);
  Status check_bytes(const FolderEntry& entry, const ManifestFacts& facts,
                     const StoreProgress& progress);
  bool has_digest(const std::string& where, const char* kind, const std::string& found,
                  const std::string& expected, std::uint64_t version);
  void check_rows(const ManifestFacts& facts, const std::string& where);
  void check_refused(std::uint64_t epoch, const Reign& reign);
  void check_strays();
  bool still_dropped(const record::DatasetIdentity& identity) const;
  bool is_last_data_epoch(std::uint64_t epoch) const;

  store::FileStore& store_;
  const StoreListing& listing_;
  const ControlHistory& before_;
  const ControlHistory& after_;
  const std::int64_t since_ms_;
  Findings& findings_;
  StoreCounts counts_;
  std::map<std::uint64_t, AuditModel> models_;
  std::map<std::uint64_t, ManifestFacts> manifests_;
};

}  // namespace weir::audit
