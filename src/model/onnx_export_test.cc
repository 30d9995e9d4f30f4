#include "model/onnx_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "model/boosted_model.h"
#include "model/linear_model.h"
#include "model/onnx_document.h"
#include "model/test_tables.h"

namespace weir::model {
namespace {

// What the reader of ONNX makes of what was written. (ONNX Runtime itself:
// tests/e2e/test_export.py.)
std::unique_ptr<Model> there_and_back(const Model& model) {
  const auto file = to_onnx(model, "0.1.0", {{"weir.model_version", "7"}});
  EXPECT_TRUE(file) << file.error().message();
  auto foreign = read_onnx(*file);
  EXPECT_TRUE(foreign) << foreign.error().message();
  if (!foreign) return nullptr;
  EXPECT_EQ(foreign->tool, "weirkeeper 0.1.0, ONNX");
  auto back = model_from_foreign(std::move(*foreign), model.schema());
  EXPECT_TRUE(back) << back.error().message();
  return back ? std::move(*back) : nullptr;
}

void expect_alike(const Model& model, double tolerance) {
  const auto back = there_and_back(model);
  ASSERT_TRUE(back);
  std::mt19937_64 generator(4);
  std::normal_distribution<double> normal;
  std::vector<double> rows(300 * model.schema().features.size());
  for (double& value : rows) value = static_cast<double>(static_cast<float>(normal(generator)));
  if (model.algorithm() == kBoosted) {
    for (std::size_t i = 0; i < rows.size(); i += 3) rows[i] = std::nan("");
  }
  std::vector<double> expected(300);
  std::vector<double> found(300);
  model.predict(rows, expected);
  back->predict(rows, found);
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], tolerance);
}

std::vector<Tree> trees() {
  return {{{1, 0, -1, -1, -1}, {0.1, -0.5, 2.25, -1.5, 1e-3}, {0, 1}},
          {{-1}, {0.75}, {}},
          {{0, -1, 1, -1, -1}, {0.3, 5, 0.2, 6, 7}, {1, 0}}};
}

TEST(OnnxExport, of_a_linear_model_is_the_same_line) {
  const auto model = LinearModel::make(schema_of(3), 1.0 / 3, {0.1, -2e-9, 3e7});
  const auto back = there_and_back(*model);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->to_json(), model->to_json());
}

TEST(OnnxExport, of_trees_makes_the_same_decisions) {
  expect_alike(*BoostedModel::make(schema_of(2), 22.5, trees()), 1e-5);
  expect_alike(*BoostedModel::make(schema_of(2), 22.1, trees(), Arithmetic::kBinary64), 1e-12);
}

TEST(OnnxExport, of_no_trees_at_all_is_the_base) {
  for (const Arithmetic arithmetic : {Arithmetic::kBinary32, Arithmetic::kBinary64}) {
    expect_alike(*BoostedModel::make(schema_of(2), 1.5, {}, arithmetic), 0);
  }
}

// As a kind that is still to come.
class OtherModel final : public Model {
 public:
  std::string_view algorithm() const override { return "other"; }
  const record::Schema& schema() const override { return schema_; }
  void predict(std::span<const double>, std::span<double>) const override {}
  std::string to_json() const override { return ""; }

 private:
  record::Schema schema_ = schema_of(1);
};

TEST(OnnxExport, names_the_kind_of_model_that_cannot_be_written) {
  const auto file = to_onnx(OtherModel(), "0.1.0", {});
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code(), Code::kUnsupported);
  EXPECT_THAT(file.error().message(), testing::HasSubstr("'other'"));
}

}  // namespace
}  // namespace weir::model
