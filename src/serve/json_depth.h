// Whether JSON is nested too deeply to be made a tree of: nlohmann's parser is not recursive, its
// copies and its writer are, and a body of some hundred thousand brackets would end the stack.
//
// Threads: a pure function. Errors: none; what is no JSON may be counted wrongly.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir::serve {

inline constexpr std::size_t kJsonDepthMax = 64;

inline bool nested_too_deeply(std::string_view json, std::size_t depth_max = kJsonDepthMax) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > depth_max) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

}  // namespace weir::serve
