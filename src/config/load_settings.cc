// How the three sources meet: each source in turn sets what it names, so that the later one wins,
// and notes the origin beside it. Only when all have spoken are missing settings, derived names and
// the rules between settings looked at; a setting that was refused is not complained of twice.
#include "config/load_settings.h"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/local_file.h"
#include "base/text.h"
#include "config/setting_table.h"
#include "config/settings_rules.h"
#include "config/substitution.h"
#include "config/yaml_tree.h"

namespace weir::config {
namespace {

// Kubernetes puts WEIR_KAFKA_SERVICE_HOST, WEIR_KAFKA_PORT_9092_TCP and the like into every pod
// beside a service named weir-kafka. No librdkafka property starts so.
bool is_service_link(std::string_view variable) {
  return variable.ends_with("_SERVICE_HOST") ||
         variable.find("_SERVICE_PORT") != std::string_view::npos || variable.ends_with("_PORT") ||
         variable.find("_PORT_") != std::string_view::npos;
}

std::string kafka_property_of(std::string_view variable_rest) {
  std::string property;
  for (const char c : variable_rest) {
    property += c == '_' ? '.' : (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return property;
}

std::string did_you_mean(const std::optional<std::string>& name) {
  return name ? "did you mean " + *name + "?" : "";
}

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const Setting& setting : setting_table()) names.push_back(setting.name);
  return names;
}

class Loader {
 public:
  Loader(const LoadRequest& request, std::string file) : request_(request) {
    loaded_.file = std::move(file);
  }

  LoadResult load(std::string_view text) {
    take_file(text);
    take_environment();
    take_command_line();
    finish();
    if (problems_.problems.empty()) return std::move(loaded_);
    return tl::unexpected(std::move(problems_));
  }

 private:
  using Kind = YamlNode::Kind;

  void report(std::string where, std::string what, std::string hint) {
    if (problems_.problems.size() >= kProblemsMax) {
      ++problems_.left_out;
      return;
    }
    problems_.problems.push_back({std::move(where), std::move(what), std::move(hint)});
  }

  std::string at(const YamlPlace& place) const {
    return line_of(place) + ":" + std::to_string(place.column);
  }
  std::string line_of(const YamlPlace& place) const {
    return loaded_.file + ":" + std::to_string(place.line);
  }

  // Notes what came of setting `name`; `where` is the place for a problem.
  void settle(const std::string& name, const SetResult& refusal, const std::string& where,
              const std::string& origin) {
    given_.insert(name);
    if (refusal) {
      refused_.insert(name);
      report(where, name + ": " + refusal->what, refusal->hint);
      return;
    }
    loaded_.origins[name] = origin;
  }

  void set_text(const Setting& setting, std::string_view value, const std::string& origin) {
    settle(setting.name, setting.set(loaded_.settings, value), origin, origin);
  }

  void set_kafka(const std::string& property, std::string_view value, const std::string& where,
                 const std::string& origin) {
    settle(std::string(kKafkaSection) + "." + one_line(property),
           set_kafka_property(loaded_.settings, property, value), where, origin);
  }

  // ---- the file ----

  void take_file(std::string_view text) {
    if (text.size() > kFileBytesMax) {
      report(loaded_.file, "larger than " + format_bytes(kFileBytesMax), "");
      return;
    }
    const auto root = parse_yaml(text);
    if (!root) {
      report(at(root.error().place), "not YAML that weir takes: " + one_line(root.error().what),
             "");
      return;
    }
    if (root->kind == Kind::kNull) return;
    if (root->kind != Kind::kMap) {
      report(at(root->place), "the file must hold `name: value` lines", "pipeline: boston");
      return;
    }
    for_each_entry(*root, "", [&](const YamlEntry& entry) { take_top_entry(entry); });
  }

  // Calls `take` for each entry but those whose key was there before.
  template <typename Take>
  void for_each_entry(const YamlNode& map, const std::string& prefix, const Take& take) {
    std::map<std::string_view, int> first_line;
    for (const YamlEntry& entry : map.entries) {
      const auto [first, is_new] = first_line.emplace(entry.key, entry.place.line);
      if (is_new) {
        take(entry);
        continue;
      }
      report(at(entry.place),
             prefix + one_line(entry.key) + " is given twice, first on line " +
                 std::to_string(first->second),
             "keep one");
    }
  }

