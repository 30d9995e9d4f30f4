// weir drop: a file into the drop folder, whole or not at all.
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/drop_folder.h"
#include "cli/file_command.h"
#include "cli/upload.h"

namespace weir::cli {
namespace {

Result<std::uint64_t> drop_file(const FileOptions& options) {
  auto context = WEIR_TRY(Context::make(options.common));
  const std::string name =
      options.name.empty() ? std::filesystem::path(options.file).filename().string() : options.name;
  const std::string url = WEIR_TRY(drop_dataset(
      *context, name, options.file, [&](store::FileStore& store, const std::string& path) {
        return upload(store, options.file, path, context->clock());
      }));
  if (options.common.json()) {
    const nlohmann::json json = {{"dataset", url}};
    std::printf("%s\n",
                json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    std::printf("%s\n", url.c_str());
  }
  return 0;
}

}  // namespace

void add_drop(CLI::App& app, Action& action) {
  add_file_command(
      app, action, "drop", "Upload a data set to the drop folder, whole or not at all", drop_file,
      [](CLI::App& command, FileOptions& options) {
        command.add_option("FILE", options.file, "A CSV file of this machine")->required();
        command.add_option("--as", options.name, "Another name in the drop folder");
      });
}

}  // namespace weir::cli
