#include "cli/file_command.h"

#include <memory>

namespace weir::cli {

void add_file_command(CLI::App& app, Action& action, const char* name, const char* about,
                      Result<std::uint64_t> (*run)(const FileOptions&),
                      const std::function<void(CLI::App&, FileOptions&)>& declare) {
  auto options = std::make_shared<FileOptions>();
  CLI::App* command = app.add_subcommand(name, about);
  add_common_options(*command, options->common);
  declare(*command, *options);
  command->callback([options, run, &action] {
    action = [options, run] {
      const auto failed = run(*options);
      if (!failed) return report(failed.error());
      return *failed == 0 ? kExitOk : kExitSomeFailed;
    };
  });
}

}  // namespace weir::cli
