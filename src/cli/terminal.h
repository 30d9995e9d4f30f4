// A terminal that a command draws on from corner to corner, and gives back as it was.
//
// What stood there before is kept in the terminal's other screen. Keys are read one by one and not
// echoed; Ctrl-C stays the signal that it is, Ctrl-Z does nothing.
//
// Owner: a command. Threads: leave() from any, and more than once; the rest one. Errors: none;
// where stdin is no terminal no key comes.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

namespace weir::cli {

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
  bool operator==(const TerminalSize&) const = default;
};

class Terminal {
 public:
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void enter();
  void leave();
  static TerminalSize size();
  // The lines are drawn over what stood there; what is left of it is wiped.
  void draw(const std::string& lines);
  // The next key that was pressed, if any; does not wait.
  static std::optional<char> key();

 private:
  std::atomic<bool> entered_{false};
  struct Modes;
  std::unique_ptr<Modes> before_;  // null: stdin is no terminal
};

}  // namespace weir::cli
