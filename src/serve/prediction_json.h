// Kept records and answers as the JSON that the gateway gives of them.
//
// Threads: pure functions. Errors: none.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "predictions/prediction_store.h"

namespace weir::serve {

// {"id", "partition", "offset", "arrived_at", "features", "state", …} and the answer's members.
nlohmann::ordered_json kept_json(const predictions::Kept& kept);
// state, and prediction, model, epoch, or reason and message; answered_at.
void add_answer(nlohmann::ordered_json& json, const predictions::Answer& answer);
std::string to_text(const nlohmann::ordered_json& json);
std::string time_text(std::int64_t ms);

}  // namespace weir::serve
