// Where the data set of a plan lies, and how a worker gets at it.
//
// Owner: a command. Threads: one. Errors: kBadConfig for an address that cannot be; the store's.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "config/environment.h"
#include "config/settings.h"
#include "registry/dataset_folder.h"
#include "store/file_store.h"

namespace weir::cli {

// Of $HADOOP_CONF_DIR, $HADOOP_USER_NAME and $WEIR_HDFS_DIRECT_READS alone, for workers, which have
// no other settings. kBadConfig where the last one is no value of hdfs.direct_reads.
Result<config::HdfsSettings> hdfs_of(const config::Environment& environment);

Result<std::shared_ptr<store::FileStore>> open_store_at(const std::string& address,
                                                        const config::HdfsSettings& hdfs);

// "hdfs://host:8020/data/a.csv", or a path of this machine: its store's address and the path there.
struct StorePath {
  std::string address;
  std::string path;
};
Result<StorePath> store_path_of(const std::string& place);

// The whole address of a store, as a worker's own settings may say otherwise.
std::string address_of(const store::FileStore& store);

// A file, or a folder with its _SUCCESS marker.
Result<registry::Dataset> open_dataset(store::FileStore& store, const std::string& path);

}  // namespace weir::cli
