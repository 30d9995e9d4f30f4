#include "model/onnx_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "model/onnx_column.h"
#include "model/protobuf_wire.h"
#include "model/test_tables.h"

namespace weir::model {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string file(const std::string& name) {
  return read_test_file("src/model/testdata/onnx/" + name);
}

std::unique_ptr<Model> taken(const std::string& name) {
  auto foreign = read_foreign_model(file(name + ".onnx"));
  EXPECT_TRUE(foreign) << name << ": " << foreign.error().message();
  if (!foreign) return nullptr;
  EXPECT_EQ(foreign->feature_count, 4U);
  EXPECT_THAT(foreign->tool, HasSubstr("ONNX"));
  auto model = model_from_foreign(std::move(*foreign), schema_of(4));
  EXPECT_TRUE(model) << name << ": " << model.error().message();
  return model ? std::move(*model) : nullptr;
}

Error refusal(const std::string& bytes) {
  const auto model = read_foreign_model(bytes);
  EXPECT_FALSE(model) << "it was taken";
  return model ? Error(Code::kInternal, "taken") : model.error();
}

TEST(OnnxDocument, predicts_what_onnx_runtime_does) {
  for (const std::string& name : std::vector<std::string>{
           "linear", "linear-double", "scaled-linear", "scaled-linear-double", "columns", "tree",
           "forest", "boosting", "scaled-boosting", "minmax-forest", "turned", "turned-too",
           "double-tree", "xgboost", "lightgbm"}) {
    SCOPED_TRACE(name);
    const auto model = taken(name);
    ASSERT_TRUE(model);
    const json expected = json::parse(file(name + ".expected.json"));
    const bool linear = model->algorithm() == kLinear;
    // The runtime's sums are of floats, but where all of the graph is of doubles.
    const double tolerance = linear && expected.at("double").get<bool>() ? 1e-12 : 1e-5;
    std::size_t rows = 0;
    for (std::size_t i = 0; i < expected.at("rows").size(); ++i, ++rows) {
      const auto row = expected["rows"][i].get<std::vector<double>>();
      double found = 0;
      model->predict(row, {&found, 1});
      const double right = expected["predictions"][i].get<double>();
      ASSERT_NEAR(found, right, tolerance * std::max(20.0, std::abs(right))) << i;
    }
    EXPECT_GE(rows, 200U);
    const auto back = parse_model(model->to_json());
    EXPECT_TRUE(back) << back.error().message();
  }
}

// What ONNX Runtime 1.32.0 predicts; the first node sends what is missing to its true child.
TEST(OnnxDocument, sends_missing_values_where_onnx_runtime_does) {
  const double none = std::nan("");
  const std::vector<double> rows{none, 5000, 1,  -2,   1, none, 1,    -2,   none, none,
                                 1,    -2,   -1, none, 1, -2,   none, 4000, 1,    -2};
  for (const auto& [name, expected] : std::vector<std::pair<std::string, std::vector<double>>>{
           {"turned", {12.5, 6.5, 6.5, 11.5, 6.5}}, {"turned-too", {6.5, 11.5, 6.5, 6.5, 12.5}}}) {
    const auto model = taken(name);
    ASSERT_TRUE(model);
    std::vector<double> found(5);
    model->predict(rows, found);
    EXPECT_EQ(found, expected) << name;
  }
}

TEST(OnnxDocument, takes_the_names_of_inputs_that_are_columns) {
  EXPECT_THAT(read_onnx(file("columns.onnx"))->features, ElementsAre("crim", "zn", "nox", "rm"));
  EXPECT_THAT(read_onnx(file("linear.onnx"))->features, IsEmpty());
}

TEST(OnnxDocument, is_refused_by_name_where_it_cannot_be_reproduced) {
  for (const auto& [name, why] : std::vector<std::pair<std::string, std::string>>{
           {"polynomial", "the operator "},
           {"network", "the operator "},
           {"classifier", "the operator ai.onnx.ml.TreeEnsembleClassifier"},
           {"several", "several numbers"},
           {"equal", "BRANCH_EQ"},
           {"logistic", "post_transform 'LOGISTIC'"},
           {"largest", "'MAX'"}}) {
    const Error error = refusal(file(name + ".onnx"));
    EXPECT_EQ(error.code(), Code::kUnsupported) << name << error.message();
    EXPECT_THAT(error.message(), HasSubstr(why)) << name;
  }
}

TEST(OnnxDocument, gives_an_answer_wherever_it_is_cut_and_whatever_is_changed) {
  std::mt19937_64 generator(11);
  for (const char* name : {"scaled-boosting.onnx", "scaled-linear-double.onnx", "turned.onnx"}) {
    const std::string good = file(name);
    for (std::size_t length = 0; length < good.size(); length += 1 + length / 500) {
      const auto cut = read_onnx(good.substr(0, length));
      EXPECT_TRUE(!cut || length + 60 > good.size()) << name << length;  // what is behind the graph
    }
    for (int i = 0; i < 3000; ++i) {
      std::string bad = good;
      for (int flips = 0; flips < 3; ++flips) {
        bad[generator() % bad.size()] = static_cast<char>(generator());
      }
      auto foreign = read_onnx(bad);
      if (!foreign) continue;
      record::Schema schema = schema_of(foreign->feature_count);
      const auto model = model_from_foreign(std::move(*foreign), std::move(schema));
      if (!model) continue;
      ASSERT_TRUE(parse_model((*model)->to_json())) << name << i;
    }
  }
}

std::string changed(const std::string& name, const std::string& from, const std::string& to) {
  std::string text = file(name);
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  EXPECT_EQ(from.size(), to.size());
  return text.replace(at, from.size(), to);
}

// "nodes_truenodeids" of turned.onnx are 1 3 0 0 0, "nodes_falsenodeids" 2 4 0 0 0, each after a
// tag.
TEST(OnnxDocument, is_refused_where_its_trees_are_none) {
  const std::string true_ids = "nodes_truenodeids@\x01@\x03";
  const std::string head = "nodes_truenodeids@";
  ASSERT_TRUE(read_onnx(file("turned.onnx")));
  const auto with = [&](char first, char second) {
    return refusal(changed("turned.onnx", true_ids, head + first + "@" + second)).message();
  };
  EXPECT_THAT(with('\x00', '\x03'), HasSubstr("ancestors"));
  EXPECT_THAT(with('\x02', '\x03'), HasSubstr("the child of two"));
  EXPECT_THAT(with('\x01', '\x01'), HasSubstr("the child of two"));
  EXPECT_THAT(with('\x09', '\x03'), HasSubstr("a child that there is not"));
  const std::string features("nodes_featureids@\0@\x01", 20);
  std::string others = features;
  others[17] = '\x09';
  EXPECT_THAT(refusal(changed("turned.onnx", features, others)).message(),
              HasSubstr("a feature that there is not"));
  EXPECT_THAT(refusal(changed("turned.onnx", "nodes_modesJ", "nodes_modeXJ")).message(),
              HasSubstr("different lengths"));
}

// Each node adds a step to each of 2,000 columns, and all of them are kept.
TEST(OnnxDocument, is_refused_where_a_small_graph_makes_much_of_itself) {
  WireWriter graph;
  for (int i = 0; i < 900; ++i) {
    const std::string from = i == 0 ? "x" : "v" + std::to_string(i - 1);
    graph.message(1, WireWriter()
                         .bytes(1, from)
                         .bytes(1, "c")
                         .bytes(2, "v" + std::to_string(i))
                         .bytes(4, "Add"));
  }
  float one = 1;
  const std::string_view raw(reinterpret_cast<const char*>(&one), sizeof one);
  graph.message(5, WireWriter().whole(1, 1).whole(2, 1).bytes(8, "c").bytes(9, raw));
  WireWriter shape;
  shape.message(1, WireWriter().bytes(2, "rows")).message(1, WireWriter().whole(1, 2'000));
  const WireWriter type = WireWriter().whole(1, 1).message(2, shape);
  graph.message(11, WireWriter().bytes(1, "x").message(2, WireWriter().message(1, type)));
  graph.message(12, WireWriter().bytes(1, "v899"));
  WireWriter opset;
  opset.bytes(1, "").whole(2, 13);
  const std::string file = WireWriter().whole(1, 8).message(7, graph).message(8, opset).text();
  EXPECT_LT(file.size(), 50'000u);
  EXPECT_EQ(refusal(file).code(), Code::kExhausted) << refusal(file).message();
}

TEST(OnnxColumn, finds_the_very_double_at_which_the_answer_changes) {
  std::mt19937_64 generator(2);
  std::normal_distribution<double> normal;
  for (int i = 0; i < 2000; ++i) {
    OnnxColumn column;
    column.cast(i % 2 == 0);
    column.then({OnnxStep::Kind::kSubtract, normal(generator)});
    column.then({OnnxStep::Kind::kMultiply, normal(generator) * std::exp(3 * normal(generator))});
    const double threshold = static_cast<double>(static_cast<float>(normal(generator)));
    const auto holds = [=](double x) { return i % 3 == 0 ? x < threshold : x <= threshold; };
    const auto turn = find_turn(column, holds);
    ASSERT_TRUE(turn) << i;
    const double before = std::nextafter(turn->threshold, -std::numeric_limits<double>::infinity());
    EXPECT_EQ(holds(column.apply(before)), turn->holds_below) << i;
    EXPECT_EQ(holds(column.apply(turn->threshold)), !turn->holds_below) << i;
    const double x = turn->threshold + normal(generator);
    EXPECT_EQ(holds(column.apply(x)), (x < turn->threshold) == turn->holds_below) << i;
  }
  OnnxColumn flat;
  flat.then({OnnxStep::Kind::kMultiply, 0});
  EXPECT_FALSE(find_turn(flat, [](double x) { return x < 1; }));
}

TEST(ProtobufWire, is_refused_where_a_field_has_no_end_or_no_kind) {
  const auto all = [](std::string_view bytes) -> Status {
    WireReader reader(bytes);
    while (WEIR_TRY(reader.next())) {
    }
    return {};
  };
  EXPECT_TRUE(all(std::string("\x08\x07\x12\x01x\x1d\0\0\0\0\x21\0\0\0\0\0\0\0\0", 19)));
  for (const std::string& bytes :
       {std::string("\x08"), std::string(12, '\xff'), std::string("\x12\x05x"), std::string("\x0b"),
        std::string("\x0f\x01"), std::string("\x1d\0\0\0", 4), std::string("\x21\0\0\0\0", 5),
        std::string("\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), std::string("\0\x01", 2)}) {
    EXPECT_FALSE(all(bytes)) << bytes.size();
  }
  std::vector<std::int64_t> wholes;
  const WireField packed{8, WireField::kBytes, 0, std::string_view("\x01\x96\x01", 3)};
  ASSERT_TRUE(append_whole_numbers(packed, 2, wholes));
  EXPECT_THAT(wholes, ElementsAre(1, 150));
  EXPECT_FALSE(append_whole_numbers(packed, 1, wholes));
  std::vector<double> numbers;
  const WireField odd{7, WireField::kBytes, 0, "12345"};
  EXPECT_FALSE(append_floats(odd, 9, numbers));
  EXPECT_FALSE(append_doubles(odd, 9, numbers));
}

}  // namespace
}  // namespace weir::model
