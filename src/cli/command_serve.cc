// weir serve: the gateway alone.
#include <cstdio>
#include <memory>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/gateway.h"

namespace weir::cli {
namespace {

int serve_until_stopped(const CommonOptions& common) {
  std::stop_source stop;
  std::unique_ptr<Context> context;
  std::unique_ptr<Roles> roles;
  std::unique_ptr<Gateway> gateway;
  Ending ending(stop);
  const auto attempt = [&]() -> Status {
    context = WEIR_TRY(Context::make(common));
    roles = WEIR_TRY(Roles::make(*context, kGatewayUses));
    gateway = WEIR_TRY(Gateway::make(*roles));
    WEIR_TRY(gateway->listen());
    log::info("the gateway listens", {{"url", gateway->url()}, {"grpc", gateway->grpc_address()}});
    if (common.json())
      std::printf("{\"type\":\"listening\",\"url\":\"%s\",\"grpc\":\"%s\"}\n",
                  gateway->url().c_str(), gateway->grpc_address().c_str());
    std::fflush(stdout);
    return run_roles(*context, gateway->specs(), stop, ending, [](bool) { return kExitOk; });
  };
  const Status ended = attempt();
  if (gateway) gateway->stop();
  return ended ? kExitOk : report(ended.error());
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  auto options = std::make_shared<CommonOptions>();
  CLI::App* command = app.add_subcommand(
      "serve", "The gateway: REST to push messages and look up predictions, metrics");
  add_common_options(*command, *options);
  command->callback(
      [options, &action] { action = [options] { return serve_until_stopped(*options); }; });
}

}  // namespace weir::cli
