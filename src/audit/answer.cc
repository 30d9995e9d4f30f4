#include "audit/answer.h"

#include <simdjson.h>

#include "base/text.h"

namespace weir::audit {
namespace {

constexpr std::string_view kPrefix = "__connect.errors.";
constexpr std::size_t kMembers = 5;

using simdjson::dom::element;
using simdjson::dom::element_type;

bool take_number(element value, std::vector<double>& values) {
  switch (value.type()) {
    case element_type::INT64:
      values.push_back(static_cast<double>(value.get_int64().value_unsafe()));
      return true;
    case element_type::UINT64:
      values.push_back(static_cast<double>(value.get_uint64().value_unsafe()));
      return true;
    case element_type::DOUBLE: values.push_back(value.get_double().value_unsafe()); return true;
    default: return false;
  }
}

bool take_values(element value, Answer& answer) {
  simdjson::dom::array many;
  answer.many = !value.get_array().get(many);
  if (!answer.many) return take_number(value, answer.values);
  for (const element one : many) {
    if (!take_number(one, answer.values)) return false;
  }
  return true;
}

}  // namespace

struct AnswerReader::Parser {
  simdjson::dom::parser dom;
};

AnswerReader::AnswerReader() : parser_(std::make_unique<Parser>()) {}
AnswerReader::~AnswerReader() = default;

const Answer* AnswerReader::read_prediction(std::string_view value) {
  answer_.dead = false;
  answer_.values.clear();
  simdjson::dom::object members;
  if (parser_->dom.parse(value.data(), value.size(), true).get_object().get(members)) {
    fault_ = "not a JSON object";
    return nullptr;
  }
  element prediction;
  std::int64_t partition = 0;
  std::int64_t offset = 0;
  if (members.size() != kMembers || members["prediction"].get(prediction) ||
      members["model"].get_uint64().get(answer_.model) ||
      members["epoch"].get_uint64().get(answer_.epoch) ||
      members["partition"].get_int64().get(partition) ||
      members["offset"].get_int64().get(offset)) {
    fault_ = "not the members prediction, model, epoch, partition and offset";
    return nullptr;
  }
  if (partition < 0 || partition > INT32_MAX || offset < 0 || !take_values(prediction, answer_)) {
    fault_ = "a member that is not of its type";
    return nullptr;
  }
  answer_.partition = static_cast<std::int32_t>(partition);
  answer_.offset = offset;
  return &answer_;
}

const Answer* AnswerReader::read_dead_letter(const stream::RecordBatch& batch, std::size_t index) {
  answer_.dead = true;
  answer_.headers = batch.headers(index);
  answer_.value_left_out = answer_.record_left_out = false;
  answer_.topic.clear();
  answer_.reason.clear();
  // The reasons are the last headers; a record may bring headers of these names, as it does where
  // it was a dead letter before.
  answer_.reasons_at = answer_.headers.size();
  std::optional<std::int64_t> partition;
  std::optional<std::int64_t> offset;
  for (std::size_t i = answer_.headers.size(); i-- > 0;) {
    const auto& [name, value] = answer_.headers[i];
    if (name == "weir.value.left.out") answer_.value_left_out = true;
    if (name == "weir.record.left.out") answer_.record_left_out = true;
    if (!name.starts_with(kPrefix) && !name.starts_with("weir.")) break;
    answer_.reasons_at = i;
    const std::string_view rest =
        std::string_view(name).substr(name.starts_with(kPrefix) ? kPrefix.size() : name.size());
    if (rest == "partition") partition = parse_int64(value);
    if (rest == "offset") offset = parse_int64(value);
    if (rest == "exception.class.name") answer_.reason = value;
    if (rest == "topic") {
      answer_.topic = value;
      break;  // the first of the reasons
    }
  }
  if (!partition || !offset || answer_.topic.empty() || answer_.reason.empty() || *partition < 0 ||
      *partition > INT32_MAX || *offset < 0) {
    fault_ =
        "without the headers __connect.errors.topic, .partition, .offset and "
        ".exception.class.name";
    return nullptr;
  }
  answer_.partition = static_cast<std::int32_t>(*partition);
  answer_.offset = *offset;
  return &answer_;
}

}  // namespace weir::audit
