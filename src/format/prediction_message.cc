#include "format/prediction_message.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "base/check.h"
#include "base/text.h"
#include "format/decimal.h"

namespace weir::format {
namespace {

template <typename Number>
void append_number(std::string& out, Number number) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number);
  out.append(text, end);
}

// Takes what is expected from the front of the text, or nothing.
class Taker {
 public:
  explicit Taker(std::string_view text) : left_(text) {}

  bool literal(std::string_view expected) {
    if (!left_.starts_with(expected)) return false;
    left_.remove_prefix(expected.size());
    return true;
  }
  bool number(double& value) {
    const Decimal decimal =
        parse_decimal(left_.data(), left_.data() + left_.size(), DecimalGrammar::kJson);
    if (decimal.status != DecimalStatus::kGood) return false;
    value = decimal.value;
    left_.remove_prefix(static_cast<std::size_t>(decimal.end - left_.data()));
    return true;
  }
  template <typename Integer>
  bool integer(Integer& value) {
    const auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), value);
    if (error != std::errc()) return false;
    left_.remove_prefix(static_cast<std::size_t>(end - left_.data()));
    return true;
  }
  bool at_end() const { return left_.empty(); }

 private:
  std::string_view left_;
};

bool take_values(Taker& taker, record::Prediction& prediction) {
  double value = 0;
  prediction.many = taker.literal("[");
  if (prediction.many && taker.literal("]")) return true;
  do {
    if (!taker.number(value)) return false;
    prediction.values.push_back(value);
  } while (prediction.many && taker.literal(", "));
  return !prediction.many || taker.literal("]");
}

}  // namespace

bool append_prediction(std::string& out, const record::Prediction& prediction) {
  WEIR_CHECK(prediction.many || prediction.values.size() == 1);
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::all_of(prediction.values.begin(), prediction.values.end(), finite)) return false;
  out += "{\"prediction\": ";
  if (prediction.many) out += '[';
  for (std::size_t i = 0; i < prediction.values.size(); ++i) {
    if (i > 0) out += ", ";
    append_number(out, prediction.values[i]);
  }
  if (prediction.many) out += ']';
  out += ", \"model\": ";
  append_number(out, prediction.model);
  out += ", \"epoch\": ";
  append_number(out, prediction.epoch);
  out += ", \"partition\": ";
  append_number(out, prediction.partition);
  out += ", \"offset\": ";
  append_number(out, prediction.offset);
  out += '}';
  return true;
}

Result<record::Prediction> parse_prediction(std::string_view json) {
  record::Prediction prediction;
  Taker taker(json);
  const bool read = taker.literal("{\"prediction\": ") && take_values(taker, prediction) &&
                    taker.literal(", \"model\": ") && taker.integer(prediction.model) &&
                    taker.literal(", \"epoch\": ") && taker.integer(prediction.epoch) &&
                    taker.literal(", \"partition\": ") && taker.integer(prediction.partition) &&
                    taker.literal(", \"offset\": ") && taker.integer(prediction.offset) &&
                    taker.literal("}") && taker.at_end();
  // Written again it must be the same bytes: no number spelt in another way.
  std::string again;
  if (read && append_prediction(again, prediction) && again == json) return prediction;
  constexpr std::size_t kBytesShown = 80;
  return fail(Code::kBadData, "not a prediction as weir writes it: '" +
                                  one_line(json.substr(0, kBytesShown)) +
                                  (json.size() > kBytesShown ? "…'" : "'"));
}

}  // namespace weir::format
