#include "model/prepared_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/linear_model.h"
#include "model/natural_log.h"

namespace weir::model {
namespace {

using record::InputKind;
using Kind = Factor::Kind;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

record::Inputs inputs() {
  record::Inputs made;
  made.columns = {{InputKind::kNumber, true, true, {}},
                  {InputKind::kCategory, true, false, {"a", "b", "c", "d"}},
                  {InputKind::kDateTime, false, false, {}}};
  made.missing_words = {"NA", "\"quoted\"\n"};
  return made;
}

std::vector<Term> terms() {
  return {{"size", {{Kind::kValue, 0, 0}}, 2, 4},
          {"size is missing", {{Kind::kMissing, 0, 0}}, 0, 1},
          {"ln(size)", {{Kind::kLog, 0, 0}}, 0, 1},
          {"zone=b", {{Kind::kCategory, 1, 1}}, 0, 1},
          {"zone=(other)", {{Kind::kBeyond, 1, 2}}, 0, 1},
          {"when", {{Kind::kValue, 2, 0}}, 86'400, 86'400},
          {"zone=b*size", {{Kind::kCategory, 1, 1}, {Kind::kValue, 0, 0}}, 0, 1}};
}

const record::Schema kSchema{{"size", "zone", "when"}, "price"};
const std::vector<double> kFills{2.5, 0, 0};

Preparation preparation() { return *Preparation::make(kSchema, inputs(), kFills, terms()); }

std::unique_ptr<PreparedModel> example() {
  const Preparation made = preparation();
  auto within = LinearModel::make(made.term_schema(), 1, {1, 10, 100, 1e3, 1e4, 1e5, 1e6});
  return std::move(*PreparedModel::make(made, std::make_unique<LinearModel>(std::move(*within))));
}

TEST(Preparation, makes_terms_of_values_that_are_there_and_that_are_not) {
  const std::vector<double> rows = {
      3,        1,        172'800,  // b
      kMissing, 2,        86'400,   // c, one of the others
      1,        4,        0,        // unknown
      1,        kMissing, 0,
  };
  const std::vector<double> wanted = {0.25,  0, natural_log(3),
                                      1,     0, 1,
                                      3,  //
                                      0.125, 1, natural_log(2.5),
                                      0,     1, 0,
                                      0,  //
                                      -0.25, 0, 0,
                                      0,     1, -1,
                                      0,  //
                                      -0.25, 0, 0,
                                      0,     0, -1,
                                      0};
  EXPECT_EQ(preparation().expand(rows), wanted);
  // The same for a block, which has the columns one after the other and the target.
  record::RowBlock block;
  block.rows = 4;
  block.columns = 4;
  for (std::size_t j = 0; j < 3; ++j) {
    for (std::size_t i = 0; i < 4; ++i) block.values.push_back(rows[i * 3 + j]);
  }
  for (const double target : {7, 8, 9, 10}) block.values.push_back(target);
  block.row_numbers = {5, 6, 7, 9};
  const record::RowBlock expanded = preparation().expand(block);
  ASSERT_EQ(expanded.rows, 4u);
  ASSERT_EQ(expanded.columns, 8u);
  EXPECT_EQ(expanded.row_numbers, block.row_numbers);
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t t = 0; t < 7; ++t) EXPECT_EQ(expanded.value(i, t), wanted[i * 7 + t]);
    EXPECT_EQ(expanded.value(i, 7), 7.0 + static_cast<double>(i));
  }
}

