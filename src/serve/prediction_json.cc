#include "serve/prediction_json.h"

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "serve/json_depth.h"

namespace weir::serve {
namespace {

using Json = nlohmann::ordered_json;

// As JSON where it is some, else as the text that it is.
Json value_of(const std::string& text) {
  if (nested_too_deeply(text)) return text;
  Json value = Json::parse(text, nullptr, false);
  return value.is_discarded() ? Json(text) : value;
}

}  // namespace

std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string time_text(std::int64_t ms) { return format_time(WallTime(Millis(ms))); }

void add_answer(Json& json, const predictions::Answer& answer) {
  json["state"] = answer.dead ? "dead" : "predicted";
  if (answer.dead) {
    json["reason"] = answer.reason;
    json["message"] = answer.message;
  } else {
    json["prediction"] = value_of(answer.prediction);
    json["model"] = answer.model;
    json["epoch"] = answer.epoch;
  }
  json["answered_at"] = time_text(answer.answered_ms);
}

Json kept_json(const predictions::Kept& kept) {
  Json json = {{"id", nullptr},
               {"partition", kept.place.partition},
               {"offset", kept.place.offset},
               {"arrived_at", nullptr},
               {"features", nullptr},
               {"state", "waiting"}};
  if (kept.id) json["id"] = *kept.id;
  if (kept.arrived_ms) json["arrived_at"] = time_text(*kept.arrived_ms);
  if (kept.features) json["features"] = value_of(*kept.features);
  if (kept.answer) {
    add_answer(json, *kept.answer);
    json["answer"] = {{"partition", kept.answer->at.partition}, {"offset", kept.answer->at.offset}};
  }
  return json;
}

}  // namespace weir::serve
