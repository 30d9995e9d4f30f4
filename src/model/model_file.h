// What the files of all kinds of model have in common: how they begin, how they are sealed, and
// what is refused before anything is made of them.
//
//   {
//     "format": "weirkeeper-model",
//     "format_version": 1,
//     "algorithm": "…",
//     "target": "…",
//     "features": ["…","…"],
//     "schema_sha256": "…",
//     …what the algorithm has to say…,
//     "sha256": "…"                   of all bytes before the comma that precedes it
//   }
//
// There is one way to write a model down: a reader makes the model, writes it again, and refuses a
// text that differs in one byte. Threads: pure functions. Errors: as parse_model().
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "model/model.h"
#include "record/schema.h"

namespace weir::model {

// What a text may hold at most; a parser would build any depth and any number of values in memory.
struct FileLimits {
  int depth_max;
  std::size_t commas_max;
};

// Throws what nlohmann-json does where the text is no UTF-8.
std::string quoted(const std::string& text);
bool is_utf8(const std::string& text);

// kBadData: names that are empty, repeated or no UTF-8, no features or more than a model has.
Status check_names(const record::Schema& schema);

// The members up to "schema_sha256", and the whole text made of them and what follows.
std::string file_head(std::string_view algorithm, const record::Schema& schema);
std::string sealed_file(std::string body);

// True where a text begins as file_head() has it for this algorithm. (All that is certain of it.)
bool begins_as_file_of(std::string_view algorithm, std::string_view text);

// True where a text begins as file_head() has it, of whatever version and algorithm.
bool begins_as_model_file(std::string_view text);

// The document, its members "format", "format_version" and "algorithm" being in order.
Result<nlohmann::json> parse_envelope(std::string_view text, const FileLimits& limits);

// "features" and "target"; throws what nlohmann-json does where they are of another kind.
record::Schema schema_of_file(const nlohmann::json& json);

// kCorrupt where the text is not the one that this model, made of the document in it, is written
// as.
Status check_as_written(const Model& model, const nlohmann::json& json, std::string_view text);

template <typename Range, typename Write>
std::string json_array(const Range& range, Write write) {
  std::string text = "[";
  for (const auto& element : range) {
    if (text.size() > 1) text += ',';
    text += write(element);
  }
  return text + ']';
}

}  // namespace weir::model
