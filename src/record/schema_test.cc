#include "record/schema.h"

#include <gtest/gtest.h>

#include <set>

namespace weir::record {
namespace {

TEST(Schema, finds_features_by_name) {
  const Schema schema{{"crim", "zn"}, "medv"};
  EXPECT_EQ(schema.feature_index("crim"), 0u);
  EXPECT_EQ(schema.feature_index("zn"), 1u);
  EXPECT_EQ(schema.feature_index("medv"), std::nullopt);
  EXPECT_EQ(schema.feature_index(""), std::nullopt);
}

TEST(Schema, has_a_hash_that_only_equal_schemas_share) {
  const std::vector<Schema> schemas = {{{"a", "b"}, "t"},
                                       {{"b", "a"}, "t"},
                                       {{"a", "b"}, "u"},
                                       {{"ab"}, "t"},
                                       {{"a", "b", ""}, "t"},
                                       {{"a b"}, "t"},
                                       {{"a\nnumber 1 b"}, "t"},
                                       {{}, "t"},
                                       {{"a"}, "b"},
                                       {{"a\n"}, "t"},
                                       {{"t"}, "a"}};
  std::set<std::string> hashes;
  for (const Schema& schema : schemas) {
    EXPECT_EQ(schema.hash().size(), 64u);
    EXPECT_EQ(schema.hash(), Schema(schema).hash());
    hashes.insert(schema.hash());
  }
  EXPECT_EQ(hashes.size(), schemas.size());
}

// Stored with every model: it may never change.
TEST(Schema, has_the_hash_it_always_had) {
  EXPECT_EQ((Schema{{"crim", "zn"}, "medv"}).hash(),
            "11ad85b656104a8677ecdda89bd65afd8f10a1093ba1a7399653eeb90cb60221");
}

}  // namespace
}  // namespace weir::record
