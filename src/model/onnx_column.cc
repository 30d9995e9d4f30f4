#include "model/onnx_column.h"

#include <bit>
#include <cstdint>
#include <limits>

namespace weir::model {
namespace {

constexpr std::uint64_t kSign = std::uint64_t{1} << 63;

double rounded(double x) { return static_cast<double>(static_cast<float>(x)); }

double step_of(const OnnxStep& step, double x) {
  switch (step.kind) {
    case OnnxStep::Kind::kRound: return rounded(x);
    case OnnxStep::Kind::kAdd: return x + step.by;
    case OnnxStep::Kind::kSubtract: return x - step.by;
    case OnnxStep::Kind::kMultiply: return x * step.by;
    case OnnxStep::Kind::kDivide: return x / step.by;
  }
  return x;
}

// Whole numbers in the order of the doubles, and back.
std::uint64_t rank_of(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}
double of_rank(std::uint64_t rank) {
  return std::bit_cast<double>((rank & kSign) != 0 ? rank & ~kSign : ~rank);
}

}  // namespace

// Each of the four of two floats, made in doubles and rounded, is what it is in floats: a double
// has more than twice as many bits (Figueroa 1995).
void OnnxColumn::then(OnnxStep step) {
  if (in_float) step.by = rounded(step.by);
  steps.push_back(step);
  if (in_float && step.kind != OnnxStep::Kind::kRound) steps.push_back({});
}

void OnnxColumn::cast(bool to_float) {
  if (to_float && !in_float) steps.push_back({});
  in_float = to_float;
}

double OnnxColumn::apply(double x) const {
  for (const OnnxStep& step : steps) x = step_of(step, x);
  return x;
}

double OnnxColumn::slope() const {
  double slope = 1;
  for (const OnnxStep& step : steps) {
    if (step.kind == OnnxStep::Kind::kMultiply) slope *= step.by;
    if (step.kind == OnnxStep::Kind::kDivide) slope /= step.by;
  }
  return slope;
}

double OnnxColumn::offset() const {
  double offset = 0;
  for (const OnnxStep& step : steps) {
    if (step.kind != OnnxStep::Kind::kRound) offset = step_of(step, offset);
  }
  return offset;
}

Result<OnnxTurn> find_turn(const OnnxColumn& column, const std::function<bool(double)>& holds) {
  std::uint64_t low = rank_of(std::numeric_limits<double>::lowest());
  std::uint64_t high = rank_of(std::numeric_limits<double>::max());
  const bool below = holds(column.apply(of_rank(low)));
  if (holds(column.apply(of_rank(high))) == below) {
    return fail(Code::kUnsupported, "a node asks what is true, or false, of every value");
  }
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    (holds(column.apply(of_rank(middle))) == below ? low : high) = middle;
  }
  return OnnxTurn{of_rank(high), below};
}

}  // namespace weir::model
