#include "config/show_settings.h"

#include <algorithm>

#include "base/text.h"
#include "config/setting_table.h"
#include "config/substitution.h"

namespace weir::config {
namespace {

constexpr std::string_view kMask = "********";

std::string origin_of(const LoadedSettings& loaded, const std::string& name) {
  const auto found = loaded.origins.find(name);
  return found == loaded.origins.end() ? "default" : found->second;
}

ShownSetting shown_property(const LoadedSettings& loaded, const std::string& property,
                            const std::string& value) {
  const std::string name = std::string(kKafkaSection) + "." + property;
  const bool secret = is_secret(name);
  return {name, secret ? std::string(kMask) : value, origin_of(loaded, name), secret};
}

// A value that YAML reads back as the same text. Quotes are left off only where nothing in the text
// can mean anything else.
std::string yaml_text(std::string_view value) {
  const std::string escaped = escape_for_substitution(value);
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:-";
  const bool plain = !escaped.empty() && escaped.find_first_not_of(kPlain) == std::string::npos &&
                     escaped.front() != '-' && escaped.front() != ':' && escaped.back() != ':' &&
                     escaped != "null" && escaped != "Null" && escaped != "NULL" &&
                     escaped.find("..") == std::string::npos;
  if (plain) return escaped;
  std::string out = "\"";
  for (const char c : escaped) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x" + to_hex(std::string_view(&c, 1));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string yaml_value(const Setting& setting, const Settings& settings) {
  if (!setting.get_items) {
    const std::string value = setting.get(settings);
    return setting.text_like ? yaml_text(value) : value;
  }
  std::string out;
  for (const std::string& item : setting.get_items(settings)) {
    out += (out.empty() ? "" : ", ") + yaml_text(item);
  }
  return "[" + out + "]";
}

void add_line(std::string& out, const std::string& indent, std::string_view key,
              const std::string& value, const std::string& origin) {
  constexpr std::size_t kCommentColumn = 50;
  std::string line = indent + std::string(key) + ": " + value;
  line.resize(std::max(line.size(), kCommentColumn), ' ');
  out += line + "  # " + one_line(origin) + "\n";
}

}  // namespace

std::vector<ShownSetting> shown_settings(const LoadedSettings& loaded) {
  std::vector<ShownSetting> shown;
  for (const Setting& setting : setting_table()) {
    if (section_of(setting.name) == kKafkaSection) {
      for (const auto& [property, value] : loaded.settings.kafka) {
        shown.push_back(shown_property(loaded, property, value));
      }
      continue;
    }
    const std::string value = setting.get(loaded.settings);
    const bool secret = is_secret(setting.name) && !value.empty();
    shown.push_back({setting.name, secret ? std::string(kMask) : value,
                     origin_of(loaded, setting.name), secret});
  }
  return shown;
}

std::string settings_as_yaml(const LoadedSettings& loaded) {
  std::string out;
  std::string_view open_section;
  for (const Setting& setting : setting_table()) {
    const std::string_view section = section_of(setting.name);
    if (!section.empty() && section != open_section) out += std::string(section) + ":\n";
    open_section = section;
    if (section == kKafkaSection) {
      for (const auto& [property, value] : loaded.settings.kafka) {
        const ShownSetting shown = shown_property(loaded, property, value);
        add_line(out, "  ", property, yaml_text(shown.value), shown.origin);
      }
      continue;
    }
    const std::string_view key = section.empty()
                                     ? std::string_view(setting.name)
                                     : std::string_view(setting.name).substr(section.size() + 1);
    const bool secret = is_secret(setting.name) && !setting.get(loaded.settings).empty();
    add_line(out, section.empty() ? "" : "  ", key,
             secret ? yaml_text(kMask) : yaml_value(setting, loaded.settings),
             origin_of(loaded, setting.name));
  }
  return out;
}

}  // namespace weir::config
