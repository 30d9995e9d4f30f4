#include "serve/router.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "http/target.h"

namespace weir::serve {
namespace {

bool is_variable(std::string_view segment) { return segment.starts_with('{'); }

// More than one pattern may fit a path.
void allow(Router::Match& match, const std::string& method) {
  auto& allowed = match.allowed;
  if (std::find(allowed.begin(), allowed.end(), method) == allowed.end()) allowed.push_back(method);
}

}  // namespace

void Router::add(Route route) {
  const auto target = http::parse_target(route.pattern);
  WEIR_CHECK(target.has_value());
  patterns_.push_back(target->segments);
  routes_.push_back(std::move(route));
}

Router::Match Router::find(std::string_view method,
                           const std::vector<std::string>& segments) const {
  Match match;
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    const auto& pattern = patterns_[i];
    if (pattern.size() != segments.size()) continue;
    std::map<std::string, std::string, std::less<>> variables;
    bool fits = true;
    for (std::size_t k = 0; k < pattern.size() && fits; ++k) {
      if (!is_variable(pattern[k])) {
        fits = pattern[k] == segments[k];
      } else if ((fits = !segments[k].empty())) {
        variables[pattern[k].substr(1, pattern[k].size() - 2)] = segments[k];
      }
    }
    if (!fits) continue;
    if (routes_[i].method == wanted) {
      match.route = &routes_[i];
      match.variables = std::move(variables);
      return match;
    }
    allow(match, routes_[i].method);
    if (routes_[i].method == "GET") allow(match, "HEAD");
  }
  return match;
}

}  // namespace weir::serve
