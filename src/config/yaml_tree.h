// The text of a YAML file as a plain tree whose every node knows its place.
//
// Built from the parser's events and not from YAML::Node, which forgets doubled keys, resolves
// aliases (so that a small file can stand for a huge one) and does not tell a key's place.
//
// Threads: pure function. Errors: the first thing wrong ends the reading, as one YamlProblem.
// Limits: kDepthMax levels; UTF-8 without control characters; no anchors, aliases, tags, directives
// or second document; keys are plain text. The caller bounds the size of the text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace weir::config {

inline constexpr std::size_t kDepthMax = 16;

struct YamlPlace {
  int line = 0;  // from 1
  int column = 0;
};

struct YamlEntry;

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  YamlPlace place;
  std::string text;                // of a scalar
  std::vector<YamlNode> items;     // of a list
  std::vector<YamlEntry> entries;  // of a map, in the file's order, doubled keys included
};

struct YamlEntry {
  std::string key;
  YamlPlace place;
  YamlNode value;
};

struct YamlProblem {
  YamlPlace place;
  std::string what;
};

// An empty document is a null.
tl::expected<YamlNode, YamlProblem> parse_yaml(std::string_view text);

}  // namespace weir::config
