#include "score/batch_scorer.h"

#include "format/dead_letter.h"
#include "format/prediction_message.h"

namespace weir::score {

BatchScorer::BatchScorer(OutputNames names, std::shared_ptr<const model::Model> model,
                         std::uint64_t version, std::uint64_t epoch)
    : names_(std::move(names)),
      model_(std::move(model)),
      version_(version),
      epoch_(epoch),
      parser_(model_->schema(), model_->inputs()) {
  prediction_.model = version;
  prediction_.epoch = epoch;
}

void BatchScorer::parse(std::span<const stream::Record> records) {
  rows_.clear();
  parsed_.clear();
  refusals_.clear();
  for (const stream::Record& record : records) {
    Parsed parsed;
    if (const auto features = parser_.parse(record.value, rows_)) {
      parsed.features = *features;
    } else {
      parsed.refused = true;
      parsed.refusal = refusals_.size();
      refusals_.push_back(parser_.refusal());
    }
    parsed_.push_back(parsed);
  }
}

Result<ScoreCounts> BatchScorer::score(const stream::RecordBatch& batch,
                                       stream::TransactionalSink& sink, RecordTraces* traces) {
  const auto records = batch.records();
  parse(records);
  values_.resize(rows_.size() / parser_.features());
  model_->predict(rows_, values_);
  ScoreCounts counts;
  const auto count_dead = [&] {
    ++counts.dead;
    if (traces) traces->dead();
  };
  const double* next = values_.data();
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Parsed& parsed = parsed_[i];
    const stream::Headers* carried = traces ? traces->begin(batch, i, version_, epoch_) : nullptr;
    const format::DeadLetterPlace place{names_.features_topic, records[i].partition,
                                        records[i].offset, names_.pipeline, names_.member};
    if (parsed.refused) {
      WEIR_TRY(send_dead_letter(
          batch, i, format::dead_letter_headers(place, refusals_[parsed.refusal]), sink));
      count_dead();
      continue;
    }
    prediction_.values.assign(next, next + parsed.features.count);
    next += parsed.features.count;
    prediction_.many = parsed.features.many;
    prediction_.partition = records[i].partition;
    prediction_.offset = records[i].offset;
    text_.clear();
    if (!format::append_prediction(text_, prediction_)) {
      WEIR_TRY(send_dead_letter(batch, i, format::dead_letter_headers_not_finite(place), sink));
      count_dead();
      continue;
    }
    const Status sent =
        sink.send({names_.predictions_topic, std::nullopt, records[i].key, text_, carried});
    if (!sent && sent.error().code() == Code::kInvalidArgument) {
      // One number of three bytes in may be one of twenty out, and it would be so at each try.
      WEIR_TRY(send_dead_letter(batch, i, format::dead_letter_headers_too_large(place), sink));
      count_dead();
      continue;
    }
    WEIR_TRY(sent);
    ++counts.scored;
  }
  return counts;
}

Status BatchScorer::send_dead_letter(const stream::RecordBatch& batch, std::size_t index,
                                     stream::Headers reasons, stream::TransactionalSink& sink) {
  const stream::Record& record = batch.records()[index];
  stream::Headers headers = batch.headers(index);
  headers.insert(headers.end(), reasons.begin(), reasons.end());
  const auto is_too_large = [](const Status& sent) {
    return !sent && sent.error().code() == Code::kInvalidArgument;
  };
  Status sent = sink.send({names_.dead_topic, std::nullopt, record.key, record.value, &headers,
                           record.value.data() == nullptr});
  if (!is_too_large(sent)) return sent;
  // With the reasons it is larger than the broker takes. The reasons go without the record, which
  // can be read where they say it stands.
  headers.emplace_back("weir.value.left.out", "the record with its reasons is too large");
  sent = sink.send({names_.dead_topic, std::nullopt, record.key, {}, &headers, true});
  if (!is_too_large(sent)) return sent;
  reasons.emplace_back("weir.record.left.out", "its key and headers are too large, too");
  return sink.send({names_.dead_topic, std::nullopt, std::nullopt, {}, &reasons, true});
}

}  // namespace weir::score