TEST(Preparation, refuses_what_does_not_fit_together) {
  const auto refused = [](record::Inputs in, std::vector<double> fills, std::vector<Term> terms) {
    const auto made = Preparation::make(kSchema, std::move(in), std::move(fills), std::move(terms));
    EXPECT_FALSE(made);
    return made ? std::string() : made.error().reason();
  };
  const auto with = [&](auto change) {
    record::Inputs in = inputs();
    std::vector<double> fills = kFills;
    std::vector<Term> made = terms();
    change(in, fills, made);
    return refused(in, fills, made);
  };
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_NE(with([](auto&, auto&, auto& t) { t.clear(); }), "");
  EXPECT_NE(with([](auto& in, auto&, auto&) { in.columns.pop_back(); }), "");
  EXPECT_NE(with([](auto&, auto& f, auto&) { f.pop_back(); }), "");
  EXPECT_NE(with([&](auto&, auto& f, auto&) { f[0] = infinite; }), "");
  EXPECT_NE(with([](auto&, auto& f, auto&) { f[0] = -1; }), "") << "a logarithm is taken of it";
  EXPECT_NE(with([](auto& in, auto&, auto&) { in.columns[1].categories.clear(); }), "");
  EXPECT_NE(with([](auto& in, auto&, auto&) { in.columns[1].categories[0] = "b"; }), "");
  EXPECT_NE(with([](auto& in, auto&, auto&) { in.columns[0].categories = {"x"}; }), "");
  EXPECT_NE(with([](auto& in, auto&, auto&) { in.columns[1].categories[0] = "Z\xfcrich"; }), "");
  EXPECT_NE(with([](auto& in, auto&, auto&) { in.missing_words[0] = "\xff"; }), "");
  EXPECT_NE(with([](auto& in, auto&, auto&) { in.columns[0].positive = false; }), "");
  EXPECT_NE(with([](auto&, auto&, auto& t) { t[0].scale = 0; }), "");
  EXPECT_NE(with([](auto&, auto&, auto& t) { t[0].name = t[1].name; }), "");
  EXPECT_NE(with([](auto&, auto&, auto& t) { t[0].factors.clear(); }), "");
  EXPECT_NE(with([](auto&, auto&, auto& t) { t[0].factors[0].input = 3; }), "");
  EXPECT_NE(with([](auto&, auto&, auto& t) { t[0].factors[0].input = 1; }), "");
  EXPECT_NE(with([](auto&, auto&, auto& t) { t[3].factors[0].category = 4; }), "");
  EXPECT_NE(with([](auto&, auto&, auto& t) { t[3].factors[0].input = 0; }), "");
  EXPECT_NE(with([](auto&, auto&, auto& t) { t[0].factors.resize(3); }), "");
}

TEST(PreparedModel, predicts_from_the_features_of_messages) {
  const auto model = example();
  EXPECT_EQ(model->algorithm(), kLinear);
  EXPECT_EQ(model->schema(), kSchema);
  EXPECT_EQ(model->inputs(), inputs());
  const std::vector<double> rows = {1, 1, 0, kMissing, 3, 86'400};
  std::vector<double> found(2);
  model->predict(rows, found);
  EXPECT_EQ(found[0], 1 - 0.25 + 1e3 - 1e5 + 1e6);
  EXPECT_EQ(found[1], 1 + 0.125 + 10 + 100 * natural_log(2.5) + 1e4);
}

TEST(PreparedModel, is_read_back_from_its_file_as_it_was) {
  const auto model = example();
  const std::string text = model->to_json();
  const auto parsed = parse_model(text);
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ((*parsed)->to_json(), text);
  EXPECT_EQ((*parsed)->inputs(), inputs());
  const std::vector<double> row = {1.7, 2, 12'345};
  double before = 0;
  double after = 0;
  model->predict(row, {&before, 1});
  (*parsed)->predict(row, {&after, 1});
  EXPECT_EQ(before, after);
}

TEST(PreparedModel, is_refused_with_any_byte_changed_or_missing) {
  const std::string text = example()->to_json();
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    ASSERT_FALSE(parse_model(changed)) << i;
    ASSERT_FALSE(parse_model(text.substr(0, i))) << i;
  }
  EXPECT_FALSE(parse_model(text + "\n"));
}

TEST(PreparedModel, is_refused_within_another_or_for_other_terms) {
  const Preparation made = preparation();
  auto other = LinearModel::make({{"x"}, "price"}, 1, {1});
  const auto mixed = PreparedModel::make(made, std::make_unique<LinearModel>(std::move(*other)));
  ASSERT_FALSE(mixed);
  EXPECT_EQ(mixed.error().code(), Code::kBadData);
  auto outer = Preparation::make({{"size", "zone", "when"}, "price"}, {{{}, {}, {}}, {}}, {0, 0, 0},
                                 {{"size", {{Kind::kValue, 0, 0}}, 0, 1},
                                  {"zone", {{Kind::kValue, 1, 0}}, 0, 1},
                                  {"when", {{Kind::kValue, 2, 0}}, 0, 1}});
  ASSERT_TRUE(outer) << outer.error().message();
  EXPECT_FALSE(PreparedModel::make(*outer, example()));
}

}  // namespace
}  // namespace weir::model
