#include "model/model_file.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/sha256.h"
#include "base/text.h"
#include "model/boosted_model.h"
#include "model/linear_model.h"
#include "model/model.h"
#include "model/prepared_model.h"

namespace weir::model {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kFormat = "weirkeeper-model";
constexpr std::uint64_t kFormatVersion = 1;

bool too_deep_or_wide(std::string_view json, const FileLimits& limits) {
  int depth = 0;
  std::size_t commas = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > limits.depth_max) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',') {
      if (++commas > limits.commas_max) return true;
    }
  }
  return false;
}

std::string first_line() { return "{\n  \"format\": " + quoted(std::string(kFormat)) + ","; }

std::string first_lines(std::string_view algorithm) {
  return first_line() + "\n  \"format_version\": " + std::to_string(kFormatVersion) +
         ",\n  \"algorithm\": " + quoted(std::string(algorithm));
}

}  // namespace

const record::Inputs& Model::inputs() const {
  static const record::Inputs numbers;
  return numbers;
}

std::string quoted(const std::string& text) { return Json(text).dump(); }

bool is_utf8(const std::string& text) {
  try {
    quoted(text);
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

Status check_names(const record::Schema& schema) {
  std::set<std::string_view> names;
  const auto check = [&](const std::string& name) -> Status {
    if (name.empty()) return fail(Code::kBadData, "a column has no name");
    if (!is_utf8(name)) return fail(Code::kBadData, "column '" + name + "' is not named in UTF-8");
    if (!names.insert(name).second) {
      return fail(Code::kBadData, "two columns have the name '" + name + "'");
    }
    return {};
  };
  if (schema.features.empty()) return fail(Code::kBadData, "there are no features");
  if (schema.features.size() >= kColumnsMax) {
    return fail(Code::kBadData, "there are " + std::to_string(schema.features.size()) +
                                    " features; a model has less than " +
                                    std::to_string(kColumnsMax));
  }
  for (const std::string& feature : schema.features) {
    if (auto status = check(feature); !status) return status;
  }
  return check(schema.target);
}

std::string file_head(std::string_view algorithm, const record::Schema& schema) {
  std::string text = first_lines(algorithm);
  text += ",\n  \"target\": " + quoted(schema.target);
  text += ",\n  \"features\": " + json_array(schema.features, quoted);
  text += ",\n  \"schema_sha256\": " + quoted(schema.hash());
  return text;
}

std::string sealed_file(std::string body) {
  const std::string seal = sha256_hex(body);
  return std::move(body) + ",\n  \"sha256\": " + quoted(seal) + "\n}\n";
}

bool begins_as_file_of(std::string_view algorithm, std::string_view text) {
  return text.starts_with(first_lines(algorithm));
}

bool begins_as_model_file(std::string_view text) { return text.starts_with(first_line()); }

Result<Json> parse_envelope(std::string_view text, const FileLimits& limits) {
  if (text.size() > kModelBytesMax) {
    return fail(Code::kCorrupt, "a model of " + format_bytes(text.size()) +
                                    " is over the limit of " + format_bytes(kModelBytesMax));
  }
  if (too_deep_or_wide(text, limits)) {
    return fail(Code::kCorrupt, "the JSON is deeper or has more values than a model's");
  }
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(Code::kCorrupt, "the model is no whole JSON object");
  if (json.value("format", Json()) != kFormat) {
    return fail(Code::kCorrupt, "the JSON is not that of a model: \"format\" is not \"" +
                                    std::string(kFormat) + '"');
  }
  const Json version = json.value("format_version", Json());
  if (!version.is_number_unsigned() || version == 0) {
    return fail(Code::kCorrupt, "\"format_version\" is no positive whole number");
  }
  if (version > kFormatVersion) {
    return fail(Code::kUnsupported, "the model has format version " + version.dump() +
                                        "; this program knows versions up to " +
                                        std::to_string(kFormatVersion));
  }
  if (!json.value("algorithm", Json()).is_string()) {
    return fail(Code::kCorrupt, "\"algorithm\" is no text");
  }
  return json;
}

record::Schema schema_of_file(const Json& json) {
  return {json.at("features").get<std::vector<std::string>>(),
          json.at("target").get<std::string>()};
}

// Whatever is in the text beside, be it one byte, was not written by this program.
Status check_as_written(const Model& model, const Json& json, std::string_view text) {
  if (json.at("schema_sha256") != model.schema().hash()) {
    return fail(Code::kCorrupt, "\"schema_sha256\" does not fit the names of the columns");
  }
  if (model.to_json() != text) {
    return fail(Code::kCorrupt, "the model is not as it was written: its sha256 does not fit");
  }
  return {};
}

// Whatever does not begin as a boosted model does is held to the linear one's limits, and named as
// unsupported there if it is neither.
Result<std::unique_ptr<Model>> parse_model(std::string_view text) {
  if (begins_as_file_of(kPrepared, text)) return parse_prepared_model(text);
  if (begins_as_file_of(kBoosted, text)) {
    BoostedModel model = WEIR_TRY(parse_boosted_model(text));
    return std::make_unique<BoostedModel>(std::move(model));
  }
  LinearModel model = WEIR_TRY(parse_linear_model(text));
  return std::make_unique<LinearModel>(std::move(model));
}

}  // namespace weir::model
