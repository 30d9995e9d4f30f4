// Where HDFS is, as the cluster's own files tell it: core-site.xml and hdfs-site.xml.
//
// A later file wins over an earlier one (core-site.xml is read first), but for properties that the
// earlier one marks <final>. Values may hold ${another.property} and ${env.NAME}, also
// ${env.NAME:-default}; a reference to what is not set stays as it is written, as in Hadoop.
//
// Threads: pure but for reading the files. Errors: kNotFound (folder or file), kBadConfig with file
// and line. Limits: kXmlBytesMax a file, kReferencesMax references in a value. External entities
// and includes are not followed.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/load_settings.h"

namespace weir::config {

inline constexpr std::size_t kXmlBytesMax = std::size_t{4} << 20;
inline constexpr int kReferencesMax = 20;

enum class HadoopAuth { kSimple, kKerberos };

struct HadoopConfig {
  std::string folder;      // for messages; where the files were read
  std::string default_fs;  // fs.defaultFS: "hdfs://host:8020", "hdfs://nameservice"; may be empty
  // Nameservice -> the web addresses "host:port" of its NameNodes, in the order of the file.
  std::map<std::string, std::vector<std::string>> nameservices;
  // "host:8020" -> "host:9870", for each NameNode whose two addresses are both known.
  std::map<std::string, std::string> web_by_rpc;
  bool https = false;  // dfs.http.policy is HTTPS_ONLY; the web addresses are the https ones then
  HadoopAuth auth = HadoopAuth::kSimple;
};

// Reads both files of the folder. core-site.xml must be there; without hdfs-site.xml the default
// ports count.
Result<HadoopConfig> load_hadoop_config(const std::string& folder, const Environment& environment);

// One file's text with the name it has in messages.
struct XmlText {
  std::string name;
  std::string text;
};
Result<HadoopConfig> parse_hadoop_config(const std::vector<XmlText>& files,
                                         const Environment& environment);

}  // namespace weir::config
