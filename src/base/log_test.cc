#include "base/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace weir::log {
namespace {

constexpr std::string_view kTime = "2026-01-31T09:30:00.125Z";
constexpr std::string_view kHostile = "a\"b\\c\nERROR forged=1\r\x1b[2J\xff\xc2\x85 ";

// Restores what the other tests expect.
class LogWrite : public ::testing::Test {
 protected:
  void TearDown() override { configure({}); }
  template <typename Function>
  std::string stderr_of(Function function) {
    ::testing::internal::CaptureStderr();
    function();
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST(LogLine, is_readable_as_text) {
  EXPECT_EQ(
      format_line(Shape::kText, Level::kInfo, "data set taken up",
                  {{"path", "/dataset/a.csv"}, {"epoch", 3}, {"share", 0.25}, {"halts", true}},
                  kTime),
      "09:30:00 data set taken up  path=/dataset/a.csv  epoch=3  share=0.25  halts=true");
}

TEST(LogLine, names_its_level_as_text_only_from_warnings_on) {
  EXPECT_EQ(format_line(Shape::kText, Level::kDebug, "m", {}, kTime), "09:30:00 m");
  EXPECT_EQ(format_line(Shape::kText, Level::kWarn, "m", {}, kTime), "09:30:00 warning: m");
  EXPECT_EQ(format_line(Shape::kText, Level::kError, "m", {}, kTime), "09:30:00 error: m");
}

TEST(LogLine, quotes_text_that_would_be_taken_for_more_than_one_field) {
  EXPECT_EQ(
      format_line(Shape::kText, Level::kInfo, "m", {{"a", "x y"}, {"b", ""}, {"c", "k=v"}}, ""),
      "m  a=\"x y\"  b=\"\"  c=\"k=v\"");
}

TEST(LogLine, is_one_json_object_with_the_types_kept) {
  const std::string line = format_line(
      Shape::kJson, Level::kWarn, "m",
      {{"text", "t"}, {"whole", std::int64_t{-7}}, {"number", 0.1}, {"flag", false}}, kTime);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["time"], kTime);
  EXPECT_EQ(json["level"], "warning");
  EXPECT_EQ(json["message"], "m");
  EXPECT_EQ(json["text"], "t");
  EXPECT_EQ(json["whole"], -7);
  EXPECT_EQ(json["number"], 0.1);
  EXPECT_EQ(json["flag"], false);
}

TEST(LogLine, stays_json_where_a_number_is_not_finite) {
  const std::string line =
      format_line(Shape::kJson, Level::kInfo, "m",
                  {{"a", std::numeric_limits<double>::infinity()}, {"b", std::nan("")}}, kTime);
  EXPECT_TRUE(nlohmann::json::accept(line)) << line;
}

TEST(LogLine, is_never_split_by_hostile_input) {
  for (const Shape shape : {Shape::kText, Shape::kJson}) {
    const std::string line = format_line(
        shape, Level::kInfo, kHostile,
        {{"path", kHostile}, {"error", Error(Code::kIo, std::string(kHostile))}}, kTime);
    for (const char c : line) ASSERT_GE(static_cast<unsigned char>(c), 0x20) << line;
    EXPECT_EQ(line.find("\xc2\x85"), std::string::npos) << line;
    if (shape == Shape::kJson) {
      EXPECT_TRUE(nlohmann::json::accept(line)) << line;
    }
  }
}

TEST_F(LogWrite, writes_one_line_for_an_event_to_stderr) {
  configure({Level::kInfo, Shape::kJson, false});
  const std::string out = stderr_of([] { info("model in force", {{"version", 7}}); });
  ASSERT_TRUE(out.ends_with("}\n")) << out;
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1);
  EXPECT_EQ(nlohmann::json::parse(out)["version"], 7);
}

TEST_F(LogWrite, keeps_quiet_below_the_level) {
  configure({Level::kWarn, Shape::kText, false});
  EXPECT_FALSE(enabled(Level::kInfo));
  EXPECT_TRUE(enabled(Level::kError));
  EXPECT_EQ(stderr_of([] {
              debug("a");
              info("b");
            }),
            "");
  configure({Level::kOff, Shape::kText, false});
  EXPECT_EQ(stderr_of([] { error("c"); }), "");
}

TEST_F(LogWrite, colours_warnings_as_text_and_nothing_as_json) {
  configure({Level::kInfo, Shape::kText, true});
  EXPECT_NE(stderr_of([] { warn("w"); }).find("\x1b[33m"), std::string::npos);
  EXPECT_EQ(stderr_of([] { info("i"); }).find('\x1b'), std::string::npos);
  configure({Level::kInfo, Shape::kJson, true});
  EXPECT_EQ(stderr_of([] { warn("w"); }).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace weir::log
