// The one place that declares a setting: its name, type, bounds, meaning and home in Settings.
//
// The loader, `weir config show`, the names of environment variables and docs/configuration.md all
// come from this table; a test walks it. To add a setting: a member with its default in settings.h
// and one line in setting_table.cc, then write the page anew (see src/config/README.md).
//
// Threads: the table is constant. Errors: a setter answers with a Refusal and leaves the settings
// as they were.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"

namespace weir::config {

struct Refusal {
  std::string what;  // "'abc' is not a number"
  std::string hint;  // "0.01 to 0.9"; may be empty
};
using SetResult = std::optional<Refusal>;  // nullopt: it was set

struct Setting {
  std::string name;   // "dataset.test_fraction"
  std::string type;   // in words, with the unit: "duration", "whole number (rows)"
  std::string legal;  // the bounds in words: "0.01 to 0.9"
  std::string doc;    // one sentence
  std::string example;
  std::string lowest;   // the ends of the bounds as text; empty where the values have no order
  std::string highest;  //
  bool required = false;
  bool text_like = false;            // shown in quotes where YAML would read it otherwise
  std::string pipeline_suffix;       // the default is the pipeline's name with this behind it
  std::string fallback_environment;  // a variable of the outside world that gives the default

  // From a file, a variable or the command line. A list is taken with commas between its items.
  std::function<SetResult(Settings&, std::string_view)> set;
  // Only lists have this one: the items as they stand in the file.
  std::function<SetResult(Settings&, const std::vector<std::string>&)> set_items;
  std::function<std::vector<std::string>(const Settings&)> get_items;
  // The value as text that set() takes.
  std::function<std::string(const Settings&)> get;
};

const std::vector<Setting>& setting_table();
const Setting* find_setting(std::string_view name);  // nullptr where there is none

// The first part of a dotted name, or nothing for a setting at the top: "dataset".
std::string_view section_of(std::string_view name);

std::string environment_name(std::string_view name);  // WEIR_DATASET_TEST_FRACTION

// True where the value must never be shown: passwords, secrets, keys, JAAS lines.
bool is_secret(std::string_view name);

inline constexpr std::string_view kKafkaSection = "kafka";

// Sets a librdkafka property; only the shape of name and value is looked at here.
SetResult set_kafka_property(Settings& settings, std::string_view property, std::string_view value);

// A hostile value, cut and on one line, for a message: 'abc'.
std::string quoted(std::string_view value);

}  // namespace weir::config
