// Every setting in force with its value and where it came from, for `weir config show`.
//
// Threads: pure functions. Errors: none. Secrets never come out: see is_secret().
#pragma once

#include <string>
#include <vector>

#include "config/load_settings.h"

namespace weir::config {

struct ShownSetting {
  std::string name;    // "kafka.sasl.password"
  std::string value;   // as text; "********" for a secret
  std::string origin;  // "default", "weir.yaml:4", "env WEIR_DATASET_SEED", "command line"
  bool secret = false;

  bool operator==(const ShownSetting&) const = default;
};

// In the table's order; all Kafka properties that are set stand together.
std::vector<ShownSetting> shown_settings(const LoadedSettings& loaded);

// The same as a weir.yaml with the origins as comments: loaded again it gives the same settings,
// secrets aside.
std::string settings_as_yaml(const LoadedSettings& loaded);

}  // namespace weir::config
