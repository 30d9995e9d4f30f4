#include "trace/otel_options.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace weir::trace {
namespace {

using Environment = std::map<std::string, std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

// An empty variable is one that is not there.
std::string value_of(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

// OTEL_EXPORTER_OTLP_TRACES_X before OTEL_EXPORTER_OTLP_X.
std::pair<std::string, std::string> exporter_value(const Environment& environment,
                                                   const std::string& name) {
  for (const char* prefix : {"OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"}) {
    const std::string value = value_of(environment, prefix + name);
    if (!value.empty()) return {prefix + name, value};
  }
  return {"", ""};
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    int byte = 0;
    if (i + 2 >= text.size()) return std::nullopt;
    const auto parsed = std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
    if (parsed.ptr != text.data() + i + 3) return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

// "api-key=a%20b,other=c"
Result<Pairs> read_pairs(const std::string& variable, std::string_view text) {
  Pairs pairs;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view one = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (one.empty()) continue;
    const std::size_t equals = one.find('=');
    const auto bad =
        fail(Code::kBadConfig, variable + ": entry " + std::to_string(pairs.size() + 1) +
                                   " is not NAME=VALUE with a percent-encoded value");
    if (equals == one.npos) return bad;
    const auto name = percent_decoded(trimmed(one.substr(0, equals)));
    const auto value = percent_decoded(trimmed(one.substr(equals + 1)));
    if (!name || name->empty() || !value) return bad;
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
    if (std::any_of(name->begin(), name->end(), is_control) ||
        std::any_of(value->begin(), value->end(), is_control)) {
      return bad;
    }
    pairs.emplace_back(*name, *value);
  }
  return pairs;
}

Result<std::int64_t> read_number(const Environment& environment, const std::string& variable,
                                 std::int64_t otherwise, std::int64_t max) {
  const std::string text = value_of(environment, variable);
  if (text.empty()) return otherwise;
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || number < 1 ||
      number > max) {
    return fail(Code::kBadConfig, variable + "=" + one_line(text.substr(0, 80)) +
                                      " is no whole number from 1 to " + std::to_string(max));
  }
  return number;
}

Result<std::string> read_url(const Environment& environment) {
  std::string variable = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
  std::string url = value_of(environment, variable);
  if (url.empty()) {
    variable = "OTEL_EXPORTER_OTLP_ENDPOINT";
    url = value_of(environment, variable);
    if (!url.empty()) url += (url.ends_with('/') ? "v1/traces" : "/v1/traces");
  }
  if (url.empty() || ((url.starts_with("http://") || url.starts_with("https://")) &&
                      url.find_first_of(" \t\r\n") == url.npos)) {
    return url;
  }
  return fail(Code::kBadConfig, variable +
                                    " is no http or https URL; write one such as "
                                    "http://127.0.0.1:4318");
}

Sampler read_sampler(const Environment& environment, std::vector<std::string>& warnings) {
  Sampler sampler;
  std::string name = value_of(environment, "OTEL_TRACES_SAMPLER");
  if (name.empty()) return sampler;
  sampler.by_parent = name.starts_with("parentbased_");
  if (sampler.by_parent) name.erase(0, std::string("parentbased_").size());
  if (name == "always_off") {
    sampler.root = Root::kNever;
  } else if (name == "traceidratio") {
    sampler.root = Root::kRatio;
    const std::string text = value_of(environment, "OTEL_TRACES_SAMPLER_ARG");
    double ratio = 1;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), ratio);
    const bool good = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() &&
                      ratio >= 0 && ratio <= 1;
    if (good) sampler.ratio = ratio;
    if (!good && !text.empty()) {
      warnings.push_back("OTEL_TRACES_SAMPLER_ARG is no number from 0 to 1; all is sampled");
    }
  } else if (name != "always_on") {
    warnings.push_back(
        "OTEL_TRACES_SAMPLER is none that is known; it is taken for "
        "parentbased_always_on");
    sampler = {};
  }
  return sampler;
}

