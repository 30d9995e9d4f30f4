#include "audit/store_audit.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "audit/csv_count.h"
#include "audit/splits_digest.h"
#include "base/sha256.h"
#include "base/text.h"

namespace weir::audit {
namespace {

constexpr std::size_t kVersionDigits = 10;
constexpr std::uint64_t kModelBytesMax = 256ull << 20;
constexpr std::uint64_t kManifestBytesMax = 16ull << 20;
constexpr std::string_view kReasonEnding = ".reason.json";

// "a.csv" and 7 -> "a.7.csv"; "a" -> "a.7": the name of a data set after epoch 7.
std::string marked(const std::string& name, std::uint64_t epoch) {
  const std::size_t dot = name.rfind('.');
  const std::string mark = "." + std::to_string(epoch);
  if (dot == std::string::npos || dot == 0) return name + mark;
  return name.substr(0, dot) + mark + name.substr(dot);
}

std::string name_of(const record::DatasetIdentity& dataset) {
  return store::base_name(dataset.path);
}

// Whether a file of a folder is data: its name neither begins nor ends as those do that are not
// looked at.
bool is_part(const std::string& name) {
  return !name.starts_with('_') && !name.starts_with('.') && !name.ends_with("._COPYING_") &&
         !name.ends_with(".tmp") && !name.ends_with(".inprogress");
}

// The number that a version's folder stands for.
std::optional<std::uint64_t> version_of(const std::string& name) {
  const bool digits =
      name.size() == kVersionDigits && name.find_first_not_of("0123456789") == std::string::npos;
  return digits ? std::optional(std::stoull(name)) : std::nullopt;
}

template <typename Entries>
auto find_name(const Entries& entries, const std::string& name) {
  return std::find_if(entries.begin(), entries.end(), [&](const auto& entry) {
    if constexpr (requires { entry.status; }) {
      return entry.status.name == name;
    } else {
      return entry.name == name;
    }
  });
}

// An empty list where there is no folder.
Result<std::vector<store::FileStatus>> list_or_nothing(store::FileStore& store,
                                                       const std::string& path) {
  auto entries = store.list(path);
  if (!entries && entries.error().code() == Code::kNotFound)
    return std::vector<store::FileStatus>();
  return during(std::move(entries), "listing " + store.url(path));
}

Result<std::vector<FolderEntry>> list_deep(store::FileStore& store, const std::string& path) {
  std::vector<FolderEntry> found;
  for (auto& status : WEIR_TRY(list_or_nothing(store, path))) {
    FolderEntry entry{std::move(status), {}};
    if (entry.status.is_directory) {
      entry.inside = WEIR_TRY(list_or_nothing(store, entry.status.path));
    }
    found.push_back(std::move(entry));
  }
  return found;
}

// A data set that is a model trained elsewhere: the model file, a line that says where it came
// from, and rows as CSV. Any other is rows alone.
class DatasetBytes {
 public:
  explicit DatasetBytes(const std::optional<std::uint64_t>& model_bytes)
      : model_left_(model_bytes.value_or(0)), before_rows_(model_bytes.has_value()) {}

  // What of these bytes are rows.
  std::string_view rows_of(std::string_view bytes) {
    const auto of_model =
        static_cast<std::size_t>(std::min<std::uint64_t>(model_left_, bytes.size()));
    model_.update(bytes.substr(0, of_model));
    model_left_ -= of_model;
    bytes.remove_prefix(of_model);
    if (!before_rows_ || bytes.empty()) return bytes;
    const std::size_t line_end = bytes.find('\n');
    if (line_end == std::string_view::npos) return {};
    before_rows_ = false;
    return bytes.substr(line_end + 1);
  }
  std::string finish_model_sha256() { return model_.finish_hex(); }

