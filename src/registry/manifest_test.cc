#include "registry/manifest.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace weir::registry {
namespace {

using Json = nlohmann::json;

Manifest example() {
  Manifest manifest;
  manifest.version = 7;
  manifest.algorithm = "linear";
  manifest.schema = {{"crim", "zn \"q\""}, "medv"};
  manifest.dataset = {"/dataset/böston.csv", 35732, 1767225600000, "16392"};
  manifest.dataset_sha256 = std::string(64, 'a');
  manifest.splits_sha256 = std::string(64, 'd');
  manifest.split_bytes = 1 << 26;
  manifest.rows = 506;
  manifest.rows_trained = 380;
  manifest.rows_held_out = 124;
  manifest.rows_refused = 2;
  manifest.refused_by_reason = {{"empty_cell crim", 1}, {"field_count", 1}};
  manifest.seed = ~std::uint64_t{0};
  manifest.test_fraction = 0.1;
  manifest.drop_columns = {"id", "name, \"q\""};
  manifest.intercept = false;
  manifest.ridge.reset();
  manifest.wanted_algorithm = "auto";
  manifest.boosted = {300, 5, 0.05, 1000};
  manifest.candidates = {{"linear", 380, true, {4.7, 3.2, 0.74, 124}, ""},
                         {"boosted", 0, false, {}, "a value is too large"}};
  manifest.has_held_out = true;
  manifest.held_out = {4.745298182, 3.25, 0.7406, 124};
  manifest.notes = {"column 'x' is constant"};
  manifest.fit = model::FitReport{380, 378, 4.7, 0.74, {"", 36.5, false, 5.1, 7.1}, {}, {}, {}};
  manifest.fit->features = {{"crim", -0.108, false, 0.033, -3.3},
                            {"zn \"q\"", 0, true, std::nullopt, std::nullopt}};
  manifest.fit->ridge = model::RidgeReport{true, 0.01, 1.75, {{0, 4.9}, {0.01, 4.8}}};
  manifest.quality = {{0.6, 5},    124, {4.7, 0.74}, 6, QualityFigures{4.6, std::nullopt},
                      "an old one"};
  manifest.parent_version = 6;
  manifest.program_version = "0.1.0";
  manifest.trained_at = "2026-01-01T00:00:00.000Z";
  manifest.training_seconds = 0.125;
  manifest.model_sha256 = std::string(64, 'b');
  return manifest;
}

TEST(Manifest, comes_back_from_json_as_it_was) {
  const Manifest manifest = example();
  const auto back = Manifest::parse(manifest.to_json());
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->to_json(), manifest.to_json());
  EXPECT_EQ(back->version, 7u);
  EXPECT_EQ(back->schema, manifest.schema);
  EXPECT_EQ(back->dataset, manifest.dataset);
  EXPECT_EQ(back->refused_by_reason, manifest.refused_by_reason);
  EXPECT_EQ(back->seed, manifest.seed);
  EXPECT_EQ(back->test_fraction, 0.1);
  EXPECT_EQ(back->drop_columns, manifest.drop_columns);
  EXPECT_FALSE(back->intercept);
  EXPECT_FALSE(back->ridge);
  EXPECT_EQ(back->held_out.rmse, 4.745298182);
  EXPECT_EQ(back->held_out.mae_rows, 124u);
  EXPECT_EQ(back->wanted_algorithm, "auto");
  EXPECT_EQ(back->boosted, manifest.boosted);
  ASSERT_EQ(back->candidates.size(), 2u);
  EXPECT_EQ(back->candidates[0].held_out.mae_rows, 124u);
  EXPECT_EQ(back->candidates[1].failure, "a value is too large");
  EXPECT_EQ(back->notes, manifest.notes);
  EXPECT_EQ(back->quality, manifest.quality);
  ASSERT_TRUE(back->fit);
  EXPECT_EQ(back->fit->residual_standard_deviation, 4.7);
  EXPECT_EQ(back->fit->intercept.t_value, 7.1);
  EXPECT_EQ(back->fit->features[0].standard_error, 0.033);
  EXPECT_TRUE(back->fit->features[1].dropped);
  EXPECT_FALSE(back->fit->features[1].t_value);
  EXPECT_EQ(back->fit->ridge->curve[1].cross_validated_rmse, 4.8);
  EXPECT_TRUE(back->fit->ridge->automatic);
}

TEST(Manifest, of_a_model_that_is_not_linear_or_is_old_has_no_fit) {
  Manifest manifest = example();
  manifest.fit.reset();
  EXPECT_FALSE(Json::parse(manifest.to_json()).contains("fit"));
  EXPECT_FALSE(Manifest::parse(manifest.to_json())->fit);
}