// Why traces are not exported though there is an endpoint; empty where they are.
std::string why_not(const Environment& environment) {
  std::string disabled = value_of(environment, "OTEL_SDK_DISABLED");
  std::transform(disabled.begin(), disabled.end(), disabled.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (disabled == "true") return "OTEL_SDK_DISABLED is true";
  const std::string exporter = value_of(environment, "OTEL_TRACES_EXPORTER");
  if (!exporter.empty() && exporter != "otlp") {
    return "OTEL_TRACES_EXPORTER is " + one_line(exporter.substr(0, 80)) + ", not otlp";
  }
  // A collector takes JSON where it takes protobuf; gRPC is another port.
  const auto [variable, protocol] = exporter_value(environment, "PROTOCOL");
  if (protocol.empty() || protocol == "http/json" || protocol == "http/protobuf") return "";
  return variable + " is " + one_line(protocol.substr(0, 80)) +
         "; traces are exported as http/json alone";
}

}  // namespace

bool Sampler::samples(const std::string& trace_id, std::optional<bool> parent_sampled) const {
  if (by_parent && parent_sampled) return *parent_sampled;
  if (root != Root::kRatio) return root == Root::kAlways;
  if (ratio >= 1) return true;
  // The lower 63 bits of the id, as other programs go by, so that all decide alike.
  std::uint64_t low = 0;
  std::from_chars(trace_id.data() + 16, trace_id.data() + 32, low, 16);
  return static_cast<double>(low >> 1) < ratio * 9223372036854775808.0;
}

Result<OtelOptions> otel_options(const std::map<std::string, std::string>& environment) {
  OtelOptions options;
  const std::string url = WEIR_TRY(read_url(environment));
  if (url.empty()) return options;
  if (const std::string why = why_not(environment); !why.empty()) {
    options.warnings.push_back("traces are not exported: " + why);
    return options;
  }
  const auto [headers_variable, headers] = exporter_value(environment, "HEADERS");
  options.headers = WEIR_TRY(read_pairs(headers_variable, headers));
  options.certificate = exporter_value(environment, "CERTIFICATE").second;
  const std::string timeout = exporter_value(environment, "TIMEOUT").first;
  options.timeout = Millis{WEIR_TRY(read_number(environment, timeout, 10'000, 600'000))};
  options.sampler = read_sampler(environment, options.warnings);
  options.resource = WEIR_TRY(
      read_pairs("OTEL_RESOURCE_ATTRIBUTES", value_of(environment, "OTEL_RESOURCE_ATTRIBUTES")));
  const std::string service = value_of(environment, "OTEL_SERVICE_NAME");
  const auto named = std::find_if(options.resource.begin(), options.resource.end(),
                                  [](const auto& one) { return one.first == "service.name"; });
  if (named == options.resource.end()) {
    options.resource.insert(options.resource.begin(),
                            {"service.name", service.empty() ? "weir" : service});
  } else if (!service.empty()) {
    named->second = service;
  }
  options.queue_spans_max = static_cast<std::size_t>(
      WEIR_TRY(read_number(environment, "OTEL_BSP_MAX_QUEUE_SIZE", 2'048, 1'000'000)));
  options.batch_spans_max = static_cast<std::size_t>(
      WEIR_TRY(read_number(environment, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, 10'000)));
  options.delay =
      Millis{WEIR_TRY(read_number(environment, "OTEL_BSP_SCHEDULE_DELAY", 5'000, 600'000))};
  options.url = url;
  return options;
}

std::string shown_url(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t scheme = url.find("://");
  const std::size_t host = scheme == url.npos ? 0 : scheme + 3;
  const std::size_t slash = std::min(url.find('/', host), url.size());
  const std::size_t at = url.substr(0, slash).rfind('@');
  const std::size_t from = at == url.npos || at < host ? host : at + 1;
  return std::string(url.substr(0, host)) + std::string(url.substr(from));
}

}  // namespace weir::trace
