// Judges a run by the promises of docs/promises.md, from what is in the topics and on the store,
// and from the journal for what came before what. It shares no code with what it judges but for
// JSON and the fold of the control log: predictions are computed anew from the text of model.json.
//
// Threads: one. Errors: each broken promise is a sentence in the list; an empty list is a good run.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "simulation/world.h"

namespace weir::simulation {

// What holds at any moment: each data set in one place, each version whole.
class Invariants {
 public:
  explicit Invariants(World& world) : world_(world) {}
  std::vector<std::string> check();

 private:
  void check_datasets(std::vector<std::string>& problems);
  void check_models(std::vector<std::string>& problems);

  World& world_;
  std::set<std::string> verified_;  // versions seen whole, by name and file ids
};

// What holds once a run has settled, its own problems included.
std::vector<std::string> check_settled(World& world);

}  // namespace weir::simulation
