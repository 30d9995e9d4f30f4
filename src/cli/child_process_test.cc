#include "cli/child_process.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/types.h>

#include <fstream>
#include <thread>

namespace weir::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Talk {
  std::vector<std::string> lines;
  ChildProcess::LineSink sink() {
    return [this](std::string_view line) { lines.emplace_back(line); };
  }
};

std::unique_ptr<ChildProcess> shell(const std::string& script) {
  auto child = ChildProcess::start({"sh", "-c", script}, {"PATH=/usr/bin:/bin", "WORD=given"},
                                   "/nowhere:/usr/bin:/bin");
  EXPECT_TRUE(child) << child.error().message();
  return std::move(*child);
}

void wait_for_end(ChildProcess& child, Talk& talk) {
  for (int i = 0; i < 600 && !child.wait(Millis{100}, talk.sink()); ++i) continue;
}

bool is_there(pid_t pid) { return kill(pid, 0) == 0; }

TEST(ChildProcess, gives_what_is_said_line_by_line_and_how_it_ended) {
  Talk talk;
  const auto child = shell("echo one; echo two $WORD >&2; printf three; exit 7");
  wait_for_end(*child, talk);
  EXPECT_THAT(talk.lines, ElementsAre("one", "two given", "three"));
  EXPECT_FALSE(child->succeeded());
  EXPECT_EQ(child->how_it_ended(), "ended with 7");
}

TEST(ChildProcess, has_an_empty_input_default_signals_and_none_of_our_files) {
  const std::ofstream own("/dev/null");  // one that a child must not have
  Talk talk;
  // A shell that has only its three files opens /proc/self/fd itself as the fourth.
  const auto child = shell(
      "cat; for f in /proc/$$/fd/*; do readlink $f; done | grep -c null; "
      "grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f2 | sort -u; "
      "[ $(cut -d' ' -f5 /proc/$$/stat) = $$ ] && echo own group");
  wait_for_end(*child, talk);
  EXPECT_TRUE(child->succeeded());
  EXPECT_THAT(talk.lines, ElementsAre("1", "0000000000000000", "own group"));
}

TEST(ChildProcess, is_ended_with_all_that_it_has_started_when_its_owner_lets_go) {
  Talk talk;
  auto child = shell("sleep 1000 & echo $!; trap '' TERM; while :; do sleep 1000; done");
  while (talk.lines.empty()) ASSERT_FALSE(child->wait(Millis{100}, talk.sink()));
  const pid_t own = child->pid();
  const pid_t grandchild = std::stoi(talk.lines.front());
  ASSERT_TRUE(is_there(own) && is_there(grandchild));
  child.reset();
  EXPECT_FALSE(is_there(own));  // not as a zombie either
  // The grandchild is reaped by another.
  for (int i = 0; i < 6000 && is_there(grandchild); ++i) std::this_thread::yield();
  std::ifstream status("/proc/" + std::to_string(grandchild) + "/status");
  const std::string text{std::istreambuf_iterator<char>(status), {}};
  EXPECT_TRUE(text.empty() || text.find("State:\tZ") != std::string::npos) << text;
}

TEST(ChildProcess, does_not_wait_for_children_that_hold_its_output_open) {
  Talk talk;
  const auto child = shell("sleep 1000 & echo done");
  wait_for_end(*child, talk);
  EXPECT_TRUE(child->succeeded());
  EXPECT_THAT(talk.lines, ElementsAre("done"));
}

TEST(ChildProcess, is_told_of_where_a_signal_ended_it) {
  Talk talk;
  const auto child = shell("kill -9 $$");
  wait_for_end(*child, talk);
  EXPECT_EQ(child->how_it_ended(), "was killed by signal 9");
}

TEST(ChildProcess, cuts_lines_that_are_too_long_and_holds_no_more) {
  Talk talk;
  const auto child = shell("head -c 20000 /dev/zero | tr '\\0' x; echo; echo last");
  wait_for_end(*child, talk);
  ASSERT_EQ(talk.lines.size(), 4u);
  EXPECT_EQ(talk.lines[0].size(), kChildLineBytesMax);
  EXPECT_EQ(talk.lines[2].size(), 20'000 - 2 * kChildLineBytesMax);
  EXPECT_EQ(talk.lines[3], "last");
}

TEST(ChildProcess, is_none_where_there_is_no_such_program) {
  const auto missing = ChildProcess::start({"no-such-program"}, {}, "/usr/bin:/bin");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::kBadConfig);
  EXPECT_THAT(missing.error().message(), HasSubstr("no-such-program"));
  const auto no_program = ChildProcess::start({"/etc/passwd"}, {}, "");
  ASSERT_FALSE(no_program);
  EXPECT_EQ(no_program.error().code(), Code::kBadConfig);
}

}  // namespace
}  // namespace weir::cli
