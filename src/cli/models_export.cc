#include "cli/models_export.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/mlflow_folder.h"
#include "cli/version.h"
#include "cli/whole_files.h"
#include "model/onnx_export.h"
#include "registry/model_registry.h"

namespace weir::cli {
Status export_model(const ExportOptions& options) {
  auto context = WEIR_TRY(Context::make(options.common));
  store::FileStore* store = WEIR_TRY(context->store());
  const registry::ModelRegistry models(*store, context->settings().model.path);
  const registry::LoadedModel loaded = WEIR_TRY(models.load(options.version, ""));
  const std::string what = "exporting model " + std::to_string(options.version);
  // A path that ends in '/' names the same folder.
  std::string to = options.to;
  while (to.size() > 1 && to.ends_with('/')) to.pop_back();
  if (options.format == "onnx") {
    const std::string file =
        WEIR_TRY(during(model::to_onnx(*loaded.model, kProgramVersion,
                                       {{"weir.model_version", std::to_string(options.version)},
                                        {"weir.model_sha256", loaded.manifest.model_sha256}}),
                        what));
    WEIR_TRY(during(put_whole(to, {{"", file}}, Form::kFile), what));
  } else {
    WEIR_TRY(during(put_whole(to, mlflow_files(loaded), Form::kFolder), what));
  }
  if (options.common.json()) {
    const nlohmann::ordered_json json = {
        {"version", options.version}, {"format", options.format}, {"path", to}};
    std::printf("%s\n",
                json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    std::printf("%s\n", to.c_str());
  }
  return {};
}

}  // namespace weir::cli
