#include "store/open_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "store/result_matchers_test.h"

namespace weir::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

config::HadoopConfig two_name_nodes() {
  config::HadoopConfig hadoop;
  hadoop.nameservices["main"] = {"a:9870", "b:9870"};
  return hadoop;
}

config::HadoopConfig one_name_node() {
  config::HadoopConfig hadoop;
  hadoop.web_by_rpc["name:9000"] = "name:50070";
  return hadoop;
}

Result<WebHdfsOptions> find(const std::string& url, const config::HadoopConfig& hadoop = {},
                            const std::string& user = "weir") {
  StoreOptions options;
  options.hdfs.user = user;
  return find_hdfs(url, hadoop, options);
}

TEST(OpenStore, guesses_the_usual_web_port_where_no_file_tells_it) {
  EXPECT_THAT(find("hdfs://name:8020")->name_nodes, ElementsAre("http://name:9870"));
  EXPECT_THAT(find("hdfs://name")->name_nodes, ElementsAre("http://name:9870"));
  EXPECT_THAT(find("hdfs://[::1]:8020")->name_nodes, ElementsAre("http://[::1]:9870"));
  config::HadoopConfig https;
  https.https = true;
  EXPECT_THAT(find("hdfs://name:8020", https)->name_nodes, ElementsAre("https://name:9871"));
}

TEST(OpenStore, takes_the_web_address_of_the_name_node_from_the_files) {
  EXPECT_THAT(find("hdfs://name:9000", one_name_node())->name_nodes,
              ElementsAre("http://name:50070"));
  EXPECT_THAT(find("hdfs://other:9000", one_name_node())->name_nodes,
              ElementsAre("http://other:9870"))
      << "the files tell of another cluster";
  EXPECT_THAT(find("hdfs://main/folder", two_name_nodes())->name_nodes,
              ElementsAre("http://a:9870", "http://b:9870"));
}

TEST(OpenStore, takes_web_addresses_as_they_are) {
  EXPECT_THAT(find("webhdfs://name:1234")->name_nodes, ElementsAre("http://name:1234"));
  EXPECT_THAT(find("swebhdfs://name:1234")->name_nodes, ElementsAre("https://name:1234"));
  EXPECT_THAT(find("swebhdfs://name")->name_nodes, ElementsAre("https://name:9871"));
}

TEST(OpenStore, makes_the_folder_of_the_address_the_root) {
  EXPECT_EQ(find("hdfs://name:8020")->root, "/");
  EXPECT_EQ(find("hdfs://name:8020/")->root, "/");
  EXPECT_EQ(find("hdfs://name:8020/a/b/")->root, "/a/b");
  StoreOptions options;
  options.url = "hdfs://name:8020/a/../b";
  EXPECT_CODE(kBadConfig, open_store(options));
  options.url = "hdfs://name:8020/a";
  EXPECT_EQ((*open_store(options))->url("/x"), "hdfs://name:8020/a/x");
}

TEST(OpenStore, reads_directly_unless_that_is_turned_off) {
  EXPECT_TRUE(find("hdfs://name")->direct_reads);
  StoreOptions options;
  options.hdfs.direct_reads = config::DirectReads::kOff;
  EXPECT_FALSE(find_hdfs("hdfs://name", {}, options)->direct_reads);
}

TEST(OpenStore, sends_a_user_name_or_logs_in_never_both) {
  EXPECT_EQ(find("hdfs://name")->user, "weir");
  EXPECT_EQ(find("hdfs://name")->auth, HttpAuth::kNone);
  EXPECT_NE(find("hdfs://name", {}, "")->user, "") << "the one who runs the program";
  config::HadoopConfig kerberos;
  kerberos.auth = config::HadoopAuth::kKerberos;
  EXPECT_EQ(find("hdfs://name", kerberos)->user, "");
  EXPECT_EQ(find("hdfs://name", kerberos)->auth, HttpAuth::kNegotiate);
}

TEST(OpenStore, refuses_addresses_that_cannot_be) {
  const std::pair<const char*, const char*> bad[] = {
      {"name:8020", "hdfs://HOST:PORT"}, {"hfds://name:8020", "did you mean hdfs://"},
      {"hdfs:///folder", "no host"},     {"hdfs://me@name:8020", "hdfs.user"},
      {"hdfs://:8020", "no host"},       {"file://folder/x", "three slashes"},
      {"file://", "no folder"},          {"s3://bucket", "unknown kind"},
      {"hdfs://na me", "cannot be"},
  };
  for (const auto& [url, hint] : bad) {
    StoreOptions options;
    options.url = url;
    const auto store = open_store(options);
    EXPECT_CODE(kBadConfig, store) << url;
    EXPECT_THAT(store.error().message(), HasSubstr(hint)) << url;
  }
}

TEST(OpenStore, opens_a_local_folder_without_looking_at_hadoop) {
  StoreOptions options;
  options.url = "file://" + std::filesystem::temp_directory_path().string();
  options.hdfs.conf_dir = "/none";
  EXPECT_OK(open_store(options));
}

TEST(OpenStore, says_what_to_set_where_nothing_is) {
  StoreOptions options;
  const auto store = open_store(options);
  EXPECT_CODE(kBadConfig, store);
  EXPECT_THAT(store.error().message(), HasSubstr("HADOOP_CONF_DIR"));
  options.hdfs.conf_dir = "/none";
  const auto missing = open_store(options);
  EXPECT_CODE(kBadConfig, missing);
  EXPECT_THAT(missing.error().message(), HasSubstr("/none/core-site.xml"));
}

}  // namespace
}  // namespace weir::store