  void take_top_entry(const YamlEntry& entry) {
    std::vector<std::string> known;
    for (const Setting& setting : setting_table()) {
      const std::string_view section = section_of(setting.name);
      known.emplace_back(section.empty() ? std::string_view(setting.name) : section);
      if (!section.empty() && section == entry.key) return take_section(entry);
    }
    const Setting* setting = find_setting(entry.key);
    if (setting == nullptr) return report_unknown(entry, "", known);
    if (const std::string_view section = section_of(setting->name); !section.empty()) {
      return report(at(entry.place), setting->name + " is no top-level key",
                    "write it under `" + std::string(section) + ":`");
    }
    take_setting(*setting, entry.value);
  }

  void take_section(const YamlEntry& entry) {
    const std::string& section = entry.key;
    if (entry.value.kind == Kind::kNull) return;  // all below it is commented out
    if (entry.value.kind != Kind::kMap) {
      return report(at(entry.value.place), section + " must hold `name: value` lines", "");
    }
    if (section == kKafkaSection) return take_kafka(entry.value, "");
    take_settings_below(section + ".", entry.value);
  }

  // `boosted: {trees: 9}` and `boosted.trees: 9` say the same.
  void take_settings_below(const std::string& prefix, const YamlNode& map) {
    std::vector<std::string> known;
    for (const Setting& setting : setting_table()) {
      if (setting.name.starts_with(prefix)) known.push_back(setting.name.substr(prefix.size()));
    }
    for_each_entry(map, prefix, [&](const YamlEntry& inner) {
      const std::string below = inner.key + ".";
      if (std::any_of(known.begin(), known.end(),
                      [&](const std::string& name) { return name.starts_with(below); })) {
        if (inner.value.kind == Kind::kNull) return;
        if (inner.value.kind == Kind::kMap) return take_settings_below(prefix + below, inner.value);
        return report(at(inner.value.place), prefix + inner.key + " must hold `name: value` lines",
                      "");
      }
      const Setting* setting = find_setting(prefix + inner.key);
      if (setting == nullptr) return report_unknown(inner, prefix, known);
      if (given_.contains(setting->name)) {
        return report(at(inner.place), setting->name + " is given twice", "keep one");
      }
      take_setting(*setting, inner.value);
    });
  }

  void report_unknown(const YamlEntry& entry, const std::string& prefix,
                      const std::vector<std::string>& known) {
    auto name = nearest_name(entry.key, known);
    if (name) name = prefix + *name;
    // A right name in the wrong section.
    for (const Setting& setting : setting_table()) {
      const std::size_t dot = setting.name.find('.');
      if (dot == std::string::npos) continue;
      const std::size_t last = setting.name.rfind('.');
      if (setting.name.substr(dot + 1) == entry.key ||
          (last != dot && setting.name.substr(last + 1) == entry.key)) {
        name = setting.name;
      }
    }
    report(at(entry.place), "unknown key " + quoted(prefix + entry.key), did_you_mean(name));
  }

  void take_setting(const Setting& setting, const YamlNode& value) {
    given_.insert(setting.name);
    refused_.insert(setting.name);  // until it is taken
    if (value.kind == Kind::kList && setting.set_items) {
      std::vector<std::string> items;
      for (const YamlNode& item : value.items) {
        const auto text = scalar_of(setting.name, item);
        if (!text) return;
        items.push_back(*text);
      }
      refused_.erase(setting.name);
      return settle(setting.name, setting.set_items(loaded_.settings, items), at(value.place),
                    line_of(value.place));
    }
    if (setting.set_items && value.kind == Kind::kScalar) {
      return report(at(value.place), setting.name + " must be a list", "[first, second]");
    }
    const auto text = scalar_of(setting.name, value);
    if (!text) return;
    refused_.erase(setting.name);
    settle(setting.name, setting.set(loaded_.settings, *text), at(value.place),
           line_of(value.place));
  }

