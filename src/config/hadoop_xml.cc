#include "config/hadoop_xml.h"

#include <algorithm>
#include <optional>
#include <pugixml.hpp>

#include "base/local_file.h"
#include "base/text.h"

namespace weir::config {
namespace {

constexpr std::size_t kValueBytesMax = 64 * 1024;
constexpr std::size_t kPropertiesMax = 20'000;

std::string trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(kSpace) - begin + 1));
}

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (std::string part = trim(text.substr(0, comma)); !part.empty()) {
      parts.push_back(std::move(part));
    }
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

// The properties of all files, with the references in their values put in on reading.
class Properties {
 public:
  explicit Properties(const Environment& environment) : environment_(environment) {}

  Status add(const XmlText& file);
  // Empty where it is not set, as an empty value means nothing for any property that is read here.
  Result<std::string> get(const std::string& name) const;

 private:
  struct Property {
    std::string value;
    std::string place;  // "core-site.xml:12"
    bool is_final = false;
  };
  Status add_property(const pugi::xml_node& node, const XmlText& file);
  std::optional<std::string> referenced(std::string_view name) const;

  const Environment& environment_;
  std::map<std::string, Property> properties_;
};

std::string place_of(const XmlText& file, std::ptrdiff_t offset) {
  const auto end = file.text.begin() + std::clamp<std::ptrdiff_t>(offset, 0, file.text.size());
  return file.name + ":" + std::to_string(std::count(file.text.begin(), end, '\n') + 1);
}

Status Properties::add_property(const pugi::xml_node& node, const XmlText& file) {
  const std::string place = place_of(file, node.offset_debug());
  const std::string name = trim(node.child("name").child_value());
  if (name.empty()) return fail(Code::kBadConfig, place + ": a <property> without a <name>");
  Property property{trim(node.child("value").child_value()), place,
                    trim(node.child("final").child_value()) == "true"};
  const auto [known, is_new] = properties_.try_emplace(name, property);
  if (!is_new && !known->second.is_final) known->second = std::move(property);
  if (properties_.size() > kPropertiesMax) {
    return fail(Code::kBadConfig,
                place + ": more than " + std::to_string(kPropertiesMax) + " properties");
  }
  return {};
}

Status Properties::add(const XmlText& file) {
  pugi::xml_document document;
  // The parser knows the five plain entities only and never opens another file.
  const pugi::xml_parse_result parsed =
      document.load_buffer(file.text.data(), file.text.size(), pugi::parse_default);
  if (!parsed) {
    return fail(Code::kBadConfig,
                place_of(file, parsed.offset) + ": not well-formed XML: " + parsed.description());
  }
  const pugi::xml_node root = document.document_element();
  if (std::string_view(root.name()) != "configuration") {
    return fail(Code::kBadConfig, place_of(file, root.offset_debug()) + ": begins with <" +
                                      root.name() + ">, not <configuration>");
  }
  for (const pugi::xml_node node : root.children()) {
    if (node.type() != pugi::node_element) continue;
    if (std::string_view(node.name()) != "property") {
      return fail(Code::kBadConfig, place_of(file, node.offset_debug()) + ": <" + node.name() +
                                        "> is not followed; only <property> may stand here");
    }
    WEIR_TRY(add_property(node, file));
  }
  return {};
}

// What stands for ${name}; nothing where it is not set.
std::optional<std::string> Properties::referenced(std::string_view name) const {
  if (!name.starts_with("env.")) {
    const auto property = properties_.find(std::string(name));
    if (property == properties_.end()) return std::nullopt;
    return property->second.value;
  }
  name.remove_prefix(4);
  const std::size_t dash = std::min(name.find('-'), name.size());
  const bool if_empty = dash > 0 && dash < name.size() && name[dash - 1] == ':';
  const auto variable = environment_.find(std::string(name.substr(0, if_empty ? dash - 1 : dash)));
  std::optional<std::string> value;
  if (variable != environment_.end()) value = variable->second;
  const bool is_missing = !value || (if_empty && value->empty());
  if (is_missing && dash < name.size()) return std::string(name.substr(dash + 1));
  return value;
}

Result<std::string> Properties::get(const std::string& name) const {
  const auto property = properties_.find(name);
  if (property == properties_.end()) return std::string();
  std::string value = property->second.value;
  const auto bad = [&](const std::string& why) {
    return fail(Code::kBadConfig, property->second.place + ": " + name + ": " + why);
  };
  std::size_t from = 0;
  for (int references = 0;; ++references) {
    // The innermost first: of "${a${b}}" the reference to b.
    const std::size_t end = value.find('}', from);
    if (end == std::string::npos) return value;
    const std::size_t begin = value.rfind("${", end);
    if (begin == std::string::npos || begin < from) {
      from = end + 1;
      continue;
    }
    const auto found = referenced(std::string_view(value).substr(begin + 2, end - begin - 2));
    if (!found) {
      from = end + 1;
      continue;
    }
    if (references == kReferencesMax) {
      return bad("more than " + std::to_string(kReferencesMax) +
                 " references; does it refer to itself?");
    }
    value.replace(begin, end - begin + 1, *found);
    if (value.size() > kValueBytesMax) return bad("too long once its references are put in");
  }
}

std::string without_scheme(const std::string& url) {
  const std::size_t end = url.find("://");
  std::string rest = end == std::string::npos ? url : url.substr(end + 3);
  return rest.substr(0, rest.find('/'));
}

