// From an address to the FileStore that is there.
//
//   hdfs://host:8020[/folder]   its NameNode's web address from hdfs-site.xml, else host:9870
//   hdfs://nameservice          the NameNodes that hdfs-site.xml lists, two or more
//   webhdfs://host:9870         that web address; swebhdfs:// is https
//   file:///folder              a folder of this machine
//   (empty)                     fs.defaultFS of core-site.xml
//
// Owner: cli; the store outlives the roles. Errors: kBadConfig, with what to set. Nobody is
// connected to yet.
#pragma once

#include "config/hadoop_xml.h"
#include "config/settings.h"
#include "store/file_store.h"
#include "store/webhdfs_client.h"

namespace weir::store {

struct StoreOptions {
  std::string url;
  // conf_dir: its XML files are read for hdfs:// and for an empty url; empty: there are none.
  // auth: kerberos where this or core-site.xml says so.
  config::HdfsSettings hdfs;
  config::Environment environment;  // for ${env.X} in the XML
  RetryPolicy retry;
  Clock* clock = &system_clock();  // outlives the store
};

Result<std::shared_ptr<FileStore>> open_store(const StoreOptions& options);

// What open_store() makes of an HDFS address; for `weir doctor`, which shows it.
Result<WebHdfsOptions> find_hdfs(const std::string& url, const config::HadoopConfig& hadoop,
                                 const StoreOptions& options);

}  // namespace weir::store
