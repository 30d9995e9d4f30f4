#include "base/local_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace weir {
namespace {

class LocalFile : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(folder.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string folder = (std::filesystem::temp_directory_path() / "weir-file-XXXXXX").string();
};

TEST_F(LocalFile, is_read_byte_for_byte_and_no_further_than_asked_for) {
  const std::string bytes("a\r\n\0b", 5);
  std::ofstream(folder + "/some", std::ios::binary) << bytes;
  EXPECT_EQ(read_local_file(folder + "/some", 100).value(), bytes);
  EXPECT_EQ(read_local_file(folder + "/some", 5).value(), bytes);
  EXPECT_EQ(read_local_file(folder + "/some", 2).value(), "a\r");
}

TEST_F(LocalFile, that_cannot_be_read_is_told_by_its_path) {
  const auto missing = read_local_file(folder + "/none", 100);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::kNotFound);
  EXPECT_EQ(missing.error().message(), folder + "/none: No such file or directory");
  const auto directory = read_local_file(folder, 100);
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().code(), Code::kIo);
}

}  // namespace
}  // namespace weir
