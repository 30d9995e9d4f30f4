#include "cli/gateway.h"

#include <thread>
#include <tuple>

#include "base/local_file.h"
#include "predictions/prediction_feed.h"
#include "predictions/redis_prediction_store.h"
#include "predictions/sqlite_prediction_store.h"

namespace weir::cli {
namespace {

constexpr std::size_t kWorkers = 8;
constexpr std::size_t kWaitingMax = 1'000;
constexpr Millis kStopGrace{5'000};
constexpr Millis kHousekeeping{20};
constexpr std::uint64_t kTokenFileBytesMax = 1'000'000;
constexpr std::uint64_t kPemFileBytesMax = 1'000'000;

// Does what has become due: ends waits, tells clients whose time is over.
class Housekeeper final : public Role {
 public:
  Housekeeper(serve::PushQueue& pushes, serve::ActualsQueue& actuals, serve::Timers& timers,
              Clock& clock)
      : pushes_(pushes), actuals_(actuals), timers_(timers), clock_(clock) {}
  Status step(Millis wait_max, std::stop_token stop) override {
    pushes_.expire();
    actuals_.expire();
    timers_.run_due(clock_.steady());
    clock_.sleep_for(std::min(wait_max, kHousekeeping), stop);
    return {};
  }
  void finish() override {}

 private:
  serve::PushQueue& pushes_;
  serve::ActualsQueue& actuals_;
  serve::Timers& timers_;
  Clock& clock_;
};

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

// Why a door does not open, and what to do.
Error not_listening(const Error& error, const std::string& doing, const std::string& port) {
  std::string reason = error.message();
  if (error.code() == Code::kUnavailable) {
    reason += "; end that one, or set " + port + " to another port (0 is any that is free)";
  }
  return Error(error.code(), std::move(reason)).while_doing(doing);
}

}  // namespace

Gateway::Gateway(Roles& roles, std::string member)
    : roles_(roles),
      member_(std::move(member)),
      flow_(roles.context.clock()),
      pushes_(roles.context.clock(), roles.context.settings().serve.push_timeout),
      actuals_(roles.context.clock(), roles.context.settings().serve.push_timeout),
      workers_(kWorkers, kWaitingMax) {}

Gateway::~Gateway() { stop(); }

Result<std::unique_ptr<Gateway>> Gateway::make(Roles& roles) {
  std::string member = WEIR_TRY(roles.context.claim_member_name("gateway"));
  std::unique_ptr<Gateway> gateway(new Gateway(roles, std::move(member)));
  WEIR_TRY(gateway->open_store());
  return gateway;
}

Status Gateway::open_redis() {
  const config::Settings& own = roles_.context.settings();
  redis_ = std::make_unique<redis::Client>(WEIR_TRY(redis_client_options(own.redis)));
  predictions::RedisStoreOptions store;
  store.pipeline = own.pipeline;
  store.features_topic = own.topics.features;
  store_ = std::make_unique<predictions::RedisPredictionStore>(*redis_, std::move(store));
  return {};
}

Status Gateway::open_store() {
  const config::Settings& own = roles_.context.settings();
  if (!own.redis.url.empty()) return open_redis();
  predictions::SqliteStoreOptions options;
  options.folder = own.serve.state_dir;
  options.pipeline = own.pipeline;
  options.features_topic = own.topics.features;
  store_ = WEIR_TRY(during(predictions::SqlitePredictionStore::open(options),
                           "opening the store of predictions in serve.state_dir"));
  return {};
}

Status Gateway::listen() {
  meter_ = std::make_unique<serve::FlowMeter>(flow_, store_.get());
  if (cache::PredictionCache* const predictions = WEIR_TRY(roles_.prediction_cache())) {
    cache_ = std::make_unique<cache::CacheAccess>(*predictions);
  }
  const config::Settings& own = roles_.context.settings();
  serve::Limits limits;
  limits.body_bytes_max = static_cast<std::uint64_t>(own.serve.body_bytes_max);
  limits.records_max = static_cast<std::size_t>(own.serve.records_max);
  parts_.reset(new serve::Parts{.pipeline = own.pipeline,
                                .dataset_path = own.dataset.path,
                                .members_topic = own.topics.members,
                                .features_topic = own.topics.features,
                                .self = member_,
                                .limits = limits,
                                .clock = roles_.context.clock(),
                                .store = roles_.store,
                                .broker = roles_.broker,
                                .models = roles_.models,
                                .predictions = *store_,
                                .board = board_,
                                .progress = progress_,
                                .live = live_,
                                .pushes = pushes_,
                                .actuals = actuals_,
                                .timers = timers_,
                                .workers = workers_,
                                .ending = ending_,
                                .flow = flow_,
                                .cache = cache_.get(),
                                .tracer = roles_.tracer});
  api_ = std::make_unique<serve::Api>(WEIR_TRY(api_options()), *parts_);
  http::ServerOptions options = WEIR_TRY(server_options());
  auto started = http::Server::start(options, *api_);
  // The usual port may belong to another pipeline on this machine; nobody has asked for it by name.
  const bool asked = roles_.context.loaded().origins.contains("serve.port");
  if (!started && started.error().code() == Code::kUnavailable && !asked) {
    options.port = 0;
    started = http::Server::start(options, *api_);
  }
  if (!started) return fail(not_listening(started.error(), "starting the gateway", "serve.port"));
  server_ = std::move(*started);
  api_->set_server(server_.get());
  return open_grpc();
}

Status Gateway::open_grpc() {
  const config::ServeSettings& own = roles_.context.settings().serve;
  if (!own.grpc_port) return {};
  infer_grpc::ServerOptions options;
  options.address = own.address;
  options.port = static_cast<std::uint16_t>(*own.grpc_port);
  options.message_bytes_max = static_cast<std::size_t>(own.body_bytes_max);
  options.memory_bytes_max = std::max(options.memory_bytes_max, 4 * options.message_bytes_max);
  for (const auto& [name, path, text] :
       {std::tuple{"serve.tls_certificate", &own.tls_certificate, &options.tls.certificate},
        std::tuple{"serve.tls_key", &own.tls_key, &options.tls.key},
        std::tuple{"serve.tls_client_authority", &own.tls_client_authority,
                   &options.tls.client_authority}}) {
    if (path->empty()) continue;
    *text = WEIR_TRY(during(read_local_file(*path, kPemFileBytesMax),
                            std::string("reading ") + name + ": " + *path));
  }
  auto started = infer_grpc::Server::start(
      options, {api_->access(), api_->guard(), api_->metrics(), api_->inference()});
  if (!started) {
    return fail(not_listening(started.error(), "starting the gateway's gRPC", "serve.grpc_port"));
  }
  grpc_ = std::move(*started);
  return {};
}

Result<serve::ApiOptions> Gateway::api_options() const {
  const config::ServeSettings& own = roles_.context.settings().serve;
  serve::ApiOptions options;
  std::string text = own.token_list;
  if (!own.tokens.empty()) {
    text = WEIR_TRY(during(read_local_file(own.tokens, kTokenFileBytesMax),
                           "reading serve.tokens: " + own.tokens)) +
           "\n" + text;
  }
  options.access = WEIR_TRY(during(serve::AccessList::parse(text), "reading the gateway's tokens"));
  if (const auto permission = serve::permission_named(own.tls_client_role)) {
    if (own.tls_client_authority.empty()) {
      return fail(Code::kBadConfig, "serve.tls_client_role needs serve.tls_client_authority");
    }
    options.access.let_certificates(*permission);
  }
  const bool guarded = options.access.guards();
  if (!guarded && !is_loopback(own.address)) {
    return fail(Code::kBadConfig,
                "serve.address " + own.address +
                    " can be reached by others, and nobody is asked for a token; set serve.tokens "
                    "(or serve.tls_client_role), or listen at 127.0.0.1");
  }
  options.guard.any_host = guarded;
  options.guard.hosts = own.hosts;
  options.guard.requests_per_second_max = own.requests_per_second_max;
  return options;
}

Result<http::ServerOptions> Gateway::server_options() const {
  const config::ServeSettings& own = roles_.context.settings().serve;
  http::ServerOptions options;
  options.address = own.address;
  options.port = static_cast<std::uint16_t>(own.port);
  options.connections_max = static_cast<std::size_t>(own.connections_max);
  options.bodies_bytes_max =
      std::max(options.bodies_bytes_max, 2 * static_cast<std::uint64_t>(own.body_bytes_max));
  options.tls = {own.tls_certificate, own.tls_key, own.tls_client_authority};
  if (own.tls_certificate.empty() != own.tls_key.empty()) {
    return fail(Code::kBadConfig, "serve.tls_certificate and serve.tls_key go together");
  }
  if (own.tls_certificate.empty() && !own.tls_client_authority.empty()) {
    return fail(Code::kBadConfig, "serve.tls_client_authority needs serve.tls_certificate");
  }
  return options;
}

std::string Gateway::place(std::uint16_t port) const {
  const std::string& address = roles_.context.settings().serve.address;
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

std::string Gateway::url() const {
  const bool secure = !roles_.context.settings().serve.tls_certificate.empty();
  return (secure ? "https://" : "http://") + place(server_->port());
}

std::string Gateway::grpc_address() const { return grpc_ ? place(grpc_->port()) : "off"; }

std::vector<RoleSpec> Gateway::specs() {
  const config::Settings& own = roles_.context.settings();
  Clock& clock = roles_.context.clock();
  std::vector<RoleSpec> specs(5);
  specs[0].name = "gateway: pipeline";
  specs[0].open = [this, names = roles_.context.pipeline_names(),
                   &clock]() -> Result<std::unique_ptr<Role>> {
    return std::unique_ptr<Role>(WEIR_TRY(serve::LiveFollower::open(
        names, roles_.broker, roles_.models, clock, live_,
        [this](const serve::PipelineStatus& seen) { flow_.note_lag(seen.lag()); }, cache_.get())));
  };
  predictions::FeedOptions feed;
  feed.features_topic = own.topics.features;
  feed.predictions_topic = own.topics.predictions;
  feed.dead_topic = own.topics.dead;
  feed.keep = own.serve.keep;
  feed.records_max = static_cast<std::uint64_t>(own.serve.keep_records_max);
  specs[1].name = "gateway: predictions";
  specs[1].open = [this, feed, &clock]() -> Result<std::unique_ptr<Role>> {
    return std::unique_ptr<Role>(WEIR_TRY(
        predictions::PredictionFeed::open(feed, roles_.broker, *meter_, board_, progress_, clock)));
  };
  serve::PusherOptions push;
  push.features_topic = own.topics.features;
  push.transactional_id = own.pipeline + "." + member_;
  specs[2].name = "gateway: pushes";
  specs[2].open = [this, push, &clock]() -> Result<std::unique_ptr<Role>> {
    return std::unique_ptr<Role>(
        WEIR_TRY(serve::Pusher::open(push, roles_.broker, *store_, progress_, pushes_, clock)));
  };
  specs[3].name = "gateway: waits";
  specs[3].open = [this, &clock]() -> Result<std::unique_ptr<Role>> {
    return std::unique_ptr<Role>(std::make_unique<Housekeeper>(pushes_, actuals_, timers_, clock));
  };
  serve::ActualsWriterOptions actuals;
  actuals.topic = own.topics.actuals;
  actuals.broker_timeout = own.serve.push_timeout;
  specs[4].name = "gateway: true values";
  specs[4].open = [this, actuals]() -> Result<std::unique_ptr<Role>> {
    return std::unique_ptr<Role>(
        WEIR_TRY(serve::ActualsWriter::open(actuals, roles_.broker, actuals_)));
  };
  return specs;
}

void Gateway::stop() {
  pushes_.close();
  actuals_.close();
  ending_ = true;
  timers_.run_due(SteadyTime::max());  // waits for predictions end with what there is
  timers_.clear();
  // Both doors at the same time, so that the whole takes no longer than one.
  std::jthread other_door([this] {
    if (grpc_) grpc_->stop(kStopGrace);
  });
  if (server_) server_->stop(kStopGrace);
  other_door.join();
  workers_.stop();
  if (api_) api_->inference().stop();
  timers_.clear();
}

}  // namespace weir::cli
