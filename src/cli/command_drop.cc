// weir drop: a file into the drop folder, whole or not at all.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/file_command.h"
#include "cli/upload.h"

namespace weir::cli {
namespace {

constexpr std::size_t kShownBytesMax = 200;

// Why this cannot be a data set's name; empty where it can. A trainer passes over what begins or
// ends as half an upload does, and a line end in a name would split lines of listings and logs.
std::string name_fault(const std::string& name) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (name.empty()) return "it is empty";
  if (name.front() == '.' || name.front() == '_') return "it begins with '.' or '_'";
  if (name.find('/') != std::string::npos) return "it holds a '/'";
  if (std::any_of(name.begin(), name.end(), is_control)) return "it holds a control character";
  if (name == "used" || name == "rejected") return "the trainer has a folder of that name";
  for (const char* ending : {"._COPYING_", ".tmp", ".inprogress"}) {
    if (name.ends_with(ending))
      return "it ends in '" + std::string(ending) + "', as half an upload does";
  }
  return "";
}

// Under a name that no trainer looks at, then renamed: whole or not at all.
Result<std::uint64_t> drop_file(const FileOptions& options) {
  auto context = WEIR_TRY(Context::make(options.common));
  store::FileStore* store = WEIR_TRY(context->store());
  const std::string& folder = context->settings().dataset.path;
  const std::string name =
      options.name.empty() ? std::filesystem::path(options.file).filename().string() : options.name;
  if (const std::string fault = name_fault(name); !fault.empty()) {
    return fail(Code::kInvalidArgument, "'" + name + "' cannot be a data set's name: " + fault +
                                            "; give another with --as");
  }
  const std::string target = folder + "/" + name;
  // A name that a store just takes would be too long with more around it.
  const std::string shown = name.size() <= kShownBytesMax ? name : sha256_hex(name);
  const std::string temporary = folder + "/." + shown + "." + std::to_string(getpid()) + ".tmp";
  const auto attempt = [&]() -> Status {
    WEIR_TRY(store->make_directories(folder));  // who is away altogether is not waited for
    WEIR_TRY(upload(*store, options.file, temporary, context->clock()));
    return store->rename(temporary, target);
  };
  Status dropped = during(attempt(), "dropping " + options.file + " as " + store->url(target));
  if (!dropped) {
    // A server that is away would only be waited for once more.
    if (!dropped.error().retryable()) static_cast<void>(store->remove(temporary));
    return fail(std::move(dropped.error()));
  }
  if (options.common.json()) {
    const nlohmann::json json = {{"dataset", store->url(target)}};
    std::printf("%s\n",
                json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    std::printf("%s\n", store->url(target).c_str());
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
