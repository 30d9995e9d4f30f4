#include "train/settings_in_manifest.h"

#include "model/model.h"

namespace weir::train {

void tell_settings(const TrainingOptions& options, registry::Manifest& manifest) {
  manifest.seed = options.seed;
  manifest.test_fraction = options.test_fraction;
  manifest.drop_columns = options.drop_columns;
  manifest.intercept = options.intercept;
  manifest.ridge = options.ridge;
  manifest.wanted_algorithm = options.algorithm;
  manifest.boosted = options.boosted;
  manifest.features = options.features;
}

// An imported model has the target that it was imported with.
bool has_settings_of(const registry::Manifest& manifest, const TrainingOptions& options) {
  return manifest.seed == options.seed && manifest.test_fraction == options.test_fraction &&
         (manifest.imported || manifest.schema.target == options.target) &&
         manifest.drop_columns == options.drop_columns && manifest.intercept == options.intercept &&
         manifest.wanted_algorithm == options.algorithm && manifest.features == options.features &&
         (options.algorithm == model::kLinear || manifest.boosted == options.boosted) &&
         (options.algorithm == model::kBoosted || manifest.ridge == options.ridge);
}

}  // namespace weir::train
