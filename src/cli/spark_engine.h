// Spark as the engine of a training: submits spark/job.py, watches it, and takes the state that it
// leaves.
//
// The job runs as a child process, with its files in a folder of its own; both are gone when
// read_splits() returns, however it does, and the job ends with this process, too.
//
// Owner: cli. Threads: those of SplitEngine. Errors: those of SplitEngine, with the last of what
// Spark said.
#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "config/load_settings.h"
#include "config/settings.h"
#include "train/split_engine.h"

namespace weir::cli {

class SparkEngine final : public train::SplitEngine {
 public:
  // kBadConfig where spark.submit or spark.program is no program.
  static Result<std::unique_ptr<SparkEngine>> make(const config::Settings& settings,
                                                   const config::Environment& environment);

  Result<std::string> read_splits(const std::vector<std::string>& lines,
                                  const train::SplitProgress& progress) override;

 private:
  SparkEngine(config::SparkSettings settings, config::Environment environment)
      : settings_(std::move(settings)), environment_(std::move(environment)) {}
  std::vector<std::string> command(const std::string& folder) const;
  std::vector<std::string> variables(const std::string& folder) const;

  config::SparkSettings settings_;
  config::Environment environment_;  // of the job
};

}  // namespace weir::cli
