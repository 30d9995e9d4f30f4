// A preparation as it stands in files: the members that prepared_model.h describes.
//
// Threads: pure functions. Errors: preparation_of() gives kBadData for what does not fit together
// and kUnsupported for kinds that this program does not know; it throws nlohmann's exceptions for
// members that are missing or of another kind.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.h"
#include "model/preparation.h"

namespace weir::model {

// ",\n  "inputs": […],\n  "missing_words": […],\n  "terms": […]": what follows a schema's members.
std::string preparation_members(const Preparation& preparation);

// From an object with "features", "target" and these.
Result<Preparation> preparation_of(const nlohmann::json& json);

}  // namespace weir::model
