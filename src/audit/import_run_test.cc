// A run whose second model was imported: its data set is a document that begins with the model.
#include <gmock/gmock.h>

#include "audit/honest_run_test.h"
#include "base/sha256.h"

namespace weir::audit {
namespace {

using Json = nlohmann::ordered_json;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kRows = "weir_row,x,y,z\n0,1,2,3\n5,4,5,6\n";
constexpr const char* kModel = "/models/0000000002/";
constexpr const char* kUsed = "/dataset/used/b.2";

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

Past honest_with_import(const std::string& document, std::uint64_t model_bytes,
                        std::uint64_t rows) {
  Past run = honest();
  // The data set of epoch 2, wherever it is named.
  run.files[kUsed] = document;
  Json manifest = Json::parse(run.files[std::string(kModel) + "manifest.json"]);
  Json& dataset = manifest["dataset"];
  dataset["bytes"] = document.size();
  dataset["sha256"] = sha256_hex(document);
  dataset["rows"] = dataset["rows_held_out"] = rows;
  dataset["rows_trained"] = dataset["rows_refused"] = 0;
  dataset["refused_by_reason"] = Json::object();
  manifest["imported"] = {{"file", "b.ubj"}, {"model_bytes", model_bytes}};
  run.files[std::string(kModel) + "manifest.json"] = manifest.dump();
  for (Event& event : run.events) {
    if (event.topic != "p.control" || event.value.find("/dataset/b") == std::string::npos) continue;
    Json record = Json::parse(event.value);
    record["dataset"]["length"] = document.size();
    event.value = record.dump();
  }
  return run;
}

Names breaches(const Past& run) {
  Played played(run);
  const auto report = played.audit();
  EXPECT_TRUE(report) << report.error().message();
  return report ? found_in(report->findings) : Names{"none"};
}

std::string origin_line() { return "{\"format\":\"weirkeeper-import\"}\n"; }

TEST(ImportRun, is_found_to_be_honest) {
  const std::string model = model_json(2);
  EXPECT_THAT(breaches(honest_with_import(model + origin_line() + kRows, model.size(), 2)),
              IsEmpty());
  EXPECT_THAT(breaches(honest_with_import(model + origin_line(), model.size(), 0)), IsEmpty());
  EXPECT_THAT(breaches(honest_with_import(model, model.size(), 0)), IsEmpty());
}

TEST(ImportRun, is_found_out_where_the_model_is_not_the_one_that_was_dropped) {
  std::string other = model_json(2);
  replace_all(other, "\"intercept\":2", "\"intercept\":3");
  ASSERT_NE(other, model_json(2));
  EXPECT_THAT(breaches(honest_with_import(other + origin_line(), other.size(), 0)),
              ElementsAre("model_broken"));
  const std::string model = model_json(2);
  EXPECT_THAT(breaches(honest_with_import(model + origin_line(), model.size() - 1, 0)),
              ElementsAre("model_broken"));
}

TEST(ImportRun, is_found_out_where_its_rows_do_not_add_up) {
  const std::string model = model_json(2);
  EXPECT_THAT(breaches(honest_with_import(model + origin_line() + kRows, model.size(), 3)),
              ElementsAre("rows_do_not_add_up"));
}

}  // namespace
}  // namespace weir::audit
