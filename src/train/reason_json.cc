#include "train/reason_json.h"

#include <nlohmann/json.hpp>

namespace weir::train {

std::string reason_json(const record::ControlRecord& begun, record::Outcome outcome,
                        const std::string& reason, const std::string& at) {
  nlohmann::ordered_json json;
  json["file"] = begun.dataset ? begun.dataset->path : "";
  json["epoch"] = begun.epoch;
  json["outcome"] = record::outcome_name(outcome);
  json["reason"] = reason;
  json["at"] = at;
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace weir::train
