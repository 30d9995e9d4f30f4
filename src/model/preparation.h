// From the features of a row to the terms that a model is made of: what training learned about
// missing values, categories, dates and scales, applied alike in training and in scoring.
//
// A term is a product of factors, shifted and scaled where training chose so:
//
//   t = f1;  t = t * f2 (where there is a second factor);
//   t = (t - shift) / scale (where shift is not 0 or scale is not 1)
//
// each operation in IEEE 754 binary64, rounded to nearest, none fused. A factor of an input x is
//
//   value          x; `fill` of that input where x is missing
//   log            natural_log() of the same (natural_log.h)
//   missing        1 where x is missing, else 0
//   category k     1 where x is the k-th of the known categories, else 0
//   beyond k       1 where x is the k-th or one after it, or unknown, else 0
//
// Rows of inputs are as record/inputs.h has them. Owner: the training, then the model. Threads:
// constant after make(). Errors: make() gives kBadData for what does not fit together; a term of
// finite inputs may still overflow, and the prediction with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "record/inputs.h"
#include "record/row_block.h"
#include "record/schema.h"

namespace weir::model {

inline constexpr std::size_t kCategoriesMax = 1'000;   // known ones of an input
inline constexpr std::size_t kCategoryBytesMax = 256;  // of the text of one
inline constexpr std::size_t kMissingWordsMax = 100;

struct Factor {
  enum class Kind { kValue, kLog, kMissing, kCategory, kBeyond };
  Kind kind = Kind::kValue;
  std::size_t input = 0;
  std::size_t category = 0;  // of kCategory and kBeyond

  bool operator==(const Factor&) const = default;
};

struct Term {
  std::string name;             // "rm", "ln(lstat)", "chas=1", "rm*lstat"
  std::vector<Factor> factors;  // one or two
  double shift = 0;
  double scale = 1;

  bool operator==(const Term&) const = default;
};

class Preparation {
 public:
  // `inputs` has one column for each feature of `schema`; `fills` as well (0 where nothing is to be
  // filled).
  static Result<Preparation> make(record::Schema schema, record::Inputs inputs,
                                  std::vector<double> fills, std::vector<Term> terms);

  const record::Schema& schema() const { return schema_; }  // of the inputs
  const record::Inputs& inputs() const { return inputs_; }
  std::span<const double> fills() const { return fills_; }
  std::span<const Term> terms() const { return terms_; }
  const record::Schema& term_schema() const { return term_schema_; }  // the terms' names, target

  // rows: row-major, schema().features.size() values each; gives the terms likewise.
  std::vector<double> expand(std::span<const double> rows) const;
  // The same for a block with the target in its last column, which stays as it is.
  record::RowBlock expand(const record::RowBlock& rows) const;

 private:
  Preparation() = default;
  Status check() const;
  Status check_term(const Term& term) const;
  double factor_of(const Factor& factor, double x) const;
  void write_term(const Term& term, const double* inputs, std::size_t row_stride,
                  std::size_t input_stride, std::size_t rows, double* out,
                  std::size_t out_stride) const;

  record::Schema schema_;
  record::Inputs inputs_;
  std::vector<double> fills_;
  std::vector<Term> terms_;
  record::Schema term_schema_;
};

}  // namespace weir::model
