// The cache of predictions as the settings ask for it.
//
// Owner: a command. Threads: one. Errors: kBadConfig for a key file or an address of Redis that is
// none. Where this machine's own key cannot be made, predictions are not shared, with a warning.
#pragma once

#include <memory>

#include "base/clock.h"
#include "cache/prediction_cache.h"
#include "config/settings.h"
#include "redis/redis_client.h"

namespace weir::cli {

// Null where cache.enabled is off.
Result<std::unique_ptr<cache::PredictionCache>> open_prediction_cache(
    const config::Settings& settings, Clock& clock);

// How the Redis of the settings is reached.
Result<redis::ClientOptions> redis_client_options(const config::RedisSettings& settings);

}  // namespace weir::cli
