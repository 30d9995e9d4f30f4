// weir.yaml, the environment and the command line become one checked Settings.
//
// A later one wins: default < file < environment < command line. Nothing is guessed and nothing is
// skipped: an unknown or doubled key, a value of the wrong type or out of bounds, an unset variable
// are problems, each with its place and, where there is one, the nearest known name. All problems
// are gathered (kProblemsMax at most), so that one run tells them all.
//
// Values in the file may hold ${VAR} or ${VAR:default}; `$${` stands for a plain `${`. The
// environment and the command line are taken as they are. An override from the environment that is
// empty counts as not given.
//
// Threads: pure but for reading the file. Errors: LoadProblems, never an exception.
// Limits: kFileBytesMax; YAML nested kDepthMax deep; no aliases, anchors, tags, second documents.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/error.h"
#include "config/environment.h"
#include "config/settings.h"

namespace weir::config {

inline constexpr std::size_t kFileBytesMax = 1024 * 1024;
inline constexpr std::size_t kProblemsMax = 20;
inline constexpr std::string_view kDefaultFile = "weir.yaml";

struct LoadRequest {
  std::string path;                        // -c; empty: weir.yaml in the working folder
  Environment environment;                 // process_environment(), or a test's
  std::vector<std::string> overrides;      // "produce.rate=max", in order, the last one wins
  std::vector<std::string> kafka_options;  // -X "property=value"
};

struct Problem {
  std::string where;  // "weir.yaml:4:18", "env WEIR_DATASET_SEED", "command line"; may be empty
  std::string what;   // "dataset.test_fraction: 'abc' is not a number"
  std::string hint;   // "did you mean dataset.target?"; may be empty

  bool operator==(const Problem&) const = default;
};

// "weir.yaml:4:18: dataset.test_fraction: 'abc' is not a number (hint)", one line.
std::string problem_line(const Problem& problem);

struct LoadProblems {
  std::vector<Problem> problems;  // at least one
  std::size_t left_out = 0;       // how many more there were

  std::string text() const;  // a line each, ending with a line end
  Error error() const;       // kBadConfig, all in one line
};

struct LoadedSettings {
  Settings settings;
  std::string file;  // as it was named
  // Dotted name -> "weir.yaml:4", "env WEIR_DATASET_SEED", "command line". What is not here is the
  // default.
  std::map<std::string, std::string> origins;
  // To be told, not to stop for: WEIR_… variables that seem to be settings but are none.
  std::vector<Problem> warnings;
};

using LoadResult = tl::expected<LoadedSettings, LoadProblems>;

LoadResult load_settings(const LoadRequest& request);

// The same with the file's text at hand; `file` names it in problems and origins.
LoadResult load_settings_from_text(std::string_view text, std::string_view file,
                                   const LoadRequest& request);

}  // namespace weir::config
