// A program that runs beside this process for a while, with all that it starts.
//
// It begins in a process group of its own, with an empty stdin, default signals and none of this
// process's files; what it says on stdout and stderr comes back line by line. It does not outlive
// the object, nor the thread that started it: then it is told to end (SIGTERM), and the group is
// killed where it has not done so within kEndsKindlyWithin. No zombie is left.
//
// Owner: who starts it. Threads: one. Errors: of start(), kBadConfig where there is no such
// program, kExhausted where no process can be made.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace weir::cli {

inline constexpr std::size_t kChildLineBytesMax = 8'000;  // a longer one comes in pieces
inline constexpr Millis kEndsKindlyWithin{1'500};

class ChildProcess {
 public:
  // command: the program, a path or a name to look for in `path`, and its arguments. environment:
  // all of it, "NAME=VALUE".
  static Result<std::unique_ptr<ChildProcess>> start(std::vector<std::string> command,
                                                     std::vector<std::string> environment,
                                                     std::string_view path);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  using LineSink = std::function<void(std::string_view line)>;
  // Hands on what was said, and waits for more for no longer than that. True once it has ended:
  // then all has been handed on, and the rest of its group is gone.
  bool wait(Millis wait_max, const LineSink& on_line);
  // As above: ends it.
  void end();

  pid_t pid() const { return pid_; }
  // After its end: whether it ended with 0, and how: "ended with 1", "was killed by signal 9".
  bool succeeded() const { return ended_ && status_ == 0; }
  std::string how_it_ended() const;
  std::optional<int> exit_code() const;  // unless a signal ended it

 private:
  ChildProcess(pid_t pid, int output) : pid_(pid), output_(output) {}
  void read_output(const LineSink& on_line);
  bool has_ended() const;
  void bury();

  const pid_t pid_;
  int output_;  // -1 once it is closed
  std::string line_;
  bool ended_ = false;
  int status_ = 0;
};

// The program that `name` stands for: a path, or a name that is looked for along `path`
// ("/usr/bin:/bin"). kBadConfig where nothing that can be run is there.
Result<std::string> find_program(const std::string& name, std::string_view path);

}  // namespace weir::cli
