// A trained model: numbers in, a number out, and its own text.
//
// Owner: whoever trained or loaded it, usually by shared_ptr<const Model>. Threads: const calls
// from any thread at once. Errors: parse_model refuses whatever it cannot vouch for: kCorrupt (not
// the JSON of a model, cut short, a byte changed, sizes that do not agree, numbers that are not
// finite), kUnsupported (a newer format, an unknown algorithm). No I/O.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "record/inputs.h"
#include "record/schema.h"

namespace weir::model {

inline constexpr std::size_t kModelBytesMax = 16 * 1024 * 1024;
inline constexpr std::size_t kColumnsMax = 2048;  // features + target

// The kinds of model, as files, manifests and settings name them.
inline constexpr std::string_view kLinear = "linear";
inline constexpr std::string_view kBoosted = "boosted";

class Model {
 public:
  virtual ~Model() = default;
  virtual std::string_view algorithm() const = 0;  // kLinear, kBoosted
  virtual const record::Schema& schema() const = 0;

  // What the features are; plain where each is a number.
  virtual const record::Inputs& inputs() const;

  // rows: count x schema().features.size() values, row-major, as record/inputs.h has them, finite
  // but for what may be missing; out: count values. The result of a row does not depend on its
  // neighbours: the same bits alone or in a batch. Finite input can still overflow to a result that
  // is not finite; the caller refuses such a row.
  virtual void predict(std::span<const double> rows, std::span<double> out) const = 0;

  // What a row costs, in steps that take some nanoseconds each: for who has to tell little work
  // from much beforehand.
  virtual std::size_t steps_of_row() const { return schema().features.size(); }

  // The whole model as JSON, numbers in their shortest exact form: parse_model(to_json()) predicts
  // the same bits, and equal models give equal bytes.
  virtual std::string to_json() const = 0;
};

Result<std::unique_ptr<Model>> parse_model(std::string_view json);

}  // namespace weir::model
