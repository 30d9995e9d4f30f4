// Walks the live table: an entry that lacks something, or that one of the sources cannot reach,
// fails here and not before a user.
#include "config/setting_table.h"

#include <gtest/gtest.h>

#include <set>

#include "base/text.h"
#include "config/load_settings.h"
#include "config/settings_rules.h"
#include "config/show_settings.h"

namespace weir::config {
namespace {

// A file that sets `value` in the right section, with what is required besides.
std::string file_with(const Setting& setting, const std::string& value) {
  std::string text;
  if (setting.name != "pipeline") text += "pipeline: example\n";
  const std::string section(section_of(setting.name));
  const std::string key = section.empty() ? setting.name : setting.name.substr(section.size() + 1);
  if (section == "dataset" && key != "target") {
    return text + "dataset:\n  target: y\n  " + key + ": " + value + "\n";
  }
  if (section != "dataset") text += "dataset:\n  target: y\n";
  return text + (section.empty() ? "" : section + ":\n  ") + key + ": " + value + "\n";
}

TEST(SettingTable, every_entry_says_what_it_is) {
  std::set<std::string> names;
  std::set<std::string> variables;
  for (const Setting& setting : setting_table()) {
    SCOPED_TRACE(setting.name);
    EXPECT_TRUE(names.insert(setting.name).second);
    EXPECT_TRUE(variables.insert(environment_name(setting.name)).second);
    ASSERT_GE(setting.doc.size(), 20u);
    EXPECT_EQ(setting.doc.back(), '.');
    EXPECT_EQ(setting.doc.find('|'), std::string::npos) << "breaks the page's table";
    EXPECT_FALSE(setting.type.empty());
    EXPECT_FALSE(setting.example.empty());
    EXPECT_FALSE(setting.type == "true or false" ? false : setting.legal.empty());
    EXPECT_EQ(find_setting(setting.name), &setting);
    const bool has_order = setting.type.find("number") != std::string::npos ||
                           setting.type == "duration" || setting.type == "size";
    EXPECT_EQ(has_order, !setting.lowest.empty() && !setting.highest.empty());
  }
}

TEST(SettingTable, every_default_is_legal_or_must_be_given) {
  const Settings defaults;
  for (const Setting& setting : setting_table()) {
    SCOPED_TRACE(setting.name);
    Settings settings;
    const bool open = setting.required || !setting.pipeline_suffix.empty();
    EXPECT_EQ(setting.set(settings, setting.get(defaults)).has_value(), open);
    EXPECT_EQ(settings, defaults);
  }
}

TEST(SettingTable, every_bound_is_legal_and_the_next_value_beyond_is_not) {
  for (const Setting& setting : setting_table()) {
    if (setting.lowest.empty()) continue;
    SCOPED_TRACE(setting.name);
    for (const std::string& bound : {setting.lowest, setting.highest}) {
      Settings settings;
      EXPECT_FALSE(setting.set(settings, bound)) << bound;
      EXPECT_EQ(setting.get(settings), bound);
    }
    Settings settings;
    EXPECT_TRUE(setting.set(settings, "-2" + setting.lowest));
    EXPECT_TRUE(setting.set(settings, "9" + setting.highest));
    for (const char* text : {"", "abc", "nan", "inf", "1e999", " 1", "0x10", "1;", "--1"}) {
      EXPECT_TRUE(setting.set(settings, text)) << text;
    }
    EXPECT_EQ(settings, Settings());
  }
}

TEST(SettingTable, every_entry_is_loaded_from_file_environment_and_command_line) {
  for (const Setting& setting : setting_table()) {
    SCOPED_TRACE(setting.name);
    Settings expected;
    ASSERT_FALSE(setting.set(expected, setting.example));
    const std::string in_file = setting.set_items ? "[" + setting.example + "]" : setting.example;
    const auto from_file = load_settings_from_text(file_with(setting, in_file), "weir.yaml", {});
    ASSERT_TRUE(from_file) << from_file.error().text();
    EXPECT_EQ(setting.get(from_file->settings), setting.get(expected));
    EXPECT_TRUE(from_file->origins.at(setting.name).starts_with("weir.yaml:"));

    const std::string base = "pipeline: example\ndataset: {target: y}\n";
    LoadRequest request;
    request.environment[environment_name(setting.name)] = setting.example;
    const auto from_environment = load_settings_from_text(base, "weir.yaml", request);
    ASSERT_TRUE(from_environment) << from_environment.error().text();
    EXPECT_EQ(setting.get(from_environment->settings), setting.get(expected));
    EXPECT_EQ(from_environment->origins.at(setting.name), "env " + environment_name(setting.name));

    LoadRequest command;
    command.overrides = {setting.name + "=" + setting.example};
    const auto from_command = load_settings_from_text(base, "weir.yaml", command);
    ASSERT_TRUE(from_command) << from_command.error().text();
    EXPECT_EQ(from_command->settings, from_environment->settings);
  }
}

TEST(SettingTable, knows_what_must_never_be_shown) {
  for (const char* name : {"kafka.sasl.password", "kafka.ssl.key.password", "kafka.ssl.key.pem",
                           "kafka.sasl.oauthbearer.client.secret", "kafka.sasl.jaas.config"}) {
    EXPECT_TRUE(is_secret(name)) << name;
  }
  EXPECT_FALSE(is_secret("kafka.sasl.username"));
  for (const Setting& setting : setting_table()) {
    EXPECT_EQ(is_secret(setting.name), setting.name == "serve.token_list") << setting.name;
  }
}

TEST(SettingTable, takes_paths_that_the_store_takes) {
  Settings settings;
  const Setting& path = *find_setting("dataset.path");
  for (const char* good : {"/d", "/a/b/c", "/..a", "/ü/x y"}) {
    EXPECT_FALSE(path.set(settings, good)) << good;
  }
  for (const char* bad : {"", "/", "d", "./d", "/d/", "//d", "/a//b", "/a/./b", "/a/../b", "/.."}) {
    EXPECT_TRUE(path.set(settings, bad)) << bad;
  }
  EXPECT_TRUE(path.set(settings, std::string_view("/a\0b", 4)));
}

TEST(SettingTable, takes_addresses_of_stores_without_credentials) {
  Settings settings;
  const Setting& store = *find_setting("store");
  for (const char* good : {"", "hdfs://namenode:8020", "hdfs://cluster", "file:///tmp/x"}) {
    EXPECT_FALSE(store.set(settings, good)) << good;
  }
  for (const char* bad : {"/tmp", "file://tmp", "hdfs://", "hdfs:///x", "hdfs://:1", "s3://b",
                          "hdfs://me:pw@host", "hdfs://a b"}) {
    EXPECT_TRUE(store.set(settings, bad)) << bad;
  }
}

TEST(SettingsRules, the_longest_pipeline_name_still_leaves_room_for_its_topics) {
  Settings settings;
  settings.pipeline = std::string(200, 'p');
  fill_from_pipeline(settings);
  EXPECT_EQ(settings.topics.predictions, settings.pipeline + ".predictions");
  EXPECT_EQ(settings.score.group, settings.pipeline + ".scorer");
}

}  // namespace
}  // namespace weir::config