  // The text of a scalar with its variables put in; nothing, and a problem, where there is none.
  std::optional<std::string> scalar_of(const std::string& name, const YamlNode& value) {
    switch (value.kind) {
      case Kind::kScalar: break;
      case Kind::kNull:
        report(at(value.place), name + " has no value", "leave the line out, or write \"\"");
        return std::nullopt;
      case Kind::kList:
        report(at(value.place), name + " must be one value, not a list", "");
        return std::nullopt;
      case Kind::kMap:
        report(at(value.place), name + " must be one value, not a map", "");
        return std::nullopt;
    }
    auto text = substitute(value.text, request_.environment);
    if (text) return *text;
    report(at(value.place), name + ": " + text.error(),
           "${NAME:default} gives a default, $${ a plain ${");
    return std::nullopt;
  }

  // `ssl: {ca: {location: x}}` and `ssl.ca.location: x` say the same.
  void take_kafka(const YamlNode& map, const std::string& prefix) {
    for_each_entry(map, "kafka." + prefix, [&](const YamlEntry& entry) {
      const std::string property = prefix + entry.key;
      if (entry.value.kind == Kind::kMap) return take_kafka(entry.value, property + ".");
      if (const auto [first, is_new] = kafka_in_file_.insert(property); !is_new) {
        return report(at(entry.place), "kafka." + one_line(property) + " is given twice",
                      "keep one");
      }
      const auto text = scalar_of("kafka." + one_line(property), entry.value);
      if (!text) return;
      set_kafka(property, *text, at(entry.value.place), line_of(entry.value.place));
    });
  }

  // ---- the environment ----

  void take_environment() {
    const std::string kafka_prefix = environment_name(std::string(kKafkaSection) + ".");
    std::map<std::string, const Setting*> variables;
    for (const Setting& setting : setting_table()) {
      variables[environment_name(setting.name)] = &setting;
    }
    for (const auto& [name, value] : request_.environment) {
      if (!name.starts_with("WEIR_") || value.empty()) continue;
      if (const auto found = variables.find(name); found != variables.end()) {
        set_text(*found->second, value, "env " + name);
      } else if (is_service_link(name)) {
        continue;
      } else if (name.starts_with(kafka_prefix)) {
        const std::string property = kafka_property_of(name.substr(kafka_prefix.size()));
        set_kafka(property, value, "env " + name, "env " + name);
      } else {
        warn_of_variable(name, variables);
      }
    }
    for (const Setting& setting : setting_table()) {
      if (setting.fallback_environment.empty()) continue;
      const auto found = request_.environment.find(setting.fallback_environment);
      if (found == request_.environment.end() || found->second.empty()) continue;
      if (given_.contains(setting.name)) continue;
      set_text(setting, found->second, "env " + found->first);
    }
  }

  // Speaks only where a setting seems to be meant: run.sh, the tests and others have variables with
  // our prefix as well.
  void warn_of_variable(const std::string& name,
                        const std::map<std::string, const Setting*>& variables) {
    constexpr int kSlipMax = 2;
    std::vector<std::string> names;
    bool meant = false;
    for (const auto& [variable, setting] : variables) {
      names.push_back(variable);
      const std::string_view section = section_of(setting->name);
      meant = meant || edit_distance(name, variable) <= kSlipMax ||
              (!section.empty() && name.starts_with(environment_name(section) + "_"));
    }
    if (!meant) return;
    loaded_.warnings.push_back({"env " + one_line(name), "names no setting and is not looked at",
                                did_you_mean(nearest_name(name, names))});
  }

  // ---- the command line ----

