#include "config/hadoop_xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace weir::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

std::string xml(const std::vector<std::pair<std::string, std::string>>& properties) {
  std::string text = "<?xml version=\"1.0\"?>\n<configuration>\n";
  for (const auto& [name, value] : properties) {
    text += "<property><name>" + name + "</name><value>" + value + "</value></property>\n";
  }
  return text + "</configuration>\n";
}

Result<HadoopConfig> parse(const std::string& core, const std::string& hdfs = xml({}),
                           const Environment& environment = {}) {
  return parse_hadoop_config({{"core-site.xml", core}, {"hdfs-site.xml", hdfs}}, environment);
}

std::string error_of(const std::string& core) {
  const auto config = parse(core);
  if (config) return "no error";
  EXPECT_EQ(config.error().code(), Code::kBadConfig);
  return config.error().message();
}

TEST(HadoopXml, reads_one_name_node) {
  const auto config = parse(xml({{"fs.defaultFS", "hdfs://name:8020"}}),
                            xml({{"dfs.namenode.http-address", "name:50070"}}));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->default_fs, "hdfs://name:8020");
  EXPECT_THAT(config->web_by_rpc, ElementsAre(Pair("name:8020", "name:50070")));
  EXPECT_EQ(config->auth, HadoopAuth::kSimple);
  EXPECT_FALSE(config->https);
}

TEST(HadoopXml, reads_a_nameservice_of_two_name_nodes) {
  const auto config = parse(xml({{"fs.defaultFS", "hdfs://main"}}),
                            xml({{"dfs.nameservices", "main, other"},
                                 {"dfs.ha.namenodes.main", "nn1,nn2"},
                                 {"dfs.namenode.rpc-address.main.nn1", "a:8020"},
                                 {"dfs.namenode.rpc-address.main.nn2", "b:8020"},
                                 {"dfs.namenode.http-address.main.nn1", "a:9870"},
                                 {"dfs.namenode.http-address.main.nn2", "0.0.0.0:9875"},
                                 {"dfs.namenode.rpc-address.other", "c:8020"}}));
  ASSERT_TRUE(config);
  EXPECT_THAT(config->nameservices,
              UnorderedElementsAre(Pair("main", ElementsAre("a:9870", "b:9875")),
                                   Pair("other", ElementsAre("c:9870"))));
  EXPECT_EQ(config->web_by_rpc.at("b:8020"), "b:9875");
}

TEST(HadoopXml, reads_the_https_addresses_where_the_policy_is_https_only) {
  const auto config = parse(
      xml({{"fs.defaultFS", "hdfs://name:8020"}, {"hadoop.security.authentication", "kerberos"}}),
      xml({{"dfs.http.policy", "HTTPS_ONLY"},
           {"dfs.namenode.http-address", "name:1"},
           {"dfs.namenode.https-address", "name:2"}}));
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->https);
  EXPECT_EQ(config->web_by_rpc.at("name:8020"), "name:2");
  EXPECT_EQ(config->auth, HadoopAuth::kKerberos);
}

TEST(HadoopXml, lets_the_later_file_win_but_for_what_is_final) {
  const std::string core =
      "<configuration><property><name>fs.defaultFS</name><value>hdfs://first</value>"
      "<final>true</final></property><property><name>dfs.http.policy</name>"
      "<value>HTTP_ONLY</value></property></configuration>";
  const auto config =
      parse(core, xml({{"fs.defaultFS", "hdfs://second"}, {"dfs.http.policy", "HTTPS_ONLY"}}));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->default_fs, "hdfs://first");
  EXPECT_TRUE(config->https);
}

TEST(HadoopXml, puts_in_other_properties_and_the_environment) {
  const auto config = parse(xml({{"fs.defaultFS", "hdfs://${host}:${env.PORT}"},
                                 {"host", "${short}.${env.DOMAIN:-example.org}"},
                                 {"short", "name"}}),
                            xml({}), {{"PORT", "8020"}, {"DOMAIN", ""}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->default_fs, "hdfs://name.example.org:8020");
}

TEST(HadoopXml, leaves_a_reference_to_nothing_as_it_is) {
  EXPECT_EQ(parse(xml({{"fs.defaultFS", "hdfs://${none}${env.NONE}x}"}}))->default_fs,
            "hdfs://${none}${env.NONE}x}");
  EXPECT_EQ(parse(xml({{"fs.defaultFS", "hdfs://${env.NONE-name}"}}))->default_fs, "hdfs://name");
}

TEST(HadoopXml, refuses_values_that_refer_to_themselves) {
  EXPECT_THAT(error_of(xml({{"fs.defaultFS", "${a}"}, {"a", "${b}"}, {"b", "${a}"}})),
              HasSubstr("does it refer to itself?"));
  std::string doubled = "${b}";
  for (int i = 0; i < 10; ++i) doubled += doubled;
  EXPECT_THAT(error_of(xml({{"fs.defaultFS", doubled}, {"b", "x"}})), HasSubstr("references"));
}

TEST(HadoopXml, says_where_a_file_is_wrong) {
  EXPECT_THAT(error_of("<configuration>\n<property>\n</configuration>"),
              HasSubstr("core-site.xml:3"));
  EXPECT_THAT(error_of(""), HasSubstr("core-site.xml:1"));
  EXPECT_THAT(error_of("<html></html>"), HasSubstr("not <configuration>"));
  EXPECT_THAT(error_of("<configuration>\n\n<property><value>x</value></property></configuration>"),
              HasSubstr("core-site.xml:3: a <property> without a <name>"));
  EXPECT_THAT(error_of(xml({{"hadoop.security.authentication", "magic"}})), HasSubstr("magic"));
}

TEST(HadoopXml, opens_no_other_file) {
  const std::string entity =
      "<!DOCTYPE c [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\n<configuration><property>"
      "<name>fs.defaultFS</name><value>hdfs://&x;</value></property></configuration>";
  const auto config = parse(entity);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->default_fs, "hdfs://&x;");
  EXPECT_THAT(error_of("<configuration><xi:include href=\"/etc/passwd\"/></configuration>"),
              HasSubstr("is not followed"));
}

TEST(HadoopXml, reads_a_folder_and_says_what_is_missing_there) {
  std::string folder = (std::filesystem::temp_directory_path() / "weir-xml-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto none = load_hadoop_config(folder, {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::kNotFound);
  EXPECT_THAT(none.error().message(), HasSubstr(folder + "/core-site.xml"));
  EXPECT_THAT(none.error().message(), HasSubstr("HADOOP_CONF_DIR"));
  std::ofstream(folder + "/core-site.xml") << xml({{"fs.defaultFS", "hdfs://name:8020"}});
  const auto without_hdfs_site = load_hadoop_config(folder, {});
  ASSERT_TRUE(without_hdfs_site);
  EXPECT_EQ(without_hdfs_site->folder, folder);
  EXPECT_EQ(without_hdfs_site->web_by_rpc.at("name:8020"), "name:9870");
  std::ofstream(folder + "/hdfs-site.xml") << "<configuration>";
  const auto broken = load_hadoop_config(folder, {});
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().message(), HasSubstr(folder + "/hdfs-site.xml:1"));
  std::filesystem::remove_all(folder);
}

TEST(HadoopXml, does_not_fall_over_any_cut_or_flipped_byte) {
  const std::string whole = xml({{"fs.defaultFS", "hdfs://${a}"}, {"a", "${env.B:-c}"}});
  for (std::size_t i = 0; i < whole.size(); ++i) {
    (void)parse(whole.substr(0, i));
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x55);
    (void)parse(flipped);
  }
}

}  // namespace
}  // namespace weir::config
