// For tests and fuzzing only: the features of a message by nlohmann-json's parser and plain maps,
// to hold FeatureParser against.
#pragma once

#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "record/schema.h"

namespace weir::format::oracle {

// A JSON value with its members in their order, doubled ones too.
struct Json {
  enum class Type { kOther, kNumber, kObject, kArray };
  Type type = Type::kOther;
  double number = 0;
  std::vector<std::pair<std::string, Json>> members{};  // of an array: without names
};

// Builds a Json from nlohmann's events, which unlike its own tree keep a number's spelling and
// doubled names.
class JsonBuilder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Json root;
  bool out_of_range = false;  // nlohmann refuses numbers too large; whether we do depends on where
  std::size_t depth_max = 0;

  bool null() override { return add({}); }
  bool boolean(bool) override { return add({}); }
  bool number_integer(number_integer_t value) override {
    return add({.type = Json::Type::kNumber, .number = static_cast<double>(value)});
  }
  bool number_unsigned(number_unsigned_t value) override {
    return add({.type = Json::Type::kNumber, .number = static_cast<double>(value)});
  }
  bool number_float(number_float_t, const string_t& text) override {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) out_of_range = true;
    return add({.type = Json::Type::kNumber, .number = value});
  }
  bool string(string_t&) override { return add({}); }
  bool binary(binary_t&) override { return add({}); }
  bool start_object(std::size_t) override { return open(Json::Type::kObject); }
  bool start_array(std::size_t) override { return open(Json::Type::kArray); }
  bool key(string_t& name) override {
    name_ = name;
    return true;
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::detail::exception& error) override {
    out_of_range = out_of_range || error.id == 406;
    return false;
  }

 private:
  bool add(Json value) {
    if (open_.empty()) {
      root = std::move(value);
    } else {
      open_.back().second.members.emplace_back(std::move(name_), std::move(value));
    }
    name_.clear();
    return true;
  }
  bool open(Json::Type type) {
    open_.emplace_back(std::move(name_), Json{.type = type});
    name_.clear();
    depth_max = std::max(depth_max, open_.size());
    return true;
  }
  bool close() {
    auto closed = std::move(open_.back());
    open_.pop_back();
    name_ = std::move(closed.first);
    return add(std::move(closed.second));
  }

  std::vector<std::pair<std::string, Json>> open_;
  std::string name_;
};

struct Expected {
  bool sure = true;  // false: outside what this oracle can tell
  std::optional<std::vector<double>> rows;
  bool many = false;
};

inline std::optional<std::vector<double>> flat_row(const record::Schema& schema,
                                                   const Json& object) {
  std::map<std::string, double> values;
  for (const auto& [name, value] : object.members) {
    if (!schema.feature_index(name)) continue;
    if (value.type != Json::Type::kNumber || !values.emplace(name, value.number).second) return {};
  }
  std::vector<double> row;
  for (const std::string& name : schema.features) {
    if (!values.contains(name)) return {};
    row.push_back(values.at(name));
  }
  return row;
}

inline std::optional<std::vector<double>> table_rows(const record::Schema& schema,
                                                     const Json& table) {
  std::map<std::string, std::map<std::string, double>> columns;
  std::vector<std::string> order;
  for (const auto& [name, column] : table.members) {
    if (!schema.feature_index(name)) continue;
    if (column.type != Json::Type::kObject || columns.contains(name)) return {};
    auto& cells = columns[name];
    for (const auto& [label, cell] : column.members) {
      if (cell.type != Json::Type::kNumber || !cells.emplace(label, cell.number).second) return {};
      if (name == schema.features[0]) order.push_back(label);
    }
  }
  std::vector<double> rows;
  for (const std::string& label : order) {
    for (const std::string& name : schema.features) {
      if (columns[name].size() != order.size() || !columns[name].contains(label)) return {};
      rows.push_back(columns[name][label]);
    }
  }
  if (rows.empty()) return {};
  return rows;
}

inline Expected expected_features(const record::Schema& schema, std::string_view message,
                                  std::size_t depth_max) {
  Expected expected;
  // nlohmann skips a byte order mark and takes NUL for the end; neither is JSON.
  if (message.starts_with("\xef\xbb\xbf") || message.find('\0') != std::string_view::npos) {
    return expected;
  }
  JsonBuilder builder;
  const bool json = nlohmann::json::sax_parse(message.begin(), message.end(), &builder);
  expected.sure = !builder.out_of_range;
  if (!json || !expected.sure || builder.depth_max > depth_max ||
      builder.root.type != Json::Type::kObject) {
    return expected;
  }
  const auto& members = builder.root.members;
  expected.many = members.size() == 1 && members[0].second.type == Json::Type::kObject;
  expected.rows =
      expected.many ? table_rows(schema, members[0].second) : flat_row(schema, builder.root);
  return expected;
}

}  // namespace weir::format::oracle
