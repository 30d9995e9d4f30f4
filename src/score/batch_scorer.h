// Scores a batch of feature records with one model: each record becomes one prediction or one dead
// letter, in order. A prediction that is larger than the broker takes becomes a dead letter; a dead
// letter that is too large goes without the record's value, then without its key and headers.
//
// Owner: the scorer, one per model in force. Threads: one. Errors: those of the sink; input never
// makes one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "format/feature_message.h"
#include "model/model.h"
#include "record/prediction.h"
#include "score/record_traces.h"
#include "stream/records.h"
#include "stream/transactional_sink.h"

namespace weir::score {

struct OutputNames {
  std::string pipeline;
  std::string features_topic;
  std::string predictions_topic;
  std::string dead_topic;
  std::string member;  // who scores, for the dead letters' headers
};

struct ScoreCounts {
  std::uint64_t scored = 0;  // feature records that became a prediction
  std::uint64_t dead = 0;
};

class BatchScorer {
 public:
  BatchScorer(OutputNames names, std::shared_ptr<const model::Model> model, std::uint64_t version,
              std::uint64_t epoch);

  // Sends what the records become; the transaction is the caller's. `traces`: of the records, to
  // be carried on; null where they are not.
  Result<ScoreCounts> score(const stream::RecordBatch& batch, stream::TransactionalSink& sink,
                            RecordTraces* traces = nullptr);

  std::uint64_t version() const { return version_; }
  std::uint64_t epoch() const { return epoch_; }

 private:
  struct Parsed {
    format::ParsedFeatures features;
    bool refused = false;
    std::size_t refusal = 0;  // index into refusals_
  };
  void parse(std::span<const stream::Record> records);
  Status send_dead_letter(const stream::RecordBatch& batch, std::size_t index,
                          stream::Headers reasons, stream::TransactionalSink& sink);

  const OutputNames names_;
  const std::shared_ptr<const model::Model> model_;
  const std::uint64_t version_;
  const std::uint64_t epoch_;
  format::FeatureParser parser_;

  // Scratch of one score(), kept for its memory.
  std::vector<double> rows_;
  std::vector<double> values_;
  std::vector<Parsed> parsed_;
  std::vector<format::FeatureRefusal> refusals_;
  std::string text_;
  record::Prediction prediction_;
};

}  // namespace weir::score
