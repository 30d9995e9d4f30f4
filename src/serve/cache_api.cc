#include "serve/cache_api.h"

#include <nlohmann/json.hpp>

#include "cache/prediction_cache.h"
#include "serve/prediction_json.h"
#include "serve/problem.h"

namespace weir::serve {
namespace {

using Json = nlohmann::ordered_json;

Labels labels_of(const CacheUser& user) { return {{"member", user.member}, {"role", user.role}}; }

}  // namespace

std::vector<CacheUser> cache_users(const Parts& parts) {
  std::vector<CacheUser> users;
  if (parts.cache) users.push_back({parts.self, "gateway", parts.cache->state()});
  const auto view = parts.live.view();
  if (!view) return users;
  for (const auto& member : view->status.members) {
    const auto& cache = member.latest.progress.cache;
    if (cache && !member.silent) {
      users.push_back({member.latest.member, member.latest.role, *cache});
    }
  }
  return users;
}

void CacheApi::add_routes(Router& router) {
  router.add({"GET", "/v1/cache", Permission::kRead, Where::kAtOnce, 0, false,
              [this](Call, http::Reply reply) { reply.send(answer()); }});
}

http::Response CacheApi::answer() const {
  Json json = {{"pipeline", parts_.pipeline}, {"enabled", parts_.cache != nullptr}};
  json["processes"] = Json::array();
  for (const CacheUser& user : cache_users(parts_)) {
    Json one = {{"member", user.member}, {"role", user.role}};
    one.update(record::to_json(user.state));
    json["processes"].push_back(std::move(one));
  }
  return json_response(to_text(json));
}

void add_cache_metrics(MetricsPage& page, const std::vector<CacheUser>& users) {
  if (users.empty()) return;
  using State = record::CacheState;
  page.begin_counter("weir_cache_rows_total",
                     "Rows by where their predictions came from: memory, redis, predicted after a "
                     "look (miss), or without one (bypassed).");
  for (const CacheUser& user : users) {
    const auto outcome = [&](const char* name, std::uint64_t rows) {
      Labels labels = labels_of(user);
      labels.emplace_back("outcome", name);
      page.sample(static_cast<double>(rows), labels);
    };
    outcome("memory", user.state.hits_local);
    outcome("redis", user.state.hits_shared);
    outcome("miss", user.state.misses);
    outcome("bypassed", user.state.bypassed);
  }
  const auto each = [&](auto begin, const char* name, const char* help, auto value_of) {
    (page.*begin)(name, help);
    for (const CacheUser& user : users) {
      page.sample(static_cast<double>(value_of(user.state)), labels_of(user));
    }
  };
  const auto gauge = &MetricsPage::begin_gauge;
  const auto counter = &MetricsPage::begin_counter;
  each(gauge, "weir_cache_entries", "Predictions of the model at work that are in memory.",
       [](const State& s) { return s.entries; });
  each(gauge, "weir_cache_bytes", "The memory that they take.",
       [](const State& s) { return s.bytes; });
  each(gauge, "weir_cache_bypass", "1 where the cache is gone round ('/v1/cache' says why).",
       [](const State& s) { return s.bypass ? 1 : 0; });
  each(gauge, "weir_cache_saved_seconds",
       "What was found would have cost, less what looking has cost, so far; below 0 where it did "
       "not pay.",
       [](const State& s) { return s.saved_seconds; });
  each(counter, "weir_cache_recomputed_total", "Predictions found that were checked.",
       [](const State& s) { return s.recomputed; });
  each(counter, "weir_cache_mismatches_total",
       "Of those, the ones that were not what the model says; then the cache is out of use.",
       [](const State& s) { return s.mismatches; });
  each(gauge, "weir_cache_redis_used", "1 where predictions are shared in Redis.",
       [](const State& s) { return s.shared.used ? 1 : 0; });
  each(gauge, "weir_cache_redis_bypass", "1 where Redis is not asked, as that does not pay.",
       [](const State& s) { return s.shared.bypass ? 1 : 0; });
  each(counter, "weir_cache_redis_failures_total", "Calls of Redis without an answer in time.",
       [](const State& s) { return s.shared.failures; });
  each(counter, "weir_cache_redis_refused_total",
       "Entries in Redis that none of our processes has written so.",
       [](const State& s) { return s.shared.refused; });
  each(counter, "weir_cache_redis_not_written_total",
       "Predictions that Redis did not take, or not fast enough.",
       [](const State& s) { return s.shared.not_written; });
}

}  // namespace weir::serve