 private:
  Sha256 model_;
  std::uint64_t model_left_;
  bool before_rows_;
};

}  // namespace

Result<ManifestFacts> ManifestFacts::parse(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  try {
    ManifestFacts facts;
    const auto& dataset = json.at("dataset");
    facts.version = json.at("version");
    facts.dataset = {dataset.at("path"), dataset.at("bytes"), dataset.at("modified_ms"),
                     dataset.at("file_id")};
    facts.dataset_sha256 = dataset.at("sha256");
    if (dataset.contains("splits_sha256")) {  // not in old ones
      facts.splits_sha256 = dataset["splits_sha256"];
      facts.split_bytes = dataset.at("split_bytes");
    }
    const bool read_apart = !facts.splits_sha256.empty();
    if (read_apart ? facts.split_bytes == 0 : facts.dataset_sha256.empty()) {
      return fail(Code::kCorrupt, "the manifest tells no digest of its data set");
    }
    facts.rows = dataset.at("rows");
    facts.rows_trained = dataset.at("rows_trained");
    facts.rows_held_out = dataset.at("rows_held_out");
    facts.rows_refused = dataset.at("rows_refused");
    for (const auto& reason : dataset.at("refused_by_reason")) {
      facts.refused_by_reason += reason.get<std::uint64_t>();
    }
    facts.model_sha256 = json.at("model_sha256");
    if (json.contains("imported")) {
      facts.model_bytes = json["imported"].at("model_bytes").get<std::uint64_t>();
    }
    return facts;
  } catch (const nlohmann::json::exception& e) {
    return fail(Code::kCorrupt, std::string("the manifest is not as it should be: ") + e.what());
  }
}

Result<StoreListing> StoreListing::look(store::FileStore& store, const std::string& dataset_path,
                                        const std::string& models_path) {
  StoreListing listing;
  // What moves goes from the drop folder to the others: looked at in this order it is seen.
  listing.dropped = WEIR_TRY(list_or_nothing(store, dataset_path));
  listing.used = WEIR_TRY(list_deep(store, store::join_path(dataset_path, "used")));
  listing.rejected = WEIR_TRY(list_or_nothing(store, store::join_path(dataset_path, "rejected")));
  listing.models = WEIR_TRY(list_deep(store, models_path));
  return listing;
}

StoreAudit::StoreAudit(store::FileStore& store, const StoreListing& listing,
                       const ControlHistory& before, const ControlHistory& after,
                       std::int64_t since_ms, Findings& findings)
    : store_(store),
      listing_(listing),
      before_(before),
      after_(after),
      since_ms_(since_ms),
      findings_(findings) {}

// ---- models ----

Status StoreAudit::check_models() {
  for (const FolderEntry& entry : listing_.models) {
    // Readers never look at these; a trainer at work has one, and sweeps those of crashes.
    if (entry.status.name.starts_with(".tmp-")) continue;
    const auto version = version_of(entry.status.name);
    if (!version || !entry.status.is_directory) {
      findings_.add(Breach::kStrayModelFile, [&] { return store_.url(entry.status.path); });
      continue;
    }
    check_announced(*version, entry.status.path);
    WEIR_TRY(check_model(entry, *version));
  }
  for (const std::uint64_t version : before_.trained()) {
    const bool there =
        std::any_of(listing_.models.begin(), listing_.models.end(),
                    [&](const auto& e) { return version_of(e.status.name) == version; });
    if (there) continue;
    findings_.add(Breach::kModelMissing, [&] { return "version " + std::to_string(version); });
  }
  return {};
}

void StoreAudit::check_announced(std::uint64_t version, const std::string& path) {
  const auto reign = after_.reigns.find(version);
  // A version is published before its resume is written.
  if (reign != after_.reigns.end() && (reign->second.trained() || !reign->second.resume)) return;
  findings_.add(Breach::kModelUnannounced, [&] { return store_.url(path); });
}

Status StoreAudit::check_model(const FolderEntry& entry, std::uint64_t version) {
  ++counts_.models;
  const std::string where = store_.url(entry.status.path);
  const auto broken = [&](const std::string& why) {
    findings_.add(Breach::kModelBroken, [&] { return where + ": " + why; });
    return Status();
  };
  for (const char* name : {"manifest.json", "model.json", "test.csv"}) {
    if (find_name(entry.inside, name) == entry.inside.end()) {
      return broken("there is no " + std::string(name));
    }
  }
  for (const auto& file : entry.inside) {
    if (file.name == "manifest.json" || file.name == "model.json" || file.name == "test.csv")
      continue;
    findings_.add(Breach::kStrayModelFile, [&] { return store_.url(file.path); });
  }
  const auto read = [&](const char* name, std::uint64_t bytes_max) {
    return store::read_all(store_, store::join_path(entry.status.path, name), bytes_max);
  };
  auto manifest_text = read("manifest.json", kManifestBytesMax);
  if (!manifest_text && manifest_text.error().code() == Code::kCorrupt) {
    return broken(manifest_text.error().message());
  }
  const auto facts = ManifestFacts::parse(WEIR_TRY(std::move(manifest_text)));
  if (!facts) return broken(facts.error().message());
  if (facts->version != version) {
    return broken("the manifest is that of version " + std::to_string(facts->version));
  }
  const std::string model_text = WEIR_TRY(read("model.json", kModelBytesMax));
  const std::string sha256 = sha256_hex(model_text);
  if (sha256 != facts->model_sha256) {
    return broken("model.json has sha256 " + sha256 + ", its manifest says " + facts->model_sha256);
  }
  const auto reign = after_.reigns.find(version);
  if (reign != after_.reigns.end() && reign->second.trained() &&
      reign->second.resume->sha256 != sha256) {
    return broken("model.json has sha256 " + sha256 + ", the control log says " +
                  reign->second.resume->sha256);
  }
  auto model = AuditModel::parse(model_text);
  if (!model) return broken(model.error().message());
  models_.emplace(version, std::move(*model));
  manifests_.emplace(version, *facts);
  return {};
}

// ---- data sets ----

bool StoreAudit::still_dropped(const record::DatasetIdentity& identity) const {
  return std::any_of(listing_.dropped.begin(), listing_.dropped.end(), [&](const auto& entry) {
    return entry.path == identity.path && entry.file_id == identity.file_id &&
           (entry.is_directory ||
            (entry.length == identity.length && entry.modified_ms == identity.modified_ms));
  });
}

// The last data set may still have to be moved: nothing else is taken up before it is.
bool StoreAudit::is_last_data_epoch(std::uint64_t epoch) const {
  for (auto it = after_.reigns.upper_bound(epoch); it != after_.reigns.end(); ++it) {
    if (it->second.begin.dataset) return false;
  }
  return true;
}

Status StoreAudit::check_datasets(const StoreProgress& progress) {
  std::map<std::string, std::uint64_t> trained_ids;
  for (const auto& [epoch, reign] : before_.reigns) {
    if (!reign.resume || !reign.begin.dataset || reign.resumed_ms < since_ms_) continue;
    ++counts_.datasets;
    const record::DatasetIdentity& identity = *reign.begin.dataset;
    if (reign.trained() && !identity.file_id.empty()) {
      const auto [first, fresh] = trained_ids.emplace(identity.file_id, epoch);
      if (!fresh) {
        findings_.add(Breach::kDatasetTwice, [&, epoch = epoch] {
          return one_line(identity.path) + " has models " + std::to_string(first->second) +
                 " and " + std::to_string(epoch);
        });
      }
    }
    const bool dropped = still_dropped(identity);
    if (dropped && is_last_data_epoch(epoch)) continue;
    if (dropped) {
      findings_.add(Breach::kDatasetTwice, [&, epoch = epoch] {
        return store_.url(identity.path) + " is still in the drop folder after epoch " +
               std::to_string(epoch);
      });
    }
    if (reign.trained()) {
      WEIR_TRY(check_used(epoch, reign, progress));
    } else {
      check_refused(epoch, reign);
    }
  }
  check_strays();
  return {};
}

Status StoreAudit::check_used(std::uint64_t epoch, const Reign& reign,
                              const StoreProgress& progress) {
  const std::string name = marked(name_of(*reign.begin.dataset), epoch);
  const auto entry = find_name(listing_.used, name);
  if (entry == listing_.used.end()) {
    findings_.add(Breach::kDatasetMissing, [&] {
      return "used/" + one_line(name) + ", which model " + std::to_string(epoch) +
             " was trained on";
    });
    return {};
  }
  if (find_name(listing_.rejected, name) != listing_.rejected.end()) {
    findings_.add(Breach::kDatasetTwice,
                  [&] { return one_line(name) + " is in used/ and in rejected/"; });
  }
  const auto manifest = manifests_.find(epoch);
  if (manifest == manifests_.end()) return {};  // told of as a broken model
  if (manifest->second.dataset != *reign.begin.dataset) {
    findings_.add(Breach::kDatasetChanged, [&] {
      return store_.url(entry->status.path) + ": the manifest of version " + std::to_string(epoch) +
             " names another data set than the control log";
    });
  }
  return check_bytes(*entry, manifest->second, progress);
}

Status StoreAudit::check_bytes(const FolderEntry& entry, const ManifestFacts& facts,
                               const StoreProgress& progress) {
  const std::string where = store_.url(entry.status.path);
  std::vector<store::FileStatus> parts = {entry.status};
  if (entry.status.is_directory) {
    parts.clear();
    for (const auto& file : entry.inside) {
      if (!file.is_directory && is_part(file.name)) parts.push_back(file);
    }
  }
  Sha256 hash;
  const bool in_splits = !facts.splits_sha256.empty();
  SplitsDigest splits(std::max<std::uint64_t>(facts.split_bytes, 1));
  DatasetBytes dataset(facts.model_bytes);
  std::uint64_t records = 0;
  for (const auto& part : parts) {
    CsvCount count;
    const auto take = [&](std::string_view bytes) -> Status {
      if (!facts.dataset_sha256.empty()) hash.update(bytes);
      if (in_splits) splits.update(bytes);
      count.update(dataset.rows_of(bytes));
      counts_.dataset_bytes += bytes.size();
      return progress(counts_.dataset_bytes);
    };
    auto read = store_.read(part.path, 0, store::kToEnd, take);
    if (!read && read.error().code() == Code::kNotFound) {
      findings_.add(Breach::kDatasetMissing,
                    [&] { return where + " went while it was looked at"; });
      return {};
    }
    WEIR_TRY(during(std::move(read), "reading " + store_.url(part.path)));
    if (in_splits) splits.end_part();
    const std::uint64_t with_header = count.finish();
    records += with_header > 0 ? with_header - 1 : 0;
  }
  if (!facts.dataset_sha256.empty() &&
      !has_digest(where, "sha256", hash.finish_hex(), facts.dataset_sha256, facts.version)) {
    return {};
  }
  if (in_splits &&
      !has_digest(where, "splits_sha256", splits.finish(), facts.splits_sha256, facts.version)) {
    return {};
  }
  if (facts.model_bytes && dataset.finish_model_sha256() != facts.model_sha256) {
    findings_.add(Breach::kModelBroken, [&] {
      return "version " + std::to_string(facts.version) + " is not the model in " + where +
             ", which it was imported from";
    });
  }
  if (records != facts.rows) {
    findings_.add(Breach::kRowsDoNotAddUp, [&] {
      return where + " has " + std::to_string(records) + " rows, its manifest says " +
             std::to_string(facts.rows);
    });
  }
  check_rows(facts, where);
  return {};
}

bool StoreAudit::has_digest(const std::string& where, const char* kind, const std::string& found,
                            const std::string& expected, std::uint64_t version) {
  if (found == expected) return true;
  findings_.add(Breach::kDatasetChanged, [&] {
    return where + " has " + kind + " " + found + ", version " + std::to_string(version) +
           " was trained on " + expected;
  });
  return false;
}

void StoreAudit::check_rows(const ManifestFacts& facts, const std::string& where) {
  if (facts.rows == facts.rows_trained + facts.rows_held_out + facts.rows_refused &&
      facts.rows_refused == facts.refused_by_reason) {
    return;
  }
  findings_.add(Breach::kRowsDoNotAddUp, [&] {
    return where + ": " + std::to_string(facts.rows) + " rows are not " +
           std::to_string(facts.rows_trained) + " trained, " + std::to_string(facts.rows_held_out) +
           " held out and " + std::to_string(facts.rows_refused) + " refused (" +
           std::to_string(facts.refused_by_reason) + " by reason)";
  });
}

void StoreAudit::check_refused(std::uint64_t epoch, const Reign& reign) {
  const std::string name = marked(name_of(*reign.begin.dataset), epoch);
  if (find_name(listing_.used, name) != listing_.used.end()) {
    findings_.add(Breach::kDatasetTwice, [&] {
      return one_line(name) + " is in used/, but epoch " + std::to_string(epoch) + " refused it";
    });
  }
  if (find_name(listing_.rejected, name) == listing_.rejected.end()) {
    // One that failed may have been taken away or replaced by its owner: that was the failure.
    if (reign.resume->outcome == record::Outcome::kFailed) return;
    findings_.add(Breach::kDatasetMissing, [&] {
      return "rejected/" + one_line(name) + ", which epoch " + std::to_string(epoch) + " refused";
    });
  }
}

void StoreAudit::check_strays() {
  std::map<std::string, bool> used_names;
  std::map<std::string, bool> rejected_names;
  for (const auto& [epoch, reign] : after_.reigns) {
    if (!reign.resume || !reign.begin.dataset) continue;
    (reign.trained() ? used_names : rejected_names)[marked(name_of(*reign.begin.dataset), epoch)] =
        true;
  }
  for (const auto& entry : listing_.used) {
    if (used_names.contains(entry.status.name)) continue;
    findings_.add(Breach::kStrayData, [&] { return store_.url(entry.status.path); });
  }
  for (const auto& entry : listing_.rejected) {
    if (entry.name.ends_with(kReasonEnding)) continue;
    if (find_name(listing_.rejected, entry.name + std::string(kReasonEnding)) ==
        listing_.rejected.end()) {
      findings_.add(Breach::kReasonMissing, [&] { return store_.url(entry.path); });
    }
    const bool duplicate = entry.name.find(".duplicate-") != std::string::npos;
    if (duplicate || rejected_names.contains(entry.name)) continue;
    findings_.add(Breach::kStrayData, [&] { return store_.url(entry.path); });
  }
}

}  // namespace weir::audit
