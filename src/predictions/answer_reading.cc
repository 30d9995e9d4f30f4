#include "predictions/answer_reading.h"

#include "base/text.h"
#include "format/prediction_message.h"

namespace weir::predictions {
namespace {

constexpr std::string_view kPrefix = "__connect.errors.";
constexpr std::string_view kRefusal = "weir.refusal.";
constexpr std::size_t kReasonBytesMax = 200;
constexpr std::size_t kMessageBytesMax = 2'000;

Answer answer_at(const stream::Record& record) {
  Answer answer;
  if (record.key) answer.id = std::string(*record.key);
  answer.at = {record.partition, record.offset};
  answer.answered_ms = record.timestamp_ms;
  return answer;
}

}  // namespace

Result<Answer> read_prediction(const stream::Record& record) {
  const record::Prediction prediction = WEIR_TRY(format::parse_prediction(record.value));
  Answer answer = answer_at(record);
  answer.of = {prediction.partition, prediction.offset};
  answer.model = prediction.model;
  answer.epoch = prediction.epoch;
  // The parser takes one spelling alone, so that the value stands between these two.
  constexpr std::string_view kBefore = "{\"prediction\": ";
  const std::string_view rest = record.value.substr(kBefore.size());
  answer.prediction = std::string(rest.substr(0, rest.find(", \"model\": ")));
  if (answer.of.partition < 0 || answer.of.offset < 0) {
    return fail(Code::kBadData, "a prediction of a place that cannot be");
  }
  return answer;
}

Result<Answer> read_dead_letter(const stream::RecordBatch& batch, std::size_t index,
                                std::string_view features_topic) {
  const stream::Headers headers = batch.headers(index);
  Answer answer = answer_at(batch.records()[index]);
  answer.dead = true;
  std::optional<std::int64_t> partition;
  std::optional<std::int64_t> offset;
  std::string_view topic;
  // The scorer's headers are the last, and begin with the topic; a record may bring some of these
  // names of its own, as it does where it was a dead letter before.
  for (std::size_t i = headers.size(); i-- > 0;) {
    const auto& [name, value] = headers[i];
    if (!name.starts_with(kPrefix)) {
      if (name.starts_with("weir.")) continue;
      break;
    }
    const std::string_view rest = std::string_view(name).substr(kPrefix.size());
    if (rest == "partition") partition = parse_int64(value);
    if (rest == "offset") offset = parse_int64(value);
    if (rest == "exception.message") answer.message = value.substr(0, kMessageBytesMax);
    if (rest == "exception.class.name") {
      const std::string_view reason = value;
      answer.reason = reason.substr(reason.starts_with(kRefusal) ? kRefusal.size() : 0)
                          .substr(0, kReasonBytesMax);
    }
    if (rest == "topic") {
      topic = value;
      break;
    }
  }
  if (!partition || !offset || *partition < 0 || *partition > INT32_MAX || *offset < 0 ||
      answer.reason.empty() || topic != features_topic) {
    return fail(Code::kBadData, "not a dead letter of a record of " + std::string(features_topic));
  }
  answer.of = {static_cast<std::int32_t>(*partition), *offset};
  return answer;
}

}  // namespace weir::predictions
