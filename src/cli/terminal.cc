#include "cli/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace weir::cli {
namespace {

// The other screen, its whole, no cursor; and back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[2J\x1b[?25l";
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";
constexpr std::size_t kColumnsMin = 20;
constexpr std::size_t kRowsMin = 4;

// Past stdio: whoever leaves in a hurry may not wait for its lock.
void write_out(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

struct Terminal::Modes {
  termios modes{};
};

Terminal::Terminal() = default;
Terminal::~Terminal() { leave(); }

void Terminal::enter() {
  if (entered_.exchange(true)) return;
  termios before{};
  if (tcgetattr(STDIN_FILENO, &before) == 0) {
    before_ = std::make_unique<Modes>(Modes{before});
    termios own = before;
    own.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    own.c_cc[VMIN] = 0;
    own.c_cc[VTIME] = 0;
    own.c_cc[VSUSP] = _POSIX_VDISABLE;
    tcsetattr(STDIN_FILENO, TCSANOW, &own);
  }
  write_out(kEnter);
}

void Terminal::leave() {
  if (!entered_.exchange(false)) return;
  write_out(kLeave);
  if (before_) tcsetattr(STDIN_FILENO, TCSANOW, &before_->modes);
}

TerminalSize Terminal::size() {
  winsize window{};
  TerminalSize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 && window.ws_row > 0) {
    size.columns = std::max<std::size_t>(window.ws_col, kColumnsMin);
    size.rows = std::max<std::size_t>(window.ws_row, kRowsMin);
  }
  return size;
}

void Terminal::draw(const std::string& lines) {
  if (!entered_) return;
  std::string out = "\x1b[H";
  for (const char c : lines) {
    if (c == '\n') out += "\x1b[K\r\n";
    else out += c;
  }
  write_out(out + "\x1b[K\x1b[J");
}

std::optional<char> Terminal::key() {
  pollfd in{STDIN_FILENO, POLLIN, 0};
  char byte = 0;
  if (isatty(STDIN_FILENO) == 0 || poll(&in, 1, 0) != 1) return std::nullopt;
  if (read(STDIN_FILENO, &byte, 1) != 1) return std::nullopt;
  return byte;
}

}  // namespace weir::cli
