#include "record/cache_state.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "record/json_number.h"

namespace weir::record {
namespace {

using Json = nlohmann::json;

double number_at(const Json& json, const char* name) {
  const double value = json.value(name, 0.0);
  return std::isfinite(value) ? value : 0;
}

nlohmann::ordered_json or_null(const std::string& text) {
  return text.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(text);
}

std::string text_at(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

double CacheState::hit_rate() const {
  const auto hits = static_cast<double>(hits_local + hits_shared);
  const double looked_up = hits + static_cast<double>(misses);
  return looked_up > 0 ? hits / looked_up : 0;
}

nlohmann::ordered_json to_json(const CacheState& state) {
  return {{"model", state.model},
          {"entries", state.entries},
          {"bytes", state.bytes},
          {"hits", {{"local", state.hits_local}, {"redis", state.hits_shared}}},
          {"misses", state.misses},
          {"bypassed", state.bypassed},
          {"hit_rate", state.hit_rate()},
          {"saved_seconds", state.saved_seconds},
          {"recomputed", state.recomputed},
          {"mismatches", state.mismatches},
          {"prediction_ns", state.prediction_ns},
          {"lookup_ns", state.lookup_ns},
          {"bypass", state.bypass},
          {"bypass_reason", or_null(state.bypass_reason)},
          {"redis",
           {{"used", state.shared.used},
            {"why_not", or_null(state.shared.why_not)},
            {"bypass", state.shared.bypass},
            {"bypass_reason", or_null(state.shared.bypass_reason)},
            {"asked", state.shared.asked},
            {"refused", state.shared.refused},
            {"failures", state.shared.failures},
            {"written", state.shared.written},
            {"not_written", state.shared.not_written}}}};
}

CacheState cache_state_from(const Json& json) {
  CacheState state;
  state.model = unsigned_or_0(json, "model");
  state.entries = unsigned_or_0(json, "entries");
  state.bytes = unsigned_or_0(json, "bytes");
  const Json& hits = json.at("hits");
  state.hits_local = unsigned_or_0(hits, "local");
  state.hits_shared = unsigned_or_0(hits, "redis");
  state.misses = unsigned_or_0(json, "misses");
  state.bypassed = unsigned_or_0(json, "bypassed");
  state.saved_seconds = number_at(json, "saved_seconds");
  state.recomputed = unsigned_or_0(json, "recomputed");
  state.mismatches = unsigned_or_0(json, "mismatches");
  state.prediction_ns = number_at(json, "prediction_ns");
  state.lookup_ns = number_at(json, "lookup_ns");
  state.bypass = json.value("bypass", false);
  state.bypass_reason = text_at(json, "bypass_reason");
  const Json& redis = json.at("redis");
  state.shared.used = redis.value("used", false);
  state.shared.why_not = text_at(redis, "why_not");
  state.shared.bypass = redis.value("bypass", false);
  state.shared.bypass_reason = text_at(redis, "bypass_reason");
  state.shared.asked = unsigned_or_0(redis, "asked");
  state.shared.refused = unsigned_or_0(redis, "refused");
  state.shared.failures = unsigned_or_0(redis, "failures");
  state.shared.written = unsigned_or_0(redis, "written");
  state.shared.not_written = unsigned_or_0(redis, "not_written");
  return state;
}

}  // namespace weir::record
