#include "cli/progress_line.h"

#include <unistd.h>

#include <cinttypes>
#include <cstdio>

#include "base/text.h"

namespace weir::cli {
namespace {

constexpr Millis kEvery{200};

}  // namespace

std::string training_text(std::string_view dataset, const train::TrainingProgress& progress,
                          double seconds) {
  const auto done = static_cast<double>(progress.bytes);
  const auto total = static_cast<double>(progress.bytes_total);
  std::string text = (progress.rows > 0 ? "training on " : "looking at the columns of ") +
                     one_line(dataset) + ": " + format_bytes(progress.bytes) + " of " +
                     format_bytes(progress.bytes_total);
  char figures[96];
  std::snprintf(figures, sizeof figures, " (%.0f %%)", total > 0 ? 100 * done / total : 100.0);
  text += figures;
  if (progress.rows > 0) {
    text += ", " + std::to_string(progress.rows) + " rows";
  }
  if (seconds > 0 && progress.rows > 0) {
    std::snprintf(figures, sizeof figures, ", %.0f rows/s",
                  static_cast<double>(progress.rows) / seconds);
    text += figures;
  }
  if (seconds > 0 && done > 0) {
    std::snprintf(figures, sizeof figures, ", %.0f s left", (total - done) / (done / seconds));
    text += figures;
  }
  return text;
}

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
  // Back at the line's start: what stdout shows on the same terminal begins there.
  std::fprintf(stderr, "\r\x1b[K  %s\r", text.c_str());
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

void ProgressLine::show_training(std::string_view dataset,
                                 const train::TrainingProgress& progress) {
  // The columns were looked at, and now the rows are read; or they are read once more.
  if (progress.bytes < bytes_ || what_ != dataset) {
    what_ = dataset;
    began_ = clock_.steady();
  }
  bytes_ = progress.bytes;
  if (!due()) return;
  const std::chrono::duration<double> spent = clock_.steady() - began_;
  write(training_text(dataset, progress, spent.count()));
}

void ProgressLine::show_bytes(std::string_view what, std::uint64_t bytes) {
  if (due()) write(std::string(what) + ": " + format_bytes(bytes));
}

}  // namespace weir::cli