  void take_command_line() {
    const std::string where = "command line";
    const std::string kafka_prefix = std::string(kKafkaSection) + ".";
    for (const std::string& text : request_.overrides) {
      const auto [name, value] = split_assignment(text);
      if (name.empty()) {
        report(where, quoted(text) + " is not name=value", "produce.rate=max");
      } else if (const Setting* setting = find_setting(name); setting != nullptr) {
        set_text(*setting, value, where);
      } else if (name.starts_with(kafka_prefix)) {
        set_kafka(name.substr(kafka_prefix.size()), value, where, where);
      } else {
        report(where, "unknown setting " + quoted(name),
               did_you_mean(nearest_name(name, all_names())));
      }
    }
    for (const std::string& text : request_.kafka_options) {
      const auto [name, value] = split_assignment(text);
      if (name.empty()) {
        report(where, "-X " + quoted(text) + " is not property=value", "-X acks=all");
      } else if (find_setting(name) != nullptr) {
        report(where, "-X " + name + ": this is a setting of weir",
               "-X takes librdkafka properties");
      } else {
        set_kafka(name, value, where, where);
      }
    }
  }

  // An empty name where there is no '='. The value is not to be shown: it may be a secret.
  static std::pair<std::string, std::string> split_assignment(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) return {};
    return {text.substr(0, equals), text.substr(equals + 1)};
  }

  // ---- all together ----

  void finish() {
    for (const Setting& setting : setting_table()) {
      if (!setting.required || given_.contains(setting.name)) continue;
      report(loaded_.file, setting.name + " is not given",
             setting.doc + " For example: " + setting.example);
    }
    if (!loaded_.settings.pipeline.empty()) fill_from_pipeline(loaded_.settings);
    for (const BrokenRule& rule : broken_rules(loaded_.settings)) {
      // A refused setting still holds its default: a rule would speak of what nobody wrote.
      if (refused_.contains(rule.setting) || refused_.contains(rule.other)) continue;
      const auto origin = loaded_.origins.find(rule.setting);
      report(origin == loaded_.origins.end() ? loaded_.file : origin->second,
             rule.setting + ": " + rule.what, rule.hint);
    }
  }

  const LoadRequest& request_;
  LoadedSettings loaded_;
  LoadProblems problems_;
  std::set<std::string> given_;    // by any source, legal or not
  std::set<std::string> refused_;  // by any source
  std::set<std::string> kafka_in_file_;
};

LoadProblems one_problem(std::string where, std::string what, std::string hint) {
  return {{{std::move(where), std::move(what), std::move(hint)}}, 0};
}

}  // namespace

std::string problem_line(const Problem& problem) {
  std::string line = problem.where.empty() ? "" : problem.where + ": ";
  line += problem.what;
  if (!problem.hint.empty()) line += " (" + problem.hint + ")";
  return one_line(line);
}

std::string LoadProblems::text() const {
  std::string out;
  for (const Problem& problem : problems) out += problem_line(problem) + "\n";
  if (left_out > 0) out += "and " + std::to_string(left_out) + " more\n";
  return out;
}

Error LoadProblems::error() const {
  std::string joined;
  for (const Problem& problem : problems) {
    joined += (joined.empty() ? "" : "; ") + problem_line(problem);
  }
  if (left_out > 0) joined += "; and " + std::to_string(left_out) + " more";
  return {Code::kBadConfig, std::move(joined)};
}

LoadResult load_settings_from_text(std::string_view text, std::string_view file,
                                   const LoadRequest& request) {
  return Loader(request, one_line(file)).load(text);
}

LoadResult load_settings(const LoadRequest& request) {
  const bool is_default = request.path.empty();
  const std::string path = is_default ? std::string(kDefaultFile) : request.path;
  const auto text = read_local_file(path, kFileBytesMax + 1);
  if (!text && text.error().code() == Code::kIo) {
    return tl::unexpected(one_problem(one_line(path), "cannot be read", ""));
  }
  if (!text && !is_default) {
    return tl::unexpected(one_problem(one_line(path), "cannot be opened", "-c names the file"));
  }
  if (!text) {
    return tl::unexpected(
        one_problem("", "no weir.yaml here",
                    "give one by -c, or write one: pipeline: boston, dataset: {target: medv}; "
                    "examples/boston/weir.yaml is a start"));
  }
  return load_settings_from_text(*text, path, request);
}

}  // namespace weir::config
