// What a prediction has to be: the arithmetic of docs and model files, implemented a second time.
//
// Nothing here is shared with the scorer: messages are read by simdjson's DOM, models by
// nlohmann-json. The formula of a linear model is the one that model/linear_model.h promises, in
// IEEE 754 binary64, each operation rounded to nearest and none fused:
//
//   p = intercept;  for each feature j in the model's order:  p = p + (coefficient[j] * x[j])
//
// That of trees stands in audit_trees.h, that of what precedes a model in audit_inputs.h.
//
// Units: those of the target. Threads: a Recomputer belongs to one; an AuditModel is constant.
// Errors: parse() gives kCorrupt with what is wrong. A zero's sign is not told from the other's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/audit_inputs.h"
#include "audit/audit_trees.h"
#include "base/error.h"

namespace weir::audit {

class AuditModel {
 public:
  static Result<AuditModel> parse(std::string_view model_json);

  std::size_t features() const { return index_.size(); }
  // The place of a feature in the model's order.
  std::optional<std::size_t> index_of(std::string_view name) const;
  // How values become numbers; absent where each is one.
  const AuditInputs* inputs() const { return inputs_ ? &*inputs_ : nullptr; }
  double predict(const double* row) const;  // features() values

 private:
  static Result<AuditModel> parse_document(const nlohmann::json& json);
  Status parse_linear(const nlohmann::json& json);

  double intercept_ = 0;
  std::vector<double> coefficients_;
  std::optional<AuditTrees> trees_;  // where the model is of them
  std::map<std::string, std::size_t, std::less<>> index_;
  // Where the model is a prepared one, and what it makes terms for.
  std::optional<AuditInputs> inputs_;
  std::shared_ptr<const AuditModel> within_;
};

// What a feature record has to lead to.
struct Expectation {
  enum class Verdict {
    kScored,
    kRefused,  // a dead letter, for the reason `why`
    kUnknown,  // this reader cannot tell: a number that no double holds, in a member of no matter
  };
  Verdict verdict = Verdict::kRefused;
  std::string_view why;        // of kRefused
  std::vector<double> values;  // of kScored: one for each row
  bool many = false;           // the shape that may hold many rows
};

class Recomputer {
 public:
  Recomputer();
  ~Recomputer();
  // The answer stays good until the next call. `message` without data is a tombstone.
  const Expectation& expect(const AuditModel& model, std::string_view message);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Bitwise, but for the sign of a zero.
bool same_number(double a, double b);

}  // namespace weir::audit
