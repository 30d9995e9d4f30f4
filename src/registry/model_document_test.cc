#include "registry/model_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "model/linear_model.h"
#include "model/prepared_model.h"
#include "registry/manifest.h"

namespace weir::registry {
namespace {

using testing::HasSubstr;

constexpr const char* kRows = "weir_row,a,b,y\n0,1,2,3\n7,0.1,-2.5,1e-3\n";

std::string model_json() {
  return model::LinearModel::make({{"a", "b"}, "y"}, 1.5, {2.0, -3.25})->to_json();
}

ModelOrigin origin() {
  return {"boston.ubj", "57c8", "XGBoost 2.1.4", {"a note\nof two lines"}, model_json().size()};
}

std::string document() { return write_model_document(model_json(), origin(), kRows); }

Error refusal(const std::string& bytes) {
  const auto found = parse_model_document(bytes);
  EXPECT_FALSE(found) << bytes;
  return found ? Error(Code::kInternal, "taken") : found.error();
}

TEST(ModelDocument, comes_back_as_it_was_written) {
  EXPECT_TRUE(begins_as_model_document(document().substr(0, kModelDocumentHead)));
  const auto found = parse_model_document(document());
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->model_json, model_json());
  EXPECT_EQ(found->model->to_json(), model_json());
  EXPECT_EQ(found->origin, origin());
  EXPECT_EQ(found->rows_csv, kRows);
  ASSERT_EQ(found->rows.rows, 2U);
  EXPECT_EQ(found->rows.row_numbers, (std::vector<std::uint64_t>{0, 7}));
  EXPECT_EQ(found->rows.values, (std::vector<double>{1, 0.1, 2, -2.5, 3, 1e-3}));
  EXPECT_EQ(test_csv_of(found->model->schema(), {}, found->rows),
            "weir_row,a,b,y\n0,1,2,3\n7,0.1,-2.5,0.001\n");
}

TEST(ModelDocument, may_be_a_model_file_alone) {
  const auto found = parse_model_document(model_json());
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->origin.file, "");
  EXPECT_EQ(found->origin.model_bytes, model_json().size());
  EXPECT_EQ(found->rows.rows, 0U);
  EXPECT_EQ(test_csv_of(found->model->schema(), {}, found->rows), "weir_row,a,b,y\n");
}

TEST(ModelDocument, is_known_by_its_first_bytes_alone) {
  EXPECT_FALSE(begins_as_model_document("a,b,y\n1,2,3\n"));
  EXPECT_FALSE(begins_as_model_document(""));
  EXPECT_FALSE(begins_as_model_document(R"({"format": "weirkeeper-manifest"})"));
  EXPECT_FALSE(begins_as_model_document(model_json().substr(0, 20)));
}

TEST(ModelDocument, is_refused_wherever_the_model_or_its_origin_is_cut) {
  const std::size_t whole_model = model_json().size();
  const std::size_t line_end = document().find('\n', whole_model);
  for (std::size_t length = 0; length <= line_end; ++length) {
    if (length == whole_model) continue;  // a model file alone
    EXPECT_FALSE(parse_model_document(document().substr(0, length))) << length;
  }
  EXPECT_TRUE(parse_model_document(document().substr(0, line_end + 1)));
}

TEST(ModelDocument, is_refused_with_any_byte_of_the_model_changed) {
  for (std::size_t i = 0; i < model_json().size(); ++i) {
    std::string changed = document();
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(parse_model_document(changed)) << i;
  }
}

TEST(ModelDocument, is_refused_where_what_follows_is_not_as_it_should_be) {
  const std::string head = write_model_document(model_json(), origin(), "");
  EXPECT_THAT(refusal(model_json() + "x\n").message(), HasSubstr("where it came from"));
  EXPECT_THAT(refusal(model_json() + "{}\n").message(), HasSubstr("where it came from"));
  EXPECT_THAT(refusal(model_json() + model_json()).message(), HasSubstr("where it came from"));
  EXPECT_THAT(refusal(model_json() + std::string(kOriginBytesMax + 2, ' ') + "\n").message(),
              HasSubstr("where it came from"));
  for (const auto& [rows, why] : std::vector<std::pair<std::string, std::string>>{
           {"weir_row,b,a,y\n", "in its order"},
           {"weir_row,a,b\n", "in its order"},
           {"a,b,y\n1,2,3\n", "in its order"},
           {"weir_row,a,b,y\n0,1,2\n", "as many fields"},
           {"weir_row,a,b,y\n0,1,2,3,4\n", "as many fields"},
           {"weir_row,a,b,y\n-1,1,2,3\n", "no number"},
           {"weir_row,a,b,y\nx,1,2,3\n", "no number"},
           {"weir_row,a,b,y\n0,1,nan,3\n", "not a finite number"},
           {"weir_row,a,b,y\n0,1,1e999,3\n", "no double can hold"},
           {"weir_row,a,b,y\n0,1,,3\n", "an empty cell"},
           {"weir_row,a,b,y\n0,\"1,2,3\n", ""}}) {
    EXPECT_THAT(refusal(head + rows).message(), HasSubstr(why)) << rows;
  }
}

TEST(ModelDocument, is_refused_with_more_rows_than_a_trainer_measures_on) {
  std::string rows = "weir_row,a,b,y\n";
  for (std::size_t i = 0; i < kRowsMax; ++i) rows += "0,0,0,0\n";
  EXPECT_TRUE(parse_model_document(write_model_document(model_json(), {}, rows)));
  EXPECT_THAT(refusal(write_model_document(model_json(), {}, rows + "0,0,0,0\n")).message(),
              HasSubstr("more than 1000000"));
}

// A version's own file and rows, taken to another pipeline.
TEST(ModelDocument, may_be_of_a_model_that_takes_categories) {
  record::Inputs inputs;
  inputs.columns = {{record::InputKind::kCategory, true, false, {"x, \"y\"", "7"}}};
  auto preparation = model::Preparation::make(
      {{"c"}, "y"}, inputs, {0}, {{"c=7", {{model::Factor::Kind::kCategory, 0, 1}}, 0, 1}});
  ASSERT_TRUE(preparation) << preparation.error().message();
  auto within = model::LinearModel::make({{"c=7"}, "y"}, 1, {2});
  auto whole = model::PreparedModel::make(*preparation,
                                          std::make_unique<model::LinearModel>(std::move(*within)));
  const std::string rows = "weir_row,c,y\n0,\"x, \"\"y\"\"\",1\n3,7,3\n4,,1\n";
  const auto found = parse_model_document(write_model_document((*whole)->to_json(), {}, rows));
  ASSERT_TRUE(found) << found.error().message();
  ASSERT_EQ(found->rows.rows, 3u);
  EXPECT_EQ(found->rows.value(1, 0), 1);
  EXPECT_EQ(test_csv_of(found->model->schema(), found->model->inputs(), found->rows), rows);
}

TEST(ManifestOfImport, comes_back_from_its_text) {
  Manifest manifest;
  manifest.version = 3;
  manifest.schema = {{"a", "b"}, "y"};
  manifest.imported = origin();
  const auto back = Manifest::parse(manifest.to_json());
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->imported, origin());
  manifest.imported.reset();
  EXPECT_FALSE(Manifest::parse(manifest.to_json())->imported);
}

}  // namespace
}  // namespace weir::registry
