#include "config/show_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/setting_table.h"

namespace weir::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

LoadedSettings load(std::string_view text, const LoadRequest& request = {}) {
  auto loaded = load_settings_from_text(text, "weir.yaml", request);
  EXPECT_TRUE(loaded) << loaded.error().text();
  return loaded ? *loaded : LoadedSettings();
}

TEST(ShowSettings, says_where_each_value_came_from) {
  LoadRequest request;
  request.environment = {{"WEIR_DATASET_SEED", "5"}};
  request.overrides = {"produce.rate=max"};
  const auto shown = shown_settings(load("pipeline: p\ndataset:\n  target: y\n", request));
  const auto find = [&](std::string_view name) {
    for (const ShownSetting& setting : shown) {
      if (setting.name == name) return setting.value + " " + setting.origin;
    }
    return std::string("missing");
  };
  EXPECT_EQ(find("dataset.target"), "y weir.yaml:3");
  EXPECT_EQ(find("dataset.seed"), "5 env WEIR_DATASET_SEED");
  EXPECT_EQ(find("produce.rate"), "max command line");
  EXPECT_EQ(find("topics.dead"), "p.dead default");
  EXPECT_EQ(find("dataset.watch_interval"), "2s default");
  EXPECT_EQ(find("dataset.row_bytes_max"), "1MB default");
  EXPECT_EQ(find("kafka.bootstrap.servers"), "localhost:9092 default");
  EXPECT_EQ(shown.size(), setting_table().size());
}

TEST(ShowSettings, never_shows_a_secret) {
  const LoadedSettings loaded = load(
      "pipeline: p\ndataset: {target: y}\n"
      "kafka: {sasl: {username: me, password: hush}, ssl.key.pem: hush}\n");
  const std::string yaml = settings_as_yaml(loaded);
  EXPECT_THAT(yaml, Not(HasSubstr("hush")));
  EXPECT_THAT(yaml, HasSubstr("sasl.username: me"));
  for (const ShownSetting& setting : shown_settings(loaded)) {
    EXPECT_THAT(setting.value, Not(HasSubstr("hush")));
    EXPECT_EQ(setting.secret, setting.value == "********");
  }
}

TEST(ShowSettings, what_is_shown_loads_to_the_same_settings) {
  const std::string odd =
      "pipeline: '123'\nstore: hdfs://h:1\ndataset:\n  target: \"${T:a\\tb\\n# \\\"q\\\" \\\\ "
      "ü}\"\n"
      "  drop_columns: ['a,b', '', ' x ', 'null', '$${v}', '[1]', 'y: z', '~', '-', '*a', 'c']\n"
      "  settle_time: 90s\nproduce: {rate: 0.1}\nlog: {level: off, shape: json}\n"
      "hdfs: {auth: kerberos}\nkafka: {a: '', b: \"true\", c: 'x # y', d.e: '!z', f: ':'}\n";
  std::string legal = odd;
  legal.replace(legal.find("'', ' x '"), 4, "");  // an empty column name is refused
  for (const std::string& text : {legal, std::string("pipeline: p\ndataset: {target: y}\n")}) {
    const LoadedSettings first = load(text);
    const LoadedSettings second = load(settings_as_yaml(first));
    EXPECT_EQ(first.settings, second.settings) << settings_as_yaml(first);
  }
}

TEST(ShowSettings, values_as_text_are_taken_by_the_command_line) {
  const LoadedSettings first = load(
      "pipeline: p\ndataset: {target: y, drop_columns: [a, b], settle_time: 1.5s}\n"
      "produce: {rate: 0.125}\nwhile_training: continue\n");
  LoadRequest request;
  for (const ShownSetting& setting : shown_settings(first)) {
    request.overrides.push_back(setting.name + "=" + setting.value);
  }
  EXPECT_EQ(load("", request).settings, first.settings);
}

}  // namespace
}  // namespace weir::config
