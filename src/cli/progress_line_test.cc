#include "cli/progress_line.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <string>

#include "base/simulated_clock.h"

namespace weir::cli {
namespace {

TEST(ProgressLine, tells_bytes_rows_speed_and_the_time_left_of_a_training) {
  EXPECT_EQ(training_text("a.csv", {250'000'000, 1'000'000'000, 3'000'000}, 1.5),
            "training on a.csv: 250 MB of 1.0 GB (25 %), 3000000 rows, 2000000 rows/s, "
            "4 s left");
  EXPECT_EQ(training_text("a.csv", {1'000, 1'000, 10}, 2),
            "training on a.csv: 1.0 kB of 1.0 kB (100 %), 10 rows, 5 rows/s, 0 s left");
}

TEST(ProgressLine, tells_that_the_columns_are_looked_at_before_there_are_rows) {
  EXPECT_EQ(training_text("a\n.csv", {500, 1'000, 0}, 1),
            "looking at the columns of a\\n.csv: 500 B of 1.0 kB (50 %), 1 s left");
  EXPECT_EQ(training_text("a.csv", {0, 1'000, 0}, 0),
            "looking at the columns of a.csv: 0 B of 1.0 kB (0 %)");
}

// A terminal in the place of stderr, for as long as this lives.
class Terminal {
 public:
  Terminal() {
    EXPECT_EQ(openpty(&master_, &slave_, nullptr, nullptr, nullptr), 0);
    saved_ = ::dup(STDERR_FILENO);
    ::dup2(slave_, STDERR_FILENO);
  }
  // All that was written so far; no more is expected.
  std::string end() {
    std::fflush(stderr);
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    ::close(slave_);
    std::string text;
    char buffer[4096];
    for (ssize_t count = 0; (count = ::read(master_, buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(count));
    }
    ::close(master_);
    return text;
  }

 private:
  int master_ = -1;
  int slave_ = -1;
  int saved_ = -1;
};

TEST(ProgressLine, begins_anew_where_the_bytes_do_and_is_wiped_at_the_end) {
  SimulatedClock clock;
  Terminal terminal;
  {
    ProgressLine line(clock, true);
    line.show_training("a.csv", {100, 1'000, 0});
    clock.advance(Millis{1'000});
    line.show_training("a.csv", {1'000, 1'000, 0});
    clock.advance(Millis{1'000});
    line.show_training("a.csv", {10, 1'000, 0});
    clock.advance(Millis{1'000});
    line.show_training("a.csv", {200, 1'000, 2});
    line.show_training("a.csv", {300, 1'000, 3});  // too soon to be shown
  }
  EXPECT_EQ(terminal.end(),
            "\r\x1b[K  looking at the columns of a.csv: 100 B of 1.0 kB (10 %)\r"
            "\r\x1b[K  looking at the columns of a.csv: 1.0 kB of 1.0 kB (100 %), 0 s left\r"
            "\r\x1b[K  looking at the columns of a.csv: 10 B of 1.0 kB (1 %)\r"
            "\r\x1b[K  training on a.csv: 200 B of 1.0 kB (20 %), 2 rows, 2 rows/s, 4 s left\r"
            "\r\x1b[K");
}

TEST(ProgressLine, is_silent_where_it_is_not_wanted) {
  SimulatedClock clock;
  Terminal terminal;
  { ProgressLine(clock, false).show_training("a.csv", {100, 1'000, 10}); }
  EXPECT_EQ(terminal.end(), "");
}

}  // namespace
}  // namespace weir::cli
