#include <signal.h>
#include <sys/poll.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/version.h"

namespace weir::cli {
namespace {

constexpr std::array kCommands = {add_run,      add_train,  add_produce, add_score,  add_serve,
                                  add_watch,    add_status, add_drop,    add_models, add_predict,
                                  add_describe, add_audit,  add_config,  add_doctor, add_plan,
                                  add_stats,    add_merge,  add_fit,     add_top};

constexpr const char* kAbout =
    "Weirkeeper: drop a data set into HDFS, and a Kafka stream is scored by a model trained on it.";

constexpr const char* kFooter =
    "Exit codes: 0 ok, 1 some items failed, 2 usage, 65 bad data, 69 a server cannot be reached,\n"
    "70 a role got stuck, 74 input or output failed, 78 bad configuration.\n"
    "141 who read the output has gone, 128 + N ended at once by signal N.\n"
    "Data goes to stdout, messages go to stderr. 'weir COMMAND --help' tells more.";

// As `head` goes once it has seen enough: no fault of anybody.
bool reader_has_gone() {
  pollfd out{STDOUT_FILENO, 0, 0};
  return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app(kAbout, "weir");
  app.require_subcommand(1);
  app.footer(kFooter);
  app.set_version_flag("--version", version_text(), "Print the version and what it is built with");
  Action action;
  for (const auto add : kCommands) add(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    // CLI11's own codes are above 100; those of --help and --version are 0.
    return app.exit(e) == 0 ? 0 : 2;
  }
  const int code = action();
  // What did not arrive, on a full disk perhaps, must not look like a success.
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (written) return code;
  if (reader_has_gone()) return code == kExitOk || code == kExitIo ? kExitReaderGone : code;
  const int failed = report(Error(Code::kIo, "not all of the output could be written to stdout"));
  return code == kExitOk || code == kExitSomeFailed ? failed : code;
}

}  // namespace weir::cli
