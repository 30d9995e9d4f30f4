#include <signal.h>

#include "cli/commands.h"

int main(int argc, char** argv) {
  // A peer that goes away is an error of a write, here and inside libcurl and librdkafka.
  signal(SIGPIPE, SIG_IGN);
  // Whoever started us may have left it ignored: then no child's end could be waited for.
  signal(SIGCHLD, SIG_DFL);
  return weir::cli::run_command_line(argc, argv);
}
