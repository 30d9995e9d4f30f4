// One random run: everything that happens in it follows from the seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulation/sabotage.h"

namespace weir::simulation {

struct RunResult {
  std::vector<std::string> problems;
  // What came of it, to see that the runs are not idle.
  std::uint64_t epochs = 0;
  std::uint64_t models = 0;
  std::uint64_t answers = 0;
  int crashes = 0;
  int fences = 0;
};
RunResult random_run(std::uint64_t seed, Sabotage sabotage = Sabotage::kNone);

}  // namespace weir::simulation