TEST(Manifest, of_a_model_of_which_nothing_was_asked_has_no_verdict) {
  Manifest manifest = example();
  manifest.quality.reset();
  EXPECT_FALSE(Json::parse(manifest.to_json()).contains("quality"));
  EXPECT_FALSE(Manifest::parse(manifest.to_json())->quality);
}

TEST(Manifest, says_null_for_what_a_fit_does_not_define) {
  Manifest manifest = example();
  manifest.fit->residual_standard_deviation.reset();
  manifest.fit->ridge.reset();
  const Json fit = Json::parse(manifest.to_json())["fit"];
  EXPECT_TRUE(fit["residual_standard_deviation"].is_null());
  EXPECT_TRUE(fit["features"][1]["standard_error"].is_null());
  EXPECT_TRUE(fit["ridge"].is_null());
  EXPECT_FALSE(Manifest::parse(manifest.to_json())->fit->ridge);
}

TEST(Manifest, tells_in_short_which_models_were_compared) {
  Manifest manifest = example();
  EXPECT_EQ(manifest.comparison(), "linear 4.7, boosted failed (RMSE)");
  manifest.candidates[1].failure.clear();
  EXPECT_EQ(manifest.comparison(), "linear 4.7, boosted - (RMSE)");
  manifest.candidates.pop_back();
  EXPECT_EQ(manifest.comparison(), "");
}

TEST(Manifest, without_held_out_rows_has_no_metrics) {
  Manifest manifest = example();
  manifest.has_held_out = false;
  EXPECT_TRUE(Json::parse(manifest.to_json())["held_out"].is_null());
  EXPECT_FALSE(Manifest::parse(manifest.to_json())->has_held_out);
}

TEST(Manifest, is_refused_without_any_of_its_members) {
  const std::set<std::string> kYounger{"settings", "training", "fit", "quality"};
  const Json whole = Json::parse(example().to_json());
  for (const auto& [name, value] : whole.items()) {
    if (kYounger.contains(name)) continue;  // younger than the others
    Json json = whole;
    json.erase(name);
    const auto parsed = Manifest::parse(json.dump());
    ASSERT_FALSE(parsed) << name;
    EXPECT_EQ(parsed.error().code(), Code::kCorrupt) << name;
    json[name] = Json::array({Json::object()});
    ASSERT_FALSE(Manifest::parse(json.dump())) << name;
  }
  for (const char* part :
       {"dataset", "split", "settings", "training", "schema", "held_out", "fit", "quality"}) {
    for (const auto& [name, value] : whole[part].items()) {
      if (name == "splits_sha256" || name == "features") continue;  // younger than the others
      Json json = whole;
      json[part].erase(name);
      ASSERT_FALSE(Manifest::parse(json.dump())) << part << "." << name;
    }
  }
}

TEST(Manifest, of_the_first_days_tells_of_no_settings) {
  Json json = Json::parse(example().to_json());
  json.erase("settings");
  json.erase("training");
  const auto parsed = Manifest::parse(json.dump());
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_TRUE(parsed->drop_columns.empty());
  EXPECT_TRUE(parsed->intercept);
  EXPECT_EQ(parsed->wanted_algorithm, "linear");
  EXPECT_TRUE(parsed->candidates.empty());
}

TEST(Manifest, is_refused_where_its_schema_does_not_match_its_hash) {
  Json json = Json::parse(example().to_json());
  json["schema"]["features"][0]["name"] = "age";
  EXPECT_EQ(Manifest::parse(json.dump()).error().code(), Code::kCorrupt);
}

TEST(Manifest, of_a_newer_format_is_unsupported) {
  Json json = Json::parse(example().to_json());
  json["format_version"] = 2;
  EXPECT_EQ(Manifest::parse(json.dump()).error().code(), Code::kUnsupported);
}

TEST(Manifest, refuses_negative_and_broken_counts) {
  for (const char* pointer : {"/version", "/parent_version", "/dataset/rows", "/dataset/bytes"}) {
    for (const Json& number : {Json(-1), Json(0.5)}) {
      Json json = Json::parse(example().to_json());
      json[Json::json_pointer(pointer)] = number;
      EXPECT_FALSE(Manifest::parse(json.dump())) << pointer << " " << number;
    }
  }
}

TEST(Manifest, refuses_what_is_no_manifest) {
  for (const char* text : {"", "{}", "[]", "null", "{\"format\":\"weirkeeper-model\"}",
                           "{\"format\":1}", "{\"format\":\"weirkeeper-manifest\"}"}) {
    const auto parsed = Manifest::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), Code::kCorrupt) << text;
  }
}

TEST(Manifest, cut_short_anywhere_is_refused) {
  const std::string text = example().to_json();
  for (std::size_t length = 0; length + 2 < text.size(); length += 7) {
    EXPECT_FALSE(Manifest::parse(text.substr(0, length))) << length;
  }
}

}  // namespace
}  // namespace weir::registry
