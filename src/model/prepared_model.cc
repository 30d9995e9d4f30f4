#include "model/prepared_model.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "model/model_file.h"
#include "model/preparation_json.h"

namespace weir::model {
namespace {

using Json = nlohmann::json;

// Terms are objects in an array, with arrays of factors, which are arrays. Of values there are the
// categories of each input, and some for each term.
constexpr FileLimits kLimits{5, kColumnsMax * 16 + 500'000};
constexpr std::size_t kBlockRows = 256;
constexpr std::string_view kModelMember = ",\n  \"model\": ";
constexpr std::string_view kSealMember = ",\n  \"sha256\": ";

}  // namespace

Result<std::unique_ptr<PreparedModel>> PreparedModel::make(Preparation preparation,
                                                           std::unique_ptr<Model> model) {
  WEIR_CHECK(model != nullptr);
  if (model->schema() != preparation.term_schema() || !model->inputs().plain()) {
    return fail(Code::kBadData, "the model within is not one of the preparation's terms");
  }
  std::unique_ptr<PreparedModel> made(new PreparedModel(std::move(preparation), std::move(model)));
  // The model within has passed limits of its own. Behind it is the seal, and a comma before each.
  const std::string around = made->before_model();
  const auto commas = static_cast<std::size_t>(std::ranges::count(around, ',')) + 2;
  if (commas > kLimits.commas_max || made->to_json().size() > kModelBytesMax) {
    return fail(Code::kBadData,
                "the names and categories are more than a model file may hold: leave columns out "
                "(features.types, dataset.drop_columns)");
  }
  return made;
}

void PreparedModel::predict(std::span<const double> rows, std::span<double> out) const {
  WEIR_CHECK(rows.size() == out.size() * schema().features.size());
  // Block by block, as there may be many more terms than features.
  const std::size_t features = schema().features.size();
  while (!out.empty()) {
    const std::size_t count = std::min(out.size(), kBlockRows);
    model_->predict(preparation_.expand(rows.first(count * features)), out.first(count));
    rows = rows.subspan(count * features);
    out = out.subspan(count);
  }
}

std::string PreparedModel::before_model() const {
  return file_head(kPrepared, schema()) + preparation_members(preparation_);
}

std::string PreparedModel::to_json() const {
  std::string within = model_->to_json();
  if (within.ends_with('\n')) within.pop_back();
  return sealed_file(before_model() + std::string(kModelMember) + within);
}

// The file within is cut out first: each of the two is held to its own limits. (No JSON string has
// a line feed in it, so what is looked for stands in no name.)
Result<std::unique_ptr<PreparedModel>> parse_prepared_model(std::string_view text) {
  const auto member = text.find(kModelMember);
  const auto seal = text.rfind(kSealMember);
  if (member == text.npos || seal == text.npos || seal < member + kModelMember.size()) {
    return fail(Code::kCorrupt, "there is no model within");
  }
  if (text.size() > kModelBytesMax) return fail(Code::kCorrupt, "the model is too large");
  const std::size_t begin = member + kModelMember.size();
  const std::string within = std::string(text.substr(begin, seal - begin)) + "\n";
  const std::string around =
      std::string(text.substr(0, begin)) + "null" + std::string(text.substr(seal));
  const Json json = WEIR_TRY(parse_envelope(around, kLimits));
  if (begins_as_file_of(kPrepared, within)) {
    return fail(Code::kCorrupt, "a prepared model within another");
  }
  auto model = WEIR_TRY(during(parse_model(within), "reading the model within"));
  try {
    auto preparation = preparation_of(json);
    if (!preparation) {
      const Code code = preparation.error().code();
      return fail(code == Code::kUnsupported ? code : Code::kCorrupt, preparation.error().reason());
    }
    auto made = PreparedModel::make(std::move(*preparation), std::move(model));
    if (!made) return fail(Code::kCorrupt, made.error().reason());
    WEIR_TRY(check_as_written(**made, json, text));
    return made;
  } catch (const Json::exception& e) {
    return fail(Code::kCorrupt, std::string("the model is not as it should be: ") + e.what());
  }
}

}  // namespace weir::model
