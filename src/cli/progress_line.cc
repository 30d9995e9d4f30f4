#include "cli/progress_line.h"

#include <unistd.h>

#include <cinttypes>
#include <cstdio>

#include "base/text.h"

namespace weir::cli {
namespace {

constexpr Millis kEvery{200};

}  // namespace

ProgressLine::ProgressLine(Clock& clock, bool wanted)
    : clock_(clock), on_(wanted && isatty(STDERR_FILENO) != 0), began_(clock.steady()) {}

ProgressLine::~ProgressLine() {
  if (written_) std::fputs("\r\x1b[K", stderr);
}

bool ProgressLine::due() {
  if (!on_ || clock_.steady() < next_) return false;
  next_ = clock_.steady() + kEvery;
  return true;
}

void ProgressLine::write(const std::string& text) {
  std::fprintf(stderr, "\r\x1b[K  %s", text.c_str());
  written_ = true;
}

void ProgressLine::show(std::string_view what, std::uint64_t done, std::uint64_t total) {
  if (!due()) return;
  const SteadyTime now = clock_.steady();
  if (what_ != what) {
    what_ = what;
    began_ = now;
  }
  const double seconds = std::chrono::duration<double>(now - began_).count();
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const double part =
      total > 0 ? 100.0 * static_cast<double>(done) / static_cast<double>(total) : 100.0;
  const double left = rate > 0 && total > done ? static_cast<double>(total - done) / rate : 0;
  char figures[128];
  std::snprintf(figures, sizeof figures,
                ": %" PRIu64 " of %" PRIu64 " (%.0f %%), %.0f/s, %.0f s left", done, total, part,
                rate, left);
  write(std::string(what) + figures);
}

void ProgressLine::show_bytes(std::string_view what, std::uint64_t bytes) {
  if (due()) write(std::string(what) + ": " + format_bytes(bytes));
}

}  // namespace weir::cli
