// Put before cli/context.cc by the compiler's -include: what it calls KafkaBroker is the sabotaged
// one.
#pragma once

#include "sabotaged_broker.h"

#define KafkaBroker SabotagedBroker
