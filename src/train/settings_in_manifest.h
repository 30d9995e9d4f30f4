// Which of the settings a model was made under: told in its manifest, and asked of it again. The
// one place that lists them.
//
// Threads: pure functions. Errors: none.
#pragma once

#include "registry/manifest.h"
#include "train/training_options.h"

namespace weir::train {

void tell_settings(const TrainingOptions& options, registry::Manifest& manifest);

// Whether the model would come out the same under these settings, as far as the manifest tells. The
// settings of a kind of model that is not wanted do not count.
bool has_settings_of(const registry::Manifest& manifest, const TrainingOptions& options);

}  // namespace weir::train