std::string host_of(const std::string& address) { return address.substr(0, address.rfind(':')); }

// A web address that names all interfaces says only the port; the host is that of the RPC address.
std::string reachable(const std::string& web, const std::string& rpc) {
  if (!rpc.empty() && host_of(web) == "0.0.0.0") {
    return host_of(rpc) + web.substr(host_of(web).size());
  }
  return web;
}

struct NameNodeNames {
  std::string suffix;        // ".nameservice.nn1", or empty
  std::string default_rpc;   // where no rpc-address is set
  std::string default_port;  // of the web address
};

// The web address of one NameNode; empty where neither it nor a host is known.
Result<std::string> read_name_node(const Properties& properties, const NameNodeNames& names,
                                   HadoopConfig& config) {
  const std::string kind = config.https ? "https" : "http";
  std::string rpc = WEIR_TRY(properties.get("dfs.namenode.rpc-address" + names.suffix));
  if (rpc.empty()) rpc = names.default_rpc;
  if (!rpc.empty() && rpc.find(':') == std::string::npos) rpc += ":8020";
  std::string web = WEIR_TRY(properties.get("dfs.namenode." + kind + "-address" + names.suffix));
  if (web.empty() && !rpc.empty()) web = host_of(rpc) + names.default_port;
  if (!web.empty()) web = reachable(web, rpc);
  if (!web.empty() && !rpc.empty()) config.web_by_rpc[rpc] = web;
  return web;
}

Status read_nameservices(const Properties& properties, const std::string& default_port,
                         HadoopConfig& config) {
  const std::string all = WEIR_TRY(properties.get("dfs.nameservices"));
  for (const std::string& service : split_at_commas(all)) {
    const std::string nodes = WEIR_TRY(properties.get("dfs.ha.namenodes." + service));
    std::vector<std::string> suffixes;
    for (const std::string& node : split_at_commas(nodes)) {
      suffixes.push_back("." + service + "." + node);
    }
    if (suffixes.empty()) suffixes.push_back("." + service);
    std::vector<std::string> addresses;
    for (const std::string& suffix : suffixes) {
      std::string web =
          WEIR_TRY(read_name_node(properties, NameNodeNames{suffix, "", default_port}, config));
      if (!web.empty()) addresses.push_back(std::move(web));
    }
    if (!addresses.empty()) config.nameservices[service] = std::move(addresses);
  }
  return {};
}

Result<std::string> read_text(const std::string& path) {
  std::string text = WEIR_TRY(read_local_file(path, kXmlBytesMax + 1));
  if (text.size() > kXmlBytesMax) {
    return fail(Code::kBadConfig, path + ": longer than " + format_bytes(kXmlBytesMax));
  }
  return text;
}

}  // namespace

Result<HadoopConfig> parse_hadoop_config(const std::vector<XmlText>& files,
                                         const Environment& environment) {
  Properties properties(environment);
  for (const XmlText& file : files) WEIR_TRY(properties.add(file));

  HadoopConfig config;
  config.default_fs = WEIR_TRY(properties.get("fs.defaultFS"));
  if (config.default_fs.empty()) config.default_fs = WEIR_TRY(properties.get("fs.default.name"));
  config.https = WEIR_TRY(properties.get("dfs.http.policy")) == "HTTPS_ONLY";
  const std::string auth = WEIR_TRY(properties.get("hadoop.security.authentication"));
  if (auth == "kerberos") {
    config.auth = HadoopAuth::kKerberos;
  } else if (!auth.empty() && auth != "simple") {
    return fail(Code::kBadConfig,
                "hadoop.security.authentication is '" + auth + "'; known are simple and kerberos");
  }
  const std::string default_port = config.https ? ":9871" : ":9870";
  WEIR_TRY(read_nameservices(properties, default_port, config));
  if (config.nameservices.empty()) {
    // Without a rpc-address the NameNode is the one that fs.defaultFS names.
    const bool names_node = config.default_fs.starts_with("hdfs://");
    const std::string rpc = names_node ? without_scheme(config.default_fs) : "";
    WEIR_TRY(read_name_node(properties, NameNodeNames{"", rpc, default_port}, config));
  }
  return config;
}

Result<HadoopConfig> load_hadoop_config(const std::string& folder, const Environment& environment) {
  const auto hint = [](Error error) {
    return Error(error.code(),
                 error.reason() + "; HADOOP_CONF_DIR must name the folder of core-site.xml");
  };
  if (folder.empty()) return fail(hint(Error(Code::kNotFound, "no folder of Hadoop's XML files")));
  std::vector<XmlText> files;
  const std::string core = folder + "/core-site.xml";
  auto core_text = read_text(core);
  if (!core_text) return fail(hint(std::move(core_text.error())));
  files.push_back({core, std::move(*core_text)});
  const std::string hdfs = folder + "/hdfs-site.xml";
  auto hdfs_text = read_text(hdfs);
  if (hdfs_text) {
    files.push_back({hdfs, std::move(*hdfs_text)});
  } else if (hdfs_text.error().code() != Code::kNotFound) {
    return fail(std::move(hdfs_text.error()));
  }
  HadoopConfig config = WEIR_TRY(parse_hadoop_config(files, environment));
  config.folder = folder;
  return config;
}

}  // namespace weir::config
