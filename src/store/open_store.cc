#include "store/open_store.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "store/local_file_store.h"
#include "store/webhdfs_file_store.h"

namespace weir::store {
namespace {

constexpr std::string_view kSchemes[] = {"hdfs", "webhdfs", "swebhdfs", "file"};

struct Address {
  std::string scheme;
  std::string authority;
  std::string path;  // with its '/', or empty
};

tl::unexpected<Error> bad_url(const std::string& url, const std::string& why) {
  return fail(Code::kBadConfig, "the store '" + url + "' " + why);
}

Result<Address> parse_url(const std::string& url) {
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == std::string::npos) {
    return bad_url(url, "is no address; it must look like hdfs://HOST:PORT or file:///FOLDER");
  }
  Address address;
  address.scheme = url.substr(0, scheme_end);
  const std::string rest = url.substr(scheme_end + 3);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  address.authority = rest.substr(0, slash);
  address.path = rest.substr(slash);
  while (address.path.size() > 1 && address.path.ends_with('/')) address.path.pop_back();
  if (std::find(std::begin(kSchemes), std::end(kSchemes), address.scheme) == std::end(kSchemes)) {
    const auto nearest = nearest_name(address.scheme, kSchemes);
    return bad_url(url, "is of an unknown kind" +
                            (nearest ? "; did you mean " + *nearest + "://?" : std::string()));
  }
  if (address.authority.find_first_of("@?# \t\r\n\\") != std::string::npos) {
    return bad_url(url, "has a host that cannot be; a user's name goes into hdfs.user");
  }
  return address;
}

bool has_port(const std::string& authority) {
  const std::size_t colon = authority.rfind(':');
  return colon != std::string::npos && authority.find(']', colon) == std::string::npos;
}

std::string login_name() {
  char buffer[4096];
  struct ::passwd entry {};
  struct ::passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, buffer, sizeof buffer, &found) != 0 || found == nullptr) {
    return "";
  }
  return found->pw_name;
}

// The web addresses "host:port" of the NameNodes behind hdfs://authority.
std::vector<std::string> web_addresses(const std::string& authority,
                                       const config::HadoopConfig& hadoop) {
  if (const auto service = hadoop.nameservices.find(authority);
      service != hadoop.nameservices.end()) {
    return service->second;
  }
  const std::string rpc = has_port(authority) ? authority : authority + ":8020";
  if (const auto web = hadoop.web_by_rpc.find(rpc); web != hadoop.web_by_rpc.end()) {
    return {web->second};
  }
  const std::string host = rpc.substr(0, rpc.rfind(':'));
  return {host + (hadoop.https ? ":9871" : ":9870")};
}

Result<std::shared_ptr<FileStore>> open_local(const std::string& url, const Address& address) {
  if (!address.authority.empty() && address.authority != "localhost") {
    return bad_url(url, "names a host; a local folder is file:///FOLDER, with three slashes");
  }
  if (address.path.empty()) return bad_url(url, "names no folder");
  return WEIR_TRY(LocalFileStore::open(address.path));
}

}  // namespace

Result<WebHdfsOptions> find_hdfs(const std::string& url, const config::HadoopConfig& hadoop,
                                 const StoreOptions& options) {
  const Address address = WEIR_TRY(parse_url(url));
  if (address.authority.empty() || address.authority.starts_with(':')) {
    return bad_url(url, "names no host; it must look like hdfs://HOST:PORT");
  }
  WebHdfsOptions found;
  bool https = hadoop.https;
  std::vector<std::string> addresses;
  if (address.scheme == "hdfs" || hadoop.nameservices.contains(address.authority)) {
    addresses = web_addresses(address.authority, hadoop);
  } else {
    https = address.scheme == "swebhdfs";
    addresses = {has_port(address.authority) ? address.authority
                                             : address.authority + (https ? ":9871" : ":9870")};
  }
  for (const std::string& web : addresses) {
    found.name_nodes.push_back((https ? "https://" : "http://") + web);
  }
  found.root = address.path.empty() ? "/" : address.path;
  found.shown_as = address.scheme + "://" + address.authority;
  const bool kerberos = options.hdfs.auth == config::HdfsAuth::kKerberos ||
                        hadoop.auth == config::HadoopAuth::kKerberos;
  found.auth = kerberos ? HttpAuth::kNegotiate : HttpAuth::kNone;
  if (!kerberos) found.user = options.hdfs.user.empty() ? login_name() : options.hdfs.user;
  found.direct_reads = options.hdfs.direct_reads == config::DirectReads::kAuto;
  found.http.connect_timeout = options.hdfs.connect_timeout;
  found.http.stall_timeout = options.hdfs.request_timeout;
  found.http.call_timeout = options.hdfs.request_timeout;
  found.retry = options.retry;
  found.clock = options.clock;
  return found;
}

Result<std::shared_ptr<FileStore>> open_store(const StoreOptions& options) {
  config::HadoopConfig hadoop;
  const auto read_hadoop = [&]() -> Status {
    if (options.hdfs.conf_dir.empty()) return {};
    auto read = config::load_hadoop_config(options.hdfs.conf_dir, options.environment);
    // Whatever is wrong with it, it is the configuration that must be mended.
    if (!read) return fail(Code::kBadConfig, read.error().reason());
    hadoop = std::move(*read);
    return {};
  };
  std::string url = options.url;
  if (url.empty()) {
    WEIR_TRY(read_hadoop());
    url = hadoop.default_fs;
    if (url.empty()) {
      return fail(Code::kBadConfig,
                  "no store is set: set store to hdfs://HOST:PORT or file:///FOLDER, or "
                  "HADOOP_CONF_DIR to the folder of a core-site.xml with fs.defaultFS");
    }
  }
  const Address address = WEIR_TRY(parse_url(url));
  if (address.scheme == "file") return open_local(url, address);
  if (!options.url.empty()) WEIR_TRY(read_hadoop());
  const WebHdfsOptions found = WEIR_TRY(find_hdfs(url, hadoop, options));
  auto store = WebHdfsFileStore::make(found);
  if (!store) return bad_url(url, "cannot be opened: " + store.error().reason());
  return std::move(*store);
}

}  // namespace weir::store
