#include "cli/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/text.h"

namespace weir::cli {
namespace {

constexpr Millis kLookEvery{20};
constexpr int kFirstOfOurFiles = 3;

bool can_be_run(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// In the child, where nothing may be called but what is safe between fork and exec.
[[noreturn]] void become(const char* program, char** arguments, char** environment, int output,
                         int trouble, pid_t parent) {
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(127);  // it died before that was set
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  close_range(kFirstOfOurFiles, ~0U, CLOSE_RANGE_CLOEXEC);
  execve(program, arguments, environment);
  const int error = errno;
  static_cast<void>(!write(trouble, &error, sizeof error));
  _exit(127);
}

// What stopped the child from becoming the program; 0: nothing did.
int trouble_of(int trouble) {
  int error = 0;
  ssize_t got = 0;
  do {
    got = read(trouble, &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  return got == sizeof error ? error : 0;
}

}  // namespace

Result<std::string> find_program(const std::string& name, std::string_view path) {
  if (name.find('/') != std::string::npos) {
    if (can_be_run(name)) return name;
    return fail(Code::kBadConfig, "'" + one_line(name) + "' is no program that can be run");
  }
  for (std::string_view rest = path; !rest.empty();) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string found = std::string(rest.substr(0, end)) + "/" + name;
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (found.starts_with('/') && can_be_run(found)) return found;
  }
  return fail(Code::kBadConfig, "there is no program '" + one_line(name) + "' in PATH");
}

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(std::vector<std::string> command,
                                                          std::vector<std::string> environment,
                                                          std::string_view path) {
  const std::string program = WEIR_TRY(find_program(command.front(), path));
  const auto none = [](const char* what) {
    return fail(Code::kExhausted, std::string("cannot make ") + what + ": " + strerror(errno));
  };
  int output[2];
  int trouble[2];
  if (pipe2(output, O_CLOEXEC) != 0) return none("a pipe");
  if (pipe2(trouble, O_CLOEXEC) != 0) {
    const auto failed = none("a pipe");
    for (const int file : output) close(file);
    return failed;
  }
  const std::vector<char*> arguments = pointers_to(command);
  const std::vector<char*> variables = pointers_to(environment);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    become(program.c_str(), const_cast<char**>(arguments.data()),
           const_cast<char**>(variables.data()), output[1], trouble[1], parent);
  }
  const int fork_error = errno;
  close(output[1]);
  close(trouble[1]);
  if (pid < 0) {
    close(output[0]);
    close(trouble[0]);
    errno = fork_error;
    return none("a process");
  }
  setpgid(pid, pid);  // here, too: whoever is first
  fcntl(output[0], F_SETFL, O_NONBLOCK);
  std::unique_ptr<ChildProcess> child(new ChildProcess(pid, output[0]));
  const int error = trouble_of(trouble[0]);
  close(trouble[0]);
  if (error == 0) return child;
  return fail(Code::kBadConfig, "cannot run " + one_line(program) + ": " + strerror(error));
}

ChildProcess::~ChildProcess() {
  end();
  if (output_ >= 0) close(output_);
}

bool ChildProcess::wait(Millis wait_max, const LineSink& on_line) {
  const SteadyTime until = system_clock().steady() + wait_max;
  while (!ended_) {
    if (has_ended()) bury();
    // One that has closed its output, or whose children hold it open, is looked after all the same.
    const auto left = std::chrono::duration_cast<Millis>(until - system_clock().steady());
    const int slice =
        ended_ ? 0 : static_cast<int>(std::clamp(left, Millis{0}, kLookEvery).count());
    pollfd wanted{output_, POLLIN, 0};
    poll(&wanted, output_ >= 0 ? 1 : 0, slice);
    read_output(on_line);
    if (left <= Millis{0}) break;
  }
  if (!ended_) return false;
  if (!line_.empty()) on_line(line_);
  line_.clear();
  return true;
}

void ChildProcess::read_output(const LineSink& on_line) {
  char buffer[1 << 14];
  while (output_ >= 0) {
    const ssize_t got = read(output_, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      close(output_);
      output_ = -1;
      return;
    }
    for (std::string_view rest(buffer, static_cast<std::size_t>(got)); !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      const std::size_t taken = std::min(end, kChildLineBytesMax - line_.size());
      line_ += rest.substr(0, taken);
      const bool whole = taken == end && end < rest.size();
      rest.remove_prefix(taken + (whole ? 1 : 0));
      if (!whole && line_.size() < kChildLineBytesMax) continue;
      on_line(line_);
      line_.clear();
    }
    if (!ended_) return;  // one that never stops to talk does not keep its listener
  }
}

bool ChildProcess::has_ended() const {
  siginfo_t found{};
  // Left where it is: as long as it is there no other process can have its number.
  return waitid(P_PID, static_cast<id_t>(pid_), &found, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         found.si_pid == pid_;
}

void ChildProcess::bury() {
  kill(-pid_, SIGKILL);
  while (waitpid(pid_, &status_, 0) < 0 && errno == EINTR) continue;
  ended_ = true;
}

void ChildProcess::end() {
  if (ended_) return;
  kill(-pid_, SIGTERM);
  const SteadyTime until = system_clock().steady() + kEndsKindlyWithin;
  const auto nothing = [](std::string_view) {};
  while (!wait(kLookEvery, nothing) && system_clock().steady() < until) continue;
  if (!ended_) bury();
}

std::optional<int> ChildProcess::exit_code() const {
  if (!ended_ || !WIFEXITED(status_)) return std::nullopt;
  return WEXITSTATUS(status_);
}

std::string ChildProcess::how_it_ended() const {
  if (!ended_) return "is running";
  if (WIFSIGNALED(status_)) return "was killed by signal " + std::to_string(WTERMSIG(status_));
  return "ended with " + std::to_string(WEXITSTATUS(status_));
}

}  // namespace weir::cli
