#include "config/cache_settings.h"

#include "config/setting_kinds.h"

// A setting's name is its member's path, so that the two cannot part.
#define WEIR_AT(member) \
#member, [](auto& s) -> auto& { return s.member; }

namespace weir::config {

using namespace std::chrono_literals;

void add_cache(std::vector<Setting>& table) {
  table.insert(
      table.end(),
      {choice<bool>(WEIR_AT(cache.enabled), {{"auto", true}, {"off", false}},
                    "Whether scorers and gateways keep predictions so as not to make them again: "
                    "where that pays, which is measured for each model, or never."),
       size(WEIR_AT(cache.memory), 1'000'000, 1'000'000'000'000,
            "How much memory of a process predictions may take, of all models together."),
       flag(WEIR_AT(cache.redis),
            "Whether processes share predictions in Redis, too, where redis.url names one."),
       text(WEIR_AT(cache.key_file), bytes_rule(0, 4000), "/etc/weir/cache.key",
            "The local file with the secret, 32 bytes or more, by which a process knows "
            "predictions in Redis to be from one that has the same; empty is one that this "
            "machine's processes make for themselves in serve.state_dir."),
       duration(WEIR_AT(cache.ttl), 1s, 30 * 24h, "How long a prediction stays in Redis."),
       duration(WEIR_AT(cache.redis_timeout), 1ms, 1s,
                "How long one batch of records, or one request, waits for predictions from Redis "
                "at most, before they are made.")});
}

}  // namespace weir::config
