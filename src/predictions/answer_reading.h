// A record of the predictions or of the dead letter topic, as an Answer.
//
// Threads: pure functions. Errors: kBadData where it is not what a scorer of this pipeline writes;
// another hand may have written it.
#pragma once

#include "base/error.h"
#include "predictions/prediction_store.h"
#include "stream/records.h"

namespace weir::predictions {

Result<Answer> read_prediction(const stream::Record& record);
// `features_topic`: letters about records of other topics are refused.
Result<Answer> read_dead_letter(const stream::RecordBatch& batch, std::size_t index,
                                std::string_view features_topic);

}  // namespace weir::predictions
