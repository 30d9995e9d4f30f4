#include "trace/otlp_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace weir::trace {
namespace {

using Json = nlohmann::ordered_json;

// 64-bit integers are texts in protobuf's JSON.
Json value_json(const AttributeValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return {{"stringValue", *text}};
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    return {{"intValue", std::to_string(*whole)}};
  }
  if (const auto* number = std::get_if<double>(&value)) return {{"doubleValue", *number}};
  return {{"boolValue", std::get<bool>(value)}};
}

Json attribute_json(const std::string& key, const AttributeValue& value) {
  return {{"key", key}, {"value", value_json(value)}};
}

Json span_json(const Span& span) {
  Json json = {{"traceId", span.context.trace_id}, {"spanId", span.context.span_id}};
  if (!span.context.state.empty()) json["traceState"] = span.context.state;
  if (!span.parent_id.empty()) json["parentSpanId"] = span.parent_id;
  json["name"] = span.name;
  json["kind"] = static_cast<int>(span.kind);
  json["startTimeUnixNano"] = std::to_string(span.begin_ns);
  json["endTimeUnixNano"] = std::to_string(std::max(span.begin_ns, span.end_ns));
  json["attributes"] = Json::array();
  for (const auto& [key, value] : span.attributes) {
    json["attributes"].push_back(attribute_json(key, value));
  }
  json["status"] = Json::object();
  if (span.error) json["status"] = {{"message", *span.error}, {"code", 2}};
  return json;
}

}  // namespace

std::string otlp_json(const std::vector<std::pair<std::string, std::string>>& resource,
                      const std::vector<Span>& spans) {
  Json attributes = Json::array();
  for (const auto& [key, value] : resource) attributes.push_back(attribute_json(key, value));
  Json list = Json::array();
  for (const Span& span : spans) list.push_back(span_json(span));
  Json scope = {{"name", "weirkeeper"}, {"version", WEIR_VERSION}};
  Json of_scope = {{"scope", std::move(scope)}, {"spans", std::move(list)}};
  Json of_resource = {{"resource", {{"attributes", std::move(attributes)}}},
                      {"scopeSpans", Json::array({std::move(of_scope)})}};
  const Json body = {{"resourceSpans", Json::array({std::move(of_resource)})}};
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::uint64_t rejected_spans(std::string_view answer) {
  const auto json = nlohmann::json::parse(answer, nullptr, false);
  if (!json.is_object() || !json.contains("partialSuccess")) return 0;
  const auto& partial = json.at("partialSuccess");
  if (!partial.is_object() || !partial.contains("rejectedSpans")) return 0;
  const auto& rejected = partial.at("rejectedSpans");
  if (rejected.is_number_unsigned()) return rejected.get<std::uint64_t>();
  if (!rejected.is_string()) return 0;
  const std::string& text = rejected.get_ref<const std::string&>();
  const bool digits =
      !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == text.npos;
  return digits ? std::stoull(text) : 0;
}

}  // namespace weir::trace
