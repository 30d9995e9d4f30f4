#include "config/substitution.h"

#include "config/setting_table.h"

namespace weir::config {
namespace {

bool is_variable_name(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '_') return false;
  }
  return true;
}

}  // namespace

tl::expected<std::string, std::string> substitute(std::string_view text,
                                                  const Environment& environment) {
  std::string out;
  while (!text.empty()) {
    const std::size_t dollar = text.find("${");
    if (dollar == std::string_view::npos) break;
    if (dollar > 0 && text[dollar - 1] == '$') {
      out.append(text.substr(0, dollar - 1)).append("${");
      text.remove_prefix(dollar + 2);
      continue;
    }
    out.append(text.substr(0, dollar));
    text.remove_prefix(dollar + 2);
    const std::size_t end = text.find('}');
    if (end == std::string_view::npos) return tl::unexpected(std::string("${ without a }"));
    const std::string_view inner = text.substr(0, end);
    text.remove_prefix(end + 1);
    const std::size_t colon = inner.find(':');
    const std::string name(inner.substr(0, colon));
    if (!is_variable_name(name)) {
      return tl::unexpected(quoted(name) + " is not the name of a variable");
    }
    if (inner.find("${") != std::string_view::npos) {
      return tl::unexpected("${" + name + "…}: a default cannot hold another variable");
    }
    if (const auto found = environment.find(name); found != environment.end()) {
      out += found->second;
    } else if (colon != std::string_view::npos) {
      out += inner.substr(colon + 1);
    } else {
      return tl::unexpected("the variable " + name + " is not set");
    }
  }
  return out += text;
}

std::string escape_for_substitution(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "${") out += '$';
    out += text[i];
  }
  return out;
}

}  // namespace weir::config
