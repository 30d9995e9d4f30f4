// A prediction or a dead letter, read as the documents say that it is written.
//
// Threads: a reader belongs to one. Errors: nullopt, and fault() says what is wrong.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/records.h"

namespace weir::audit {

struct Answer {
  bool dead = false;
  std::int32_t partition = 0;  // of the feature record
  std::int64_t offset = 0;
  // Of a prediction:
  std::uint64_t model = 0;
  std::uint64_t epoch = 0;
  std::vector<double> values;
  bool many = false;
  // Of a dead letter:
  std::string topic;
  std::string reason;          // "weir.refusal.not_json"
  std::size_t reasons_at = 0;  // headers before this one are the record's own
  stream::Headers headers;
  bool value_left_out = false;   // it would have been larger than a broker takes
  bool record_left_out = false;  // with its key and its own headers
};

class AnswerReader {
 public:
  AnswerReader();
  ~AnswerReader();
  // Good until the next call.
  const Answer* read_prediction(std::string_view value);
  const Answer* read_dead_letter(const stream::RecordBatch& batch, std::size_t index);
  const std::string& fault() const { return fault_; }

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  Answer answer_;
  std::string fault_;
};

}  // namespace weir::audit
