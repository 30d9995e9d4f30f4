// The spelling of paths and addresses in WebHDFS URLs.
//
// Threads: pure functions. Errors: kInvalidArgument.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace weir::store {

using UrlParameters = std::vector<std::pair<std::string, std::string>>;

// Every byte but letters, digits, '-', '.', '_', '~' (and '/', in a path) becomes %XX.
std::string percent_encode_path(std::string_view path);
std::string percent_encode(std::string_view text);
// "?op=OPEN&offset=0"
std::string query_of(const UrlParameters& parameters);

// HDFS takes 8,000 characters; in UTF-8 each has four bytes at most.
inline constexpr std::size_t kHdfsPathBytesMax = 32'000;

// What HDFS would refuse, or would keep under another name: ':' and what is no UTF-8.
Status check_hdfs_name(std::string_view path);

struct UrlOrigin {
  std::string scheme;
  std::string authority;  // "host:port", lower case
  bool operator==(const UrlOrigin&) const = default;
};
// Of "http://host:9864/webhdfs/…": kInvalidArgument unless it is http or https with a host.
Result<UrlOrigin> origin_of(std::string_view url);
// "host" of "host:9864", "::1" of "[::1]:9864".
std::string host_of_authority(std::string_view authority);
// A URL as it may be shown: the query may hold a delegation token.
std::string without_query(std::string_view url);

}  // namespace weir::store
