// How one kind of value is read, bounded and written; setting_table.cc is made of these.
//
// Each function takes the dotted name and an accessor, a lambda that yields the member of const and
// of mutable Settings alike, and returns an entry that still lacks nothing but what the kind cannot
// know. Threads: pure functions.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "base/value_text.h"
#include "config/setting_table.h"

namespace weir::config {

// A value that has an order: how its text is read and written, and what it is called.
template <typename T>
struct Ordered {
  std::string type;
  std::string not_one;  // "is not a whole number"
  std::function<std::optional<T>(std::string_view)> parse;
  std::function<std::string(T)> format;
};

template <typename T, typename Accessor>
Setting ordered_setting(std::string name, Accessor at, const Ordered<T>& kind, T lowest, T highest,
                        std::string doc) {
  Setting setting;
  setting.name = std::move(name);
  setting.type = kind.type;
  setting.lowest = kind.format(lowest);
  setting.highest = kind.format(highest);
  setting.legal = setting.lowest + " to " + setting.highest;
  setting.example = setting.lowest;
  setting.doc = std::move(doc);
  setting.set = [=, legal = setting.legal](Settings& s, std::string_view text) -> SetResult {
    const std::optional<T> value = kind.parse(text);
    if (!value) return Refusal{quoted(text) + " " + kind.not_one, legal};
    if (*value < lowest || *value > highest) {
      return Refusal{quoted(text) + " is out of bounds", legal};
    }
    using Member = std::remove_reference_t<decltype(at(s))>;
    at(s) = static_cast<Member>(*value);
    return std::nullopt;
  };
  setting.get = [=](const Settings& s) { return kind.format(static_cast<T>(at(s))); };
  return setting;
}

template <typename Accessor>
Setting integer(std::string name, Accessor at, std::int64_t lowest, std::int64_t highest,
                const std::string& unit, std::string doc) {
  const std::string type = unit.empty() ? "whole number" : "whole number (" + unit + ")";
  const Ordered<std::int64_t> kind{type, "is not a whole number", parse_int64,
                                   [](std::int64_t value) { return std::to_string(value); }};
  return ordered_setting<std::int64_t>(std::move(name), at, kind, lowest, highest, std::move(doc));
}

// As format_double(), but 1000000 and not 1e+06.
inline std::string format_number(double value) {
  constexpr double kExactMax = 1e15;
  const bool whole = value > -kExactMax && value < kExactMax &&
                     value == static_cast<double>(static_cast<std::int64_t>(value));
  return whole ? std::to_string(static_cast<std::int64_t>(value)) : format_double(value);
}

template <typename Accessor>
Setting number(std::string name, Accessor at, double lowest, double highest, std::string doc) {
  const Ordered<double> kind{"number", "is not a number", parse_finite_double, format_number};
  return ordered_setting<double>(std::move(name), at, kind, lowest, highest, std::move(doc));
}

template <typename Accessor>
Setting duration(std::string name, Accessor at, Millis lowest, Millis highest, std::string doc) {
  const Ordered<Millis> kind{"duration", "is not a duration such as 100ms, 2s or 5m",
                             parse_duration, format_duration};
  return ordered_setting<Millis>(std::move(name), at, kind, lowest, highest, std::move(doc));
}

template <typename Accessor>
Setting size(std::string name, Accessor at, std::int64_t lowest, std::int64_t highest,
             std::string doc) {
  const Ordered<std::int64_t> kind{"size", "is not a size such as 500kB, 64MB or 1GiB", parse_size,
                                   format_size};
  return ordered_setting<std::int64_t>(std::move(name), at, kind, lowest, highest, std::move(doc));
}

// A number, or a word for nullopt: `max`, no limit; `auto`, the program finds one.
template <typename Accessor>
Setting number_or(const std::string& word, std::string name, Accessor at, double lowest,
                  double highest, const std::string& unit, std::string doc) {
  using Number = std::optional<double>;
  Setting setting;
  setting.name = std::move(name);
  setting.type = "number (" + unit + ") or " + word;
  setting.lowest = format_number(lowest);
  setting.highest = format_number(highest);
  setting.legal = setting.lowest + " to " + setting.highest + ", or " + word;
  setting.example = word;
  setting.doc = std::move(doc);
  setting.set = [=, legal = setting.legal](Settings& s, std::string_view text) -> SetResult {
    std::string_view digits = text;
    if (unit == "%" && digits.ends_with('%')) {
      digits.remove_suffix(1);
      while (digits.ends_with(' ')) digits.remove_suffix(1);
    }
    const Number value = text == word ? std::nullopt : parse_finite_double(digits);
    if (text != word) {
      if (!value) return Refusal{quoted(text) + " is neither a number nor " + word, legal};
      if (*value < lowest || *value > highest) {
        return Refusal{quoted(text) + " is out of bounds", legal};
      }
    }
    at(s) = value;
    return std::nullopt;
  };
  setting.get = [=](const Settings& s) {
    const Number& value = at(s);
    return value ? format_number(*value) : word;
  };
  return setting;
}

// One of a few words, each standing for a value.
template <typename T, typename Accessor>
Setting choice(std::string name, Accessor at, std::vector<std::pair<std::string, T>> words,
               std::string doc) {
  Setting setting;
  setting.name = std::move(name);
  setting.type = "choice";
  for (const auto& [word, value] : words)
    setting.legal += (setting.legal.empty() ? "" : ", ") + word;
  setting.example = words.back().first;
  setting.doc = std::move(doc);
  setting.set = [=, legal = setting.legal](Settings& s, std::string_view text) -> SetResult {
    for (const auto& [word, value] : words) {
      if (word != text) continue;
      at(s) = value;
      return std::nullopt;
    }
    return Refusal{quoted(text) + " is not one of " + legal, ""};
  };
  setting.get = [=](const Settings& s) {
    for (const auto& [word, value] : words) {
      if (value == at(s)) return word;
    }
    return std::string();
  };
  return setting;
}

template <typename Accessor>
Setting flag(std::string name, Accessor at, std::string doc) {
  Setting setting =
      choice<bool>(std::move(name), at, {{"true", true}, {"false", false}}, std::move(doc));
  setting.type = "true or false";
  return setting;
}

// Which texts are legal: in words, and as a test.
struct TextRule {
  std::string legal;
  std::function<bool(std::string_view)> holds;
};

template <typename Accessor>
Setting text(std::string name, Accessor at, const TextRule& rule, std::string example,
             std::string doc) {
  Setting setting;
  setting.name = std::move(name);
  setting.type = "text";
  setting.text_like = true;
  setting.legal = rule.legal;
  setting.example = std::move(example);
  setting.doc = std::move(doc);
  setting.set = [=](Settings& s, std::string_view value) -> SetResult {
    if (!rule.holds(value)) return Refusal{quoted(value) + " is not legal here", rule.legal};
    at(s) = std::string(value);
    return std::nullopt;
  };
  setting.get = [=](const Settings& s) { return at(s); };
  return setting;
}

template <typename Accessor>
Setting list(std::string name, Accessor at, std::size_t items_max, const TextRule& item_rule,
             std::string example, std::string doc) {
  Setting setting;
  setting.name = std::move(name);
  setting.type = "list";
  setting.legal = "at most " + std::to_string(items_max) + " items, each " + item_rule.legal;
  setting.example = std::move(example);
  setting.doc = std::move(doc);
  setting.set_items = [=, legal = setting.legal](
                          Settings& s, const std::vector<std::string>& items) -> SetResult {
    if (items.size() > items_max) return Refusal{"too many items", legal};
    for (const std::string& item : items) {
      if (!item_rule.holds(item)) return Refusal{quoted(item) + " is not legal here", legal};
      if (std::count(items.begin(), items.end(), item) > 1) {
        return Refusal{quoted(item) + " is given twice", ""};
      }
    }
    at(s) = items;
    return std::nullopt;
  };
  setting.set = [set_items = setting.set_items](Settings& s, std::string_view value) {
    std::vector<std::string> items;
    while (!value.empty()) {
      const std::size_t comma = std::min(value.find(','), value.size());
      items.emplace_back(value.substr(0, comma));
      // A comma at the end leaves an empty last item, which the rule refuses.
      if (comma + 1 == value.size()) items.emplace_back();
      value.remove_prefix(std::min(comma + 1, value.size()));
    }
    return set_items(s, items);
  };
  setting.get_items = [=](const Settings& s) { return at(s); };
  setting.get = [=](const Settings& s) {
    std::string joined;
    for (const std::string& item : at(s)) joined += (joined.empty() ? "" : ",") + item;
    return joined;
  };
  return setting;
}

inline bool is_of(std::string_view text, std::string_view alphabet) {
  return text.find_first_not_of(alphabet) == std::string_view::npos;
}

inline TextRule bytes_rule(std::size_t bytes_min, std::size_t bytes_max) {
  return {std::to_string(bytes_min) + " to " + std::to_string(bytes_max) + " bytes without NUL",
          [=](std::string_view text) {
            return text.size() >= bytes_min && text.size() <= bytes_max &&
                   text.find('\0') == std::string_view::npos;
          }};
}

// The default is what this variable of the environment has, where it is set.
inline Setting else_from(std::string variable, Setting setting) {
  setting.fallback_environment = std::move(variable);
  return setting;
}

}  // namespace weir::config
