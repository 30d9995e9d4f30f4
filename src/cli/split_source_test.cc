#include "cli/split_source.h"

#include <gmock/gmock.h>

#include "config/setting_table.h"

namespace weir::cli {
namespace {

TEST(HdfsOf, takes_what_a_worker_is_told_by_its_environment_and_nothing_else) {
  EXPECT_EQ(*hdfs_of({{"PATH", "/bin"}, {"WEIR_HDFS_USER", "x"}}), config::HdfsSettings());
  const auto hdfs = hdfs_of({{"HADOOP_CONF_DIR", "/etc/hadoop"},
                             {"HADOOP_USER_NAME", "me"},
                             {"WEIR_HDFS_DIRECT_READS", "off"}});
  ASSERT_TRUE(hdfs);
  EXPECT_EQ(hdfs->conf_dir, "/etc/hadoop");
  EXPECT_EQ(hdfs->user, "me");
  EXPECT_EQ(hdfs->direct_reads, config::DirectReads::kOff);
}

TEST(HdfsOf, knows_the_words_of_the_setting) {
  const config::Setting& setting = *config::find_setting("hdfs.direct_reads");
  ASSERT_EQ(setting.legal, "auto, off");
  ASSERT_EQ(config::environment_name(setting.name), "WEIR_HDFS_DIRECT_READS");
  for (const char* const word : {"auto", "off"}) {
    config::Settings settings;
    ASSERT_FALSE(setting.set(settings, word));
    EXPECT_EQ(hdfs_of({{"WEIR_HDFS_DIRECT_READS", word}})->direct_reads,
              settings.hdfs.direct_reads);
  }
}

TEST(HdfsOf, refuses_another_word) {
  const auto hdfs = hdfs_of({{"WEIR_HDFS_DIRECT_READS", "no"}});
  ASSERT_FALSE(hdfs);
  EXPECT_EQ(hdfs.error().code(), Code::kBadConfig);
  EXPECT_EQ(hdfs.error().message(), "WEIR_HDFS_DIRECT_READS: 'no' is not one of auto, off");
}

}  // namespace
}  // namespace weir::cli
