#include "cli/models_export.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/mlflow_folder.h"
#include "cli/version.h"
#include "model/onnx_export.h"
#include "registry/model_registry.h"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;

Status write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (file) return {};
  return fail(Code::kIo, path.string() + ": it cannot be written");
}

// Writes beside the place and renames: whole or not at all.
Status put(const fs::path& to, const std::vector<std::pair<std::string, std::string>>& files,
           bool as_folder) {
  std::error_code error;
  if (fs::exists(to, error)) {
    return fail(Code::kAlreadyExists, to.string() + " is there already; name another place");
  }
  const fs::path temporary = to.string() + "." + std::to_string(getpid()) + ".tmp";
  const auto attempt = [&]() -> Status {
    for (const auto& [name, bytes] : files) {
      const fs::path path = as_folder ? temporary / name : temporary;
      if (as_folder) fs::create_directories(path.parent_path(), error);
      if (error) return fail(Code::kIo, path.parent_path().string() + ": " + error.message());
      WEIR_TRY(write_file(path, bytes));
    }
    fs::rename(temporary, to, error);
    if (error) return fail(Code::kIo, to.string() + ": " + error.message());
    return {};
  };
  Status done = attempt();
  if (!done) fs::remove_all(temporary, error);
  return done;
}

}  // namespace

Status export_model(const ExportOptions& options) {
  auto context = WEIR_TRY(Context::make(options.common));
  store::FileStore* store = WEIR_TRY(context->store());
  const registry::ModelRegistry models(*store, context->settings().model.path);
  const registry::LoadedModel loaded = WEIR_TRY(models.load(options.version, ""));
  const std::string what = "exporting model " + std::to_string(options.version);
  // A path that ends in '/' names the same folder.
  const fs::path to = fs::path(options.to).has_filename() ? fs::path(options.to)
                                                          : fs::path(options.to).parent_path();
  if (options.format == "onnx") {
    const std::string file =
        WEIR_TRY(during(model::to_onnx(*loaded.model, kProgramVersion,
                                       {{"weir.model_version", std::to_string(options.version)},
                                        {"weir.model_sha256", loaded.manifest.model_sha256}}),
                        what));
    WEIR_TRY(during(put(to, {{"", file}}, false), what));
  } else {
    WEIR_TRY(during(put(to, mlflow_files(loaded), true), what));
  }
  if (options.common.json()) {
    const nlohmann::ordered_json json = {
        {"version", options.version}, {"format", options.format}, {"path", to.string()}};
    std::printf("%s\n",
                json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    std::printf("%s\n", to.c_str());
  }
  return {};
}

}  // namespace weir::cli
