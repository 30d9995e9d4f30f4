// The honest run with trees for its second model, as it is and tampered with.
#include <gmock/gmock.h>

#include "audit/honest_run_test.h"
#include "base/sha256.h"
#include "base/text.h"

namespace weir::audit {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Two trees over x, which is 0.5 to 0.9 in the second epoch, and y, which is 1 or 2.
Json trees() {
  return {{"format", "weirkeeper-model"},
          {"algorithm", "boosted"},
          {"features", {"x", "y"}},
          {"base", 20.1},
          {"trees",
           {{{"feature", {0, -1, 1, -1, -1}},
             {"value", {0.65, 0.3, 1.5, -0.7, 4.25}},
             {"missing_left", {0, 0}}},
            {{"feature", {0, -1, -1}}, {"value", {0.85, 1e-3, 0.7}}, {"missing_left", {1}}}}}};
}

double by_trees(double x, double y) {
  float sum = 20.1F;
  sum += static_cast<float>(x) < 0.65F ? 0.3F : static_cast<float>(y) < 1.5F ? -0.7F : 4.25F;
  sum += static_cast<float>(x) < 0.85F ? 1e-3F : 0.7F;
  return static_cast<double>(sum);
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

// The second model is this one, everywhere that its sha256 is told; predictions stay as they are.
void put_in_force(Past& run, const std::string& model) {
  std::string& file = run.files["/models/0000000002/model.json"];
  const std::string old = sha256_hex(file);
  file = model;
  replace_all(run.files["/models/0000000002/manifest.json"], old, sha256_hex(model));
  for (Event& event : run.events) {
    if (event.topic == "p.control") replace_all(event.value, old, sha256_hex(model));
  }
}

// The same in doubles, which leads elsewhere in the last digits.
double by_wide_trees(double x, double y) {
  double sum = 20.1;
  sum += x < 0.65 ? 0.3 : y < 1.5 ? -0.7 : 4.25;
  sum += x < 0.85 ? 1e-3 : 0.7;
  return sum;
}

Past honest_with_trees(const Json& model = trees(), double (*predict)(double, double) = by_trees) {
  Past run = honest();
  put_in_force(run, model.dump());
  std::map<std::string, Json> features;
  for (const Event& event : run.events) {
    if (event.topic == "p.features") features[*event.key] = Json::parse(event.value);
  }
  for (Event& event : run.events) {
    if (event.topic != "p.predictions") continue;
    Json value = Json::parse(event.value);
    if (value["model"] != 2) continue;
    const Json& record = features.at(*event.key);
    value["prediction"] = predict(record.at("x"), record.at("y"));
    event.value = value.dump();
  }
  return run;
}

std::uint64_t wrong_values(const Past& run) {
  Played played(run);
  const auto report = played.audit();
  EXPECT_TRUE(report) << report.error().message();
  EXPECT_THAT(found_in(report->findings), ElementsAre("wrong_value"));
  return report->findings.count(Breach::kWrongValue);
}

TEST(TreeRun, is_found_to_be_honest) {
  Played played(honest_with_trees());
  const auto report = played.audit();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_THAT(found_in(report->findings), IsEmpty());
}

TEST(TreeRun, is_judged_by_the_arithmetic_that_its_model_names) {
  Json wide = trees();
  wide["arithmetic"] = "binary64";
  Played played(honest_with_trees(wide, by_wide_trees));
  const auto report = played.audit();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_THAT(found_in(report->findings), IsEmpty());
  EXPECT_EQ(wrong_values(honest_with_trees(wide, by_trees)), 10U);
  EXPECT_EQ(wrong_values(honest_with_trees(trees(), by_wide_trees)), 10U);
}

TEST(TreeRun, is_found_out_where_a_prediction_is_off_by_the_last_bit_of_a_float) {
  Past run = honest_with_trees();
  Json value = Json::parse(event_of(run, "p.predictions", "0-7").value);
  value["prediction"] = static_cast<double>(
      std::nextafter(static_cast<float>(value["prediction"].get<double>()), 0.0F));
  event_of(run, "p.predictions", "0-7").value = value.dump();
  EXPECT_EQ(wrong_values(run), 1U);
}

TEST(TreeRun, is_found_out_where_the_model_is_not_the_one_that_scored) {
  // A leaf, a threshold, the feature of a question, the base.
  const auto with = [](const char* pointer, const Json& value) {
    Json model = trees();
    model[Json::json_pointer(pointer)] = value;
    Past run = honest_with_trees();
    put_in_force(run, model.dump());
    return wrong_values(run);
  };
  EXPECT_EQ(with("/trees/0/value/1", 0.300004), 4U);
  EXPECT_EQ(with("/trees/1/value/0", 0.75), 2U);
  EXPECT_EQ(with("/trees/0/feature/2", 0), 3U);
  EXPECT_EQ(with("/base", 20.100002), 10U);
}

TEST(TreeRun, is_found_out_where_its_trees_are_broken) {
  for (const auto& [pointer, value] :
       std::vector<std::pair<const char*, Json>>{{"/trees/0/feature/2", 2},
                                                 {"/trees/0/value/1", nullptr},
                                                 {"/algorithm", "bagged"},
                                                 {"/arithmetic", "binary16"}}) {
    Json model = trees();
    model[Json::json_pointer(pointer)] = value;
    Past run = honest_with_trees();
    put_in_force(run, model.dump());
    Played played(run);
    const auto report = played.audit();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_THAT(found_in(report->findings), ElementsAre("unknown_model", "model_broken"));
  }
}

}  // namespace
}  // namespace weir::audit
