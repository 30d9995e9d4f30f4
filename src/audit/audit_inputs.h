// What becomes of the values of a message before a prepared model sees them, by code of the audit's
// own: which number stands for a text, and the terms that are made of the numbers. The rules are
// those that record/inputs.h and model/preparation.h promise.
//
// Threads: constant after parse(). Errors: kCorrupt with what is wrong; throws what nlohmann-json
// does where a member is of another kind.
#pragma once

#include <cstddef>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::audit {

// A JSON value as a parser gives it: of a number that is not whole, the text is lost.
struct AuditValue {
  enum class Kind { kNull, kTruth, kText, kWhole, kFraction, kOther };
  Kind kind = Kind::kOther;
  std::string_view text;  // of kText its content, of kTruth and kWhole as it is spelt
  double number = 0;      // of kWhole and kFraction
};

class AuditInputs {
 public:
  enum class Verdict {
    kTaken,
    kRefused,
    kUnknown,  // it depends on how a number was spelt
  };
  static Result<AuditInputs> parse(const nlohmann::json& model, std::size_t features);

  Verdict value_of(std::size_t feature, const AuditValue& value, double& number) const;
  // Of a member that is not there.
  Verdict value_of_nothing(std::size_t feature, double& number) const;

  std::size_t terms() const { return terms_.size(); }
  void make_terms(const double* row, std::vector<double>& out) const;

 private:
  struct Input {
    std::string kind;
    bool may_be_missing = false;
    double fill = 0;
    bool positive = false;
    std::map<std::string, double, std::less<>> categories;
  };
  struct Factor {
    std::string kind;
    std::size_t input = 0;
    double category = 0;
  };
  struct Term {
    std::vector<Factor> factors;
    double shift = 0;
    double scale = 1;
  };

  bool spelling_matters(const Input& input) const;  // of a zero
  Verdict value_of_text(const Input& input, std::string_view text, double& number) const;
  Verdict value_of_fraction(const Input& input, double value, double& number) const;
  double factor_of(const Factor& factor, const double* row) const;

  std::vector<Input> inputs_;
  std::set<std::string, std::less<>> missing_words_;
  std::vector<Term> terms_;
};

}  // namespace weir::audit
