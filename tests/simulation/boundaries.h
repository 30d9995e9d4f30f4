// Where epochs meet, as the topics tell it: the notes of the swaps topic and the ends
// in the resumes against the answers. Part
// of checker.h.
#pragma once

#include <string>
#include <vector>

#include "simulation/world.h"

namespace weir::simulation {

// The lowest note of an epoch along a partition is the first record that the epoch answered there,
// it came with that answer, and each epoch that answered has one.
void check_swaps(World& world, std::vector<std::string>& problems);

// The ends that a resume tells of separate its epoch from those before it.
void check_output_ends(World& world, std::vector<std::string>& problems);

}  // namespace weir::simulation
