// A model of terms, behind the preparation that makes the terms of a row's features.
//
//   prediction = model(terms(row)), the terms as preparation.h has them
//
// File format (to_json), version 1, as model_file.h has it; the algorithm is "prepared", the
// features are those of messages, and then come
//
//   "inputs": [{"kind":"number","fill":3.5},{"kind":"category","categories":["1","0"]}, …],
//   "missing_words": ["NA"],
//   "terms": [{"name":"ln(lstat)","factors":[["log",12]],"shift":0.5,"scale":2},
//             {"name":"chas=0","factors":[["category",3,1]]}, …],
//   "model": {…the file of the model of these terms…},
//
// An input has "fill" where it may be missing (for a category, 0, which is not used), and
// "positive": true where it must be. "shift" and "scale" stand there where they are not 0 and 1.
//
// Owner: as Model. Threads: const calls from any.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "model/model.h"
#include "model/preparation.h"

namespace weir::model {

inline constexpr std::string_view kPrepared = "prepared";  // in files alone

class PreparedModel final : public Model {
 public:
  // kBadData: a model of other columns than the preparation's terms, or one that is prepared
  // itself; more than a model file may hold.
  static Result<std::unique_ptr<PreparedModel>> make(Preparation preparation,
                                                     std::unique_ptr<Model> model);

  // That of the model within.
  std::string_view algorithm() const override { return model_->algorithm(); }
  const record::Schema& schema() const override { return preparation_.schema(); }
  const record::Inputs& inputs() const override { return preparation_.inputs(); }
  void predict(std::span<const double> rows, std::span<double> out) const override;
  std::size_t steps_of_row() const override {
    return model_->steps_of_row() + model_->schema().features.size();
  }
  std::string to_json() const override;

  const Preparation& preparation() const { return preparation_; }
  const Model& model() const { return *model_; }

 private:
  std::string before_model() const;  // of the file

  PreparedModel(Preparation preparation, std::unique_ptr<Model> model)
      : preparation_(std::move(preparation)), model_(std::move(model)) {}

  Preparation preparation_;
  std::unique_ptr<Model> model_;
};

// The inverse of PreparedModel::to_json; errors as parse_model.
Result<std::unique_ptr<PreparedModel>> parse_prepared_model(std::string_view json);

}  // namespace weir::model
