#include "model/foreign_model.h"

#include <utility>

#include "base/text.h"
#include "model/lightgbm_document.h"
#include "model/linear_model.h"
#include "model/onnx_document.h"
#include "model/onnx_graph.h"
#include "model/xgboost_document.h"

namespace weir::model {

Result<ForeignModel> read_foreign_model(std::string_view document) {
  if (document.empty()) return fail(Code::kCorrupt, "it is empty");
  if (document.size() > kForeignBytesMax) {
    return fail(Code::kCorrupt, "a document of " + format_bytes(document.size()) +
                                    " is over the limit of " + format_bytes(kForeignBytesMax));
  }
  if (begins_as_lightgbm(document))
    return during(read_lightgbm(document), "reading LightGBM's text");
  if (begins_as_xgboost(document))
    return during(read_xgboost(document), "reading XGBoost's document");
  if (begins_as_onnx(document)) return during(read_onnx(document), "reading the ONNX file");
  return fail(
      Code::kUnsupported,
      "it begins like no model that this program takes; it takes XGBoost's JSON and UBJSON "
      "(save_model to a name that ends in .json or .ubj), LightGBM's text (save_model), and ONNX");
}

Status check_feature_count(const ForeignModel& foreign, const record::Schema& schema) {
  if (foreign.feature_count == schema.features.size()) return {};
  return fail(Code::kBadData, "it has " + std::to_string(foreign.feature_count) +
                                  " features, and " + std::to_string(schema.features.size()) +
                                  " are named");
}

Result<std::unique_ptr<Model>> model_from_foreign(ForeignModel foreign, record::Schema schema) {
  WEIR_TRY(check_feature_count(foreign, schema));
  if (auto* const line = std::get_if<ForeignLine>(&foreign.body)) {
    LinearModel model = WEIR_TRY(
        LinearModel::make(std::move(schema), line->intercept, std::move(line->coefficients)));
    return std::make_unique<LinearModel>(std::move(model));
  }
  auto& trees = std::get<ForeignTrees>(foreign.body);
  BoostedModel model = WEIR_TRY(
      BoostedModel::make(std::move(schema), trees.base, std::move(trees.trees), trees.arithmetic));
  return std::make_unique<BoostedModel>(std::move(model));
}

}  // namespace weir::model
