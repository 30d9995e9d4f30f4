// What is known of one model version, for people: its manifest, its equation, and the offsets that
// it has answered.
//
// Owner: a command. Threads: one. Errors: read_reigns gives those of Kafka; the rest print.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/context.h"
#include "record/reigns.h"
#include "registry/model_registry.h"

namespace weir::cli {

// The reigns of a version: the control log and the swaps topic, read to their ends.
Result<std::vector<record::Reign>> read_reigns(Context& context, std::uint64_t version);

// "boston.ubj, written by XGBoost 2.1.4, sha256 57c8f985f4f9…", for people.
std::string origin_text(const registry::ModelOrigin& origin);

// "medv = 36.4 - 0.108 crim + 0.0464 zn …" over as many lines as it takes.
void print_equation(const registry::LoadedModel& loaded);

// `reigns` is empty where Kafka was away.
void print_model_page(const registry::LoadedModel& loaded, const std::string& url,
                      const std::optional<std::vector<record::Reign>>& reigns);

// The same as one JSON object: the manifest, and "model", and "reigns" (null where Kafka was away).
std::string model_page_json(const registry::LoadedModel& loaded,
                            const std::optional<std::vector<record::Reign>>& reigns);

}  // namespace weir::cli
