#include "produce/producer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.h"
#include "model/linear_model.h"
#include "store/memory_file_store.h"

namespace weir::produce {
namespace {

using testing::HasSubstr;

class RowsToProduce : public ::testing::Test {
 protected:
  // A version with such features and rows, after `parent`.
  void publish(std::uint64_t version, std::uint64_t parent, const record::Schema& schema,
               const std::string& rows, bool imported) {
    const auto model =
        model::LinearModel::make(schema, 1, std::vector<double>(schema.features.size(), 2));
    ASSERT_TRUE(model);
    registry::Manifest manifest;
    manifest.version = version;
    manifest.parent_version = parent;
    manifest.schema = schema;
    manifest.model_sha256 = sha256_hex(model->to_json());
    if (imported) manifest.imported = registry::ModelOrigin{"m.ubj", "", "XGBoost 3.1.2", {}, 1};
    std::string csv = "weir_row";
    for (const std::string& feature : schema.features) csv += "," + feature;
    csv += "," + schema.target + "\n" + rows;
    ASSERT_TRUE(models.publish(manifest, model->to_json(), csv, {}));
  }

  store::MemoryFileStore store;
  registry::ModelRegistry models{store, "/MLmodel"};
};

TEST_F(RowsToProduce, are_those_that_the_model_brought) {
  publish(1, 0, {{"a", "b"}, "y"}, "0,1,2,3\n", false);
  publish(2, 1, {{"a", "b"}, "y"}, "7,4,5,6\n", true);
  const auto rows = rows_to_produce(models, 2);
  ASSERT_TRUE(rows) << rows.error().message();
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().key, "2:7");
  EXPECT_EQ(rows->front().value, R"({"a": 4, "b": 5})");
}

TEST_F(RowsToProduce, of_an_import_without_any_are_those_of_a_model_before_it) {
  publish(1, 0, {{"b", "a", "c"}, "z"}, "0,1,2,3,9\n", false);
  publish(2, 1, {{"a", "b"}, "y"}, "", true);
  publish(3, 2, {{"a"}, "y"}, "", true);
  const auto rows = rows_to_produce(models, 3);
  ASSERT_TRUE(rows) << rows.error().message();
  EXPECT_EQ(rows->front().key, "1:0");
  EXPECT_EQ(rows->front().value, R"({"b": 1, "a": 2, "c": 3})");
}

TEST_F(RowsToProduce, are_none_where_those_before_lack_a_feature) {
  publish(1, 0, {{"a"}, "y"}, "0,1,2\n", false);
  publish(2, 1, {{"a", "new"}, "y"}, "", true);
  const auto rows = rows_to_produce(models, 2);
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code(), Code::kNotFound);
  EXPECT_THAT(rows.error().message(), HasSubstr("those of version 1 lack the feature 'new'"));
  EXPECT_THAT(rows.error().message(), HasSubstr("--evaluate-on"));
}

TEST_F(RowsToProduce, are_none_where_no_row_was_held_out_of_a_training) {
  publish(1, 0, {{"a"}, "y"}, "0,1,2\n", false);
  publish(2, 1, {{"a"}, "y"}, "", false);
  EXPECT_FALSE(rows_to_produce(models, 2));
  publish(3, 0, {{"a"}, "y"}, "", true);
  EXPECT_FALSE(rows_to_produce(models, 3));
}

}  // namespace
}  // namespace weir::produce
