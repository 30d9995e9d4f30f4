#include "registry/model_registry.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>

#include "base/sha256.h"
#include "base/text.h"

namespace weir::registry {
namespace {

constexpr std::string_view kTemporaryPrefix = ".tmp-";

// A folder of ten digits is a version; anything else in the models folder is none of ours.
std::uint64_t version_of(const std::string& name) {
  if (name.size() != 10 || name.find_first_not_of("0123456789") != std::string::npos) return 0;
  return static_cast<std::uint64_t>(parse_int64(name).value_or(0));
}

std::string unique_name() {
  std::random_device device;
  char name[32];
  std::snprintf(name, sizeof name, "%08x%08x", device(), device());
  return std::string(kTemporaryPrefix) + name;
}

}  // namespace

std::string ModelRegistry::version_path(std::uint64_t version) const {
  char name[24];
  std::snprintf(name, sizeof name, "%010llu", static_cast<unsigned long long>(version));
  return path_ + "/" + name;
}

Result<std::vector<std::uint64_t>> ModelRegistry::versions() const {
  auto entries = store_.list(path_);
  if (!entries) {
    if (entries.error().code() == Code::kNotFound) return std::vector<std::uint64_t>{};
    return fail(std::move(entries.error()).while_doing("listing models in " + store_.url(path_)));
  }
  std::vector<std::uint64_t> versions;
  for (const auto& entry : *entries) {
    const std::uint64_t version = entry.is_directory ? version_of(entry.name) : 0;
    if (version > 0) versions.push_back(version);
  }
  std::sort(versions.begin(), versions.end());
  return versions;
}

Result<Manifest> ModelRegistry::manifest(std::uint64_t version) const {
  const std::string path = version_path(version) + "/manifest.json";
  const auto attempt = [&]() -> Result<Manifest> {
    const std::string text = WEIR_TRY(store::read_all(store_, path, kManifestBytesMax));
    Manifest manifest = WEIR_TRY(Manifest::parse(text));
    if (manifest.version != version) {
      return fail(Code::kCorrupt, "the manifest is that of version " +
                                      std::to_string(manifest.version) + ", not of its folder");
    }
    return manifest;
  };
  auto manifest = during(attempt(), "reading " + store_.url(path));
  if (!manifest && manifest.error().code() == Code::kNotFound) {
    return fail(Code::kNotFound, "there is no model version " + std::to_string(version) + " in " +
                                     store_.url(path_));
  }
  return manifest;
}

Result<LoadedModel> ModelRegistry::load(std::uint64_t version, std::string_view sha256) const {
  LoadedModel loaded;
  loaded.manifest = WEIR_TRY(manifest(version));
  const std::string path = version_path(version) + "/model.json";
  const auto attempt = [&]() -> Status {
    const std::string text = WEIR_TRY(store::read_all(store_, path, kModelBytesMax));
    const std::string found = sha256_hex(text);
    if (found != loaded.manifest.model_sha256) {
      return fail(Code::kCorrupt,
                  "its sha256 is " + found + ", the manifest says " + loaded.manifest.model_sha256);
    }
    if (!sha256.empty() && found != sha256) {
      return fail(Code::kCorrupt,
                  "its sha256 is " + found + ", the control log says " + std::string(sha256));
    }
    loaded.model = WEIR_TRY(model::parse_model(text));
    if (loaded.model->schema() != loaded.manifest.schema) {
      return fail(Code::kCorrupt, "its schema is not the one in the manifest");
    }
    return {};
  };
  WEIR_TRY(during(attempt(), "loading " + store_.url(path)));
  return loaded;
}

Result<std::string> ModelRegistry::test_csv(std::uint64_t version) const {
  const std::string path = version_path(version) + "/test.csv";
  return during(store::read_all(store_, path, kModelBytesMax), "reading " + store_.url(path));
}

Status ModelRegistry::publish(const Manifest& manifest, std::string_view model_json,
                              std::string_view test_csv, const CrashPoints& crash_points) {
  const std::string temporary = path_ + "/" + unique_name();
  const std::string manifest_json = manifest.to_json();
  const std::array<store::NewFile, 3> files = {{
      {temporary + "/model.json", model_json},
      {temporary + "/manifest.json", manifest_json},
      {temporary + "/test.csv", test_csv},
  }};
  const auto attempt = [&]() -> Status {
    if (manifest_json.size() > kManifestBytesMax || model_json.size() > kModelBytesMax) {
      return fail(Code::kExhausted, "the model or its manifest is larger than readers take");
    }
    WEIR_TRY(store_.make_directories(temporary));
    WEIR_TRY(store_.create_all(files));
    crash_points.reach("temporary-written");
    for (const auto& [path, bytes] : files) {
      const std::string read = WEIR_TRY(store::read_all(store_, path, bytes.size() + 1));
      if (read != bytes) {
        return fail(Code::kCorrupt, store_.url(path) + " does not read back as it was written");
      }
    }
    return store_.rename(temporary, version_path(manifest.version));
  };
  Status done = during(attempt(), "publishing " + url(manifest.version));
  if (!done) {
    // The error is what matters; clean_temporaries() sweeps up where this fails too.
    static_cast<void>(store_.remove(temporary));
    return done;
  }
  crash_points.reach("renamed");
  return {};
}

Status ModelRegistry::clean_temporaries() {
  auto entries = store_.list(path_);
  if (!entries) {
    if (entries.error().code() == Code::kNotFound) return {};
    return fail(std::move(entries.error()));
  }
  for (const auto& entry : *entries) {
    if (entry.name.starts_with(kTemporaryPrefix)) WEIR_TRY(store_.remove(entry.path));
  }
  return {};
}

}  // namespace weir::registry
