// weir run: trainer, producer, scorer and gateway in one process, and a live view of what they do.
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/log.h"
#include "base/value_text.h"
#include "cli/commands.h"
#include "cli/gateway.h"
#include "cli/live_view.h"
#include "cli/roles.h"

namespace weir::cli {
namespace {

struct RunOptions {
  CommonOptions common;
  std::string run_for;
  std::string rate;
  bool no_produce = false;
  bool no_serve = false;
};

RoleSpec view_spec(Roles& roles, const RunOptions& options) {
  const config::TopicsSettings& topics = roles.context.settings().topics;
  LiveViewOptions view;
  view.control_topic = roles.context.control_topic();
  view.predictions_topic = topics.predictions;
  view.dead_topic = topics.dead;
  view.json = options.common.json();
  view.color = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  view.predictions = !options.common.quiet;
  RoleSpec spec;
  spec.name = "live view";
  // Nobody reads any more: that is a request to end.
  spec.done = [](Role&) { return std::ferror(stdout) != 0; };
  spec.ends_all = true;
  spec.open = [&roles, view,
               shown = std::make_shared<ControlShown>()]() -> Result<std::unique_ptr<Role>> {
    return std::unique_ptr<Role>(
        WEIR_TRY(LiveView::open(view, roles.broker, roles.models, roles.context.clock(), *shown)));
  };
  return spec;
}

void print_summary(const RunCounters& counters, bool json) {
  if (json) {
    nlohmann::ordered_json summary = {{"type", "summary"},
                                      {"produced", counters.producer.produced.load()},
                                      {"scored", counters.scored()},
                                      {"dead_lettered", counters.dead()},
                                      {"versions_trained", counters.trained.load()},
                                      {"datasets_refused", counters.refused.load()}};
    std::printf("%s\n", summary.dump().c_str());
    return;
  }
  std::printf("\nproduced %" PRIu64 ", scored %" PRIu64 ", dead-lettered %" PRIu64
              ", versions trained %" PRIu64 ", data sets refused %" PRIu64 "\n",
              counters.producer.produced.load(), counters.scored(), counters.dead(),
              counters.trained.load(), counters.refused.load());
}

void print_greeting(Context& context, store::FileStore& store, const std::string& config_path,
                    const Gateway* gateway) {
  const config::Settings& own = context.settings();
  const std::string config = config_path.empty() ? "" : " -c " + config_path;
  std::printf("pipeline %s: data sets from %s, stream %s at %s\n", own.pipeline.c_str(),
              store.url(own.dataset.path).c_str(), own.topics.features.c_str(),
              own.kafka.at("bootstrap.servers").c_str());
  std::printf("drop a data set:  weir drop FILE.csv%s\n", config.c_str());
  std::printf("            or:  hdfs dfs -put FILE.csv %s/\n", own.dataset.path.c_str());
  if (gateway) {
    std::printf("gateway:         %s  (in a browser: watch it all)\n", gateway->url().c_str());
  }
  if (gateway && gateway->grpc_address() != "off") {
    std::printf("           gRPC: %s\n", gateway->grpc_address().c_str());
  }
  std::printf("\n");
  std::fflush(stdout);
}

Result<Millis> parse_run_for(const std::string& text) {
  if (text.empty()) return Millis::max();
  const auto parsed = parse_duration(text);
  if (parsed && parsed->count() > 0) return *parsed;
  return fail(Code::kInvalidArgument,
              "--for '" + text + "' is no duration; write one such as 30s, 5m or 2h");
}

// Another pipeline's run in this folder may hold the store: the stream flows without a gateway,
// too. A port is another matter: whoever has named one waits for a gateway there.
Result<std::unique_ptr<Gateway>> make_gateway(Roles& roles) {
  auto gateway = Gateway::make(roles);
  if (!gateway && gateway.error().code() != Code::kUnavailable) return gateway;
  if (gateway) {
    WEIR_TRY((*gateway)->listen());
    return gateway;
  }
  log::warn("this run has no gateway", {{"reason", gateway.error()}});
  return std::unique_ptr<Gateway>();
}

Status run_pipeline(const RunOptions& options, std::stop_source stop, Ending& ending,
                    std::unique_ptr<Context>& context, std::unique_ptr<Roles>& roles,
                    std::unique_ptr<Gateway>& gateway) {
  const Millis run_for = WEIR_TRY(parse_run_for(options.run_for));
  context = WEIR_TRY(Context::make(options.common));
  // The live view tells what a person cares about; the roles' own lines would tell it twice.
  if (!options.common.verbose && !context->loaded().origins.contains("log.level")) {
    log::Options quiet;
    quiet.level = log::Level::kWarn;
    quiet.shape = options.common.json() ? log::Shape::kJson : context->settings().log.shape;
    quiet.color = isatty(STDERR_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
    log::configure(quiet);
  }
  const bool watches = context->settings().watch.enabled;
  TopicUses uses = kLiveViewUses | kTrainerUses | kScorerUses;
  if (!options.no_produce) uses = uses | kProducerUses;
  if (watches) uses = uses | kWatcherUses;
  if (!options.no_serve) uses = uses | kGatewayUses;
  roles = WEIR_TRY(Roles::make(*context, uses));
  if (!options.no_serve) gateway = WEIR_TRY(make_gateway(*roles));
  roles->shows_progress = !options.common.quiet && !options.common.json();
  if (!options.common.json()) {
    print_greeting(*context, roles->store, options.common.config_path, gateway.get());
  }
  std::vector<RoleSpec> specs;
  specs.push_back(view_spec(*roles, options));
  specs.push_back(roles->trainer());
  std::vector<RoleSpec> scorers = WEIR_TRY(roles->scorers());
  for (RoleSpec& spec : scorers) specs.push_back(std::move(spec));
  if (!options.no_produce) specs.push_back(WEIR_TRY(roles->producer()));
  if (watches) specs.push_back(WEIR_TRY(roles->watcher()));
  if (gateway) {
    for (RoleSpec& spec : gateway->specs()) specs.push_back(std::move(spec));
  }

  std::jthread timer;
  if (run_for != Millis::max()) {
    timer = std::jthread([&clock = context->clock(), run_for, stop](std::stop_token ended) mutable {
      clock.sleep_for(run_for, ended);
      if (!ended.stop_requested()) stop.request_stop();
    });
  }
  return run_roles(*context, std::move(specs), stop, ending, [&](bool may_print) {
    if (may_print) print_summary(roles->counters, options.common.json());
    return kExitOk;
  });
}

int run(RunOptions options) {
  if (!options.rate.empty()) options.common.overrides.push_back("produce.rate=" + options.rate);
  std::stop_source stop;
  std::unique_ptr<Context> context;
  std::unique_ptr<Roles> roles;
  std::unique_ptr<Gateway> gateway;
  Ending ending(stop);
  const Status ended = run_pipeline(options, stop, ending, context, roles, gateway);
  if (gateway) gateway->stop();
  if (roles) print_summary(roles->counters, options.common.json());
  return ended ? kExitOk : report(ended.error());
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand(
      "run", "The whole pipeline in one process: trainer, producer, scorer, gateway");
  add_common_options(*command, options->common);
  command->add_option("--for", options->run_for, "End after so long, such as 30s (default: never)");
  command->add_option("--rate", options->rate, "Rows per second to produce, or max");
  command->add_flag("--no-produce", options->no_produce,
                    "Do not produce rows: the features topic has other producers");
  command->add_flag("--no-serve", options->no_serve, "Do not open the gateway's port");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace weir::cli
