#include "cli/split_source.h"

#include <filesystem>

#include "base/text.h"
#include "store/open_store.h"

namespace weir::cli {
namespace {

constexpr const char* kDirectReads = "WEIR_HDFS_DIRECT_READS";

}  // namespace

Result<config::HdfsSettings> hdfs_of(const config::Environment& environment) {
  config::HdfsSettings hdfs;
  if (const auto found = environment.find("HADOOP_CONF_DIR"); found != environment.end()) {
    hdfs.conf_dir = found->second;
  }
  if (const auto found = environment.find("HADOOP_USER_NAME"); found != environment.end()) {
    hdfs.user = found->second;
  }
  // By hand: the table of all settings wants more than a worker for older machines can hold.
  if (const auto found = environment.find(kDirectReads); found != environment.end()) {
    if (found->second == "off") {
      hdfs.direct_reads = config::DirectReads::kOff;
    } else if (found->second != "auto") {
      return fail(Code::kBadConfig, std::string(kDirectReads) + ": '" + one_line(found->second) +
                                        "' is not one of auto, off");
    }
  }
  return hdfs;
}

Result<std::shared_ptr<store::FileStore>> open_store_at(const std::string& address,
                                                        const config::HdfsSettings& hdfs) {
  store::StoreOptions options;
  options.url = address;
  options.hdfs = hdfs;
  options.environment = config::process_environment();
  return during(store::open_store(options), "opening the store " + one_line(address));
}

Result<StorePath> store_path_of(const std::string& place) {
  if (const std::size_t scheme = place.find("://"); scheme != std::string::npos) {
    const std::size_t path = place.find('/', scheme + 3);
    if (path == std::string::npos || path + 1 == place.size()) {
      return fail(Code::kInvalidArgument, "'" + one_line(place) + "' names a store and no file");
    }
    // A local store is a folder: here the whole machine.
    const bool local = place.starts_with("file://");
    return StorePath{local ? "file:///" : place.substr(0, path), place.substr(path)};
  }
  std::error_code error;
  const std::filesystem::path found = std::filesystem::canonical(place, error);
  if (error) return fail(Code::kNotFound, one_line(place) + ": " + error.message());
  return StorePath{"file:///", found.string()};
}

std::string address_of(const store::FileStore& store) {
  std::string address = store.url("/");
  while (address.ends_with('/') && !address.ends_with("//")) address.pop_back();
  return address;
}

Result<registry::Dataset> open_dataset(store::FileStore& store, const std::string& path) {
  const registry::DatasetFolder folder(store, store::parent_path(path));
  return folder.open(path);
}

}  // namespace weir::cli
