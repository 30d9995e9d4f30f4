#include "format/message_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::format {
namespace {

using testing::HasSubstr;

std::vector<BatchRecord> read(std::string_view body, BatchKind kind = BatchKind::kJson,
                              BatchOptions options = {}) {
  auto records = read_message_batch(body, kind, options);
  if (!records) {
    ADD_FAILURE() << records.error().message();
    return {};
  }
  return *records;
}

std::string fault(std::string_view body, BatchKind kind = BatchKind::kJson,
                  BatchOptions options = {}) {
  auto records = read_message_batch(body, kind, options);
  return records ? "" : records.error().message();
}

TEST(MessageBatch, reads_one_record_of_each_shape) {
  EXPECT_EQ(read(" {\"crim\": 1.50e0 } ").at(0).value, "{\"crim\": 1.50e0 }");
  EXPECT_FALSE(read("{\"crim\": 1}").at(0).id);
  const auto flat = read("{\"id\": \"a\\u0037\", \"crim\": 1}").at(0);
  EXPECT_EQ(flat.id, "a7");
  EXPECT_EQ(flat.value, "{\"id\": \"a\\u0037\", \"crim\": 1}");
  const auto wrapped = read("{\"id\": 12, \"features\": {\"crim\": {\"0\": 1.0}}}").at(0);
  EXPECT_EQ(wrapped.id, "12");
  EXPECT_EQ(wrapped.value, "{\"crim\": {\"0\": 1.0}}");
}

TEST(MessageBatch, reads_many_of_an_array_of_lines_and_of_csv) {
  const auto array = read("[{\"a\":1},\n {\"id\":\"x\",\"a\":2}]");
  ASSERT_EQ(array.size(), 2u);
  EXPECT_EQ(array[1].id, "x");
  const auto lines = read("{\"a\":1}\r\n\n{\"id\":\"x\",\"a\":2}\n", BatchKind::kJsonLines);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1].id, "x");
  const auto rows = read("id,a,\"b \"\"q\"\"\",c\nx,1.50,red,\ny,-2,\"0800\",3\n", BatchKind::kCsv);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].id, "x");
  EXPECT_EQ(rows[0].value, "{\"a\": 1.50, \"b \\\"q\\\"\": \"red\", \"c\": null}");
  EXPECT_EQ(rows[1].value, "{\"a\": -2, \"b \\\"q\\\"\": \"0800\", \"c\": 3}");
}

TEST(MessageBatch, leaves_an_id_that_is_a_feature_where_it_is) {
  BatchOptions options;
  options.id_is_feature = true;
  EXPECT_FALSE(read("{\"id\": 1.5, \"a\": 2}", BatchKind::kJson, options).at(0).id);
  EXPECT_EQ(read("id,a\n1.5,2\n", BatchKind::kCsv, options).at(0).value, "{\"id\": 1.5, \"a\": 2}");
  const auto both = read("{\"id\": \"r\", \"features\": {\"id\": 1}}", BatchKind::kJson, options);
  EXPECT_EQ(both.at(0).id, "r");
}

TEST(MessageBatch, says_which_record_is_wrong_and_why) {
  EXPECT_THAT(fault("[{\"a\":1},{\"a\":}]"), HasSubstr("record 1: not JSON at byte"));
  EXPECT_THAT(fault("{\"a\":1} x"), HasSubstr("bytes follow"));
  EXPECT_THAT(fault("[1]"), HasSubstr("record 0: "));
  EXPECT_THAT(fault("[]"), HasSubstr("no record"));
  EXPECT_THAT(fault(""), HasSubstr("record 0: "));
  EXPECT_THAT(fault("[{\"a\":1}"), HasSubstr("record 1: "));
  EXPECT_THAT(fault("{\"id\":\"\",\"a\":1}"), HasSubstr("1 to 200 bytes"));
  EXPECT_THAT(fault("{\"id\":\"a\\nb\",\"a\":1}"), HasSubstr("control characters"));
  EXPECT_THAT(fault("{\"id\":[1],\"a\":1}"), HasSubstr("neither a string"));
  EXPECT_THAT(fault("{\"id\":\"a\",\"id\":\"b\"}"), HasSubstr("twice"));
  EXPECT_THAT(fault("{\"features\":{\"a\":1},\"when\":2}"), HasSubstr("\"when\""));
  EXPECT_THAT(fault("a,b\n1,2\n1\n", BatchKind::kCsv), HasSubstr("record 1: it has 1 cells"));
  EXPECT_THAT(fault("a,b\n\"1\"x,2\n", BatchKind::kCsv), HasSubstr("record 0: text after"));
  EXPECT_THAT(fault("{\"a\":1}\n{\"a\"\n", BatchKind::kJsonLines), HasSubstr("record 1: "));
}

TEST(MessageBatch, holds_to_its_limits) {
  BatchOptions options;
  options.records_max = 2;
  EXPECT_THAT(fault("[{},{},{}]", BatchKind::kJson, options), HasSubstr("more than 2 records"));
  EXPECT_THAT(fault("{}\n{}\n{}", BatchKind::kJsonLines, options), HasSubstr("more than 2"));
  EXPECT_THAT(fault("a\n1\n2\n3\n", BatchKind::kCsv, options), HasSubstr("more than 2"));
  std::string deep = "{\"a\":";
  for (int i = 0; i < 100; ++i) deep += "[";
  EXPECT_THAT(fault(deep), HasSubstr("record 0: "));
}

}  // namespace
}  // namespace weir::format
