#include "format/feature_message.h"

#include <simdjson.h>

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "format/feature_reader.h"

namespace weir::format {
namespace {

bool plain_in_json(std::string_view text) {
  return simdjson::validate_utf8(text) && std::none_of(text.begin(), text.end(), [](char c) {
           return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
         });
}

}  // namespace

FeatureParser::FeatureParser(const record::Schema& schema, FeatureParserOptions options)
    : options_(options), names_(schema.features.size()), by_name_(names_.size()) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    Name& name = names_[i];
    name.text = schema.features[i];
    if (!plain_in_json(name.text)) continue;
    name.token.expect('"' + name.text + "\":");
  }
  std::iota(by_name_.begin(), by_name_.end(), 0U);
  std::sort(by_name_.begin(), by_name_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return names_[a].text < names_[b].text; });
  successor_.resize(names_.size() + 1);
  std::iota(successor_.begin(), successor_.end(), 0U);
  seen_.resize(names_.size());
  column_begin_.resize(names_.size());
}

FeatureParser::FeatureParser(const record::Schema& schema, const record::Inputs& inputs,
                             FeatureParserOptions options)
    : FeatureParser(schema, options) {
  if (inputs.plain()) return;
  WEIR_CHECK(inputs.columns.size() == names_.size());
  encoder_ = std::make_unique<const CellEncoder>(inputs);
}

std::optional<ParsedFeatures> FeatureParser::parse(std::string_view message,
                                                   std::vector<double>& rows) {
  if (message.empty()) {
    refusal_ = {FeatureRefusalKind::kTombstone, "the message has no value"};
    return std::nullopt;
  }
  if (message.size() > options_.message_bytes_max) {
    refusal_ = {FeatureRefusalKind::kTooLong, "the message has " + std::to_string(message.size()) +
                                                  " bytes, more than " +
                                                  std::to_string(options_.message_bytes_max)};
    return std::nullopt;
  }
  return Reader(*this, message, rows).read();
}

}  // namespace weir::format
