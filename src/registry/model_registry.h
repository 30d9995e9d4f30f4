// The model versions on a store: <models>/<10-digit version>/{model.json, manifest.json, test.csv}.
//
// A reader only ever sees whole, verified versions: publish() writes to <models>/.tmp-<unique>/,
// reads everything back, compares, and renames the folder to its final name, which happens at once.
//
// Owner: a role. Threads: calls from any thread; publish() and clean_temporaries() from the leading
// trainer alone. Errors: kNotFound (no such version), kCorrupt (a checksum does not match),
// kAlreadyExists (publish of a version that is there), kBadData and kUnsupported (see model.h), and
// the store's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/crash_point.h"
#include "base/error.h"
#include "model/model.h"
#include "registry/manifest.h"
#include "store/file_store.h"

namespace weir::registry {

struct LoadedModel {
  std::shared_ptr<const model::Model> model;
  Manifest manifest;
};

inline constexpr std::uint64_t kModelBytesMax = 256ull << 20;
inline constexpr std::uint64_t kManifestBytesMax = 16ull << 20;

class ModelRegistry {
 public:
  // `path`: the models folder, made by the first publish.
  ModelRegistry(store::FileStore& store, std::string path)
      : store_(store), path_(std::move(path)) {}

  // Rising; an empty list where there is no folder yet.
  Result<std::vector<std::uint64_t>> versions() const;
  Result<Manifest> manifest(std::uint64_t version) const;
  // Checks model.json against the manifest's sha256, and against `sha256` unless that is empty.
  Result<LoadedModel> load(std::uint64_t version, std::string_view sha256) const;
  // The sample of held-out rows: a header, first column "weir_row" (row number in the data set),
  // then the features and the target.
  Result<std::string> test_csv(std::uint64_t version) const;

  // manifest.model_sha256 is filled in by the caller.
  Status publish(const Manifest& manifest, std::string_view model_json, std::string_view test_csv,
                 const CrashPoints& crash_points);
  // Removes what an earlier trainer left half written.
  Status clean_temporaries();

  std::string version_path(std::uint64_t version) const;
  std::string url(std::uint64_t version) const { return store_.url(version_path(version)); }

 private:
  store::FileStore& store_;
  const std::string path_;
};

}  // namespace weir::registry
