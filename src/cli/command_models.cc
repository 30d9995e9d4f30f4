// weir models list | show N | rollback N
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/model_page.h"
#include "cli/models_export.h"
#include "cli/models_import.h"
#include "gate/control_log.h"
#include "gate/members.h"

namespace weir::cli {
namespace {

constexpr Millis kLogTimeout{10'000};
constexpr Millis kRollbackTimeout{60'000};

struct ModelsOptions {
  CommonOptions common;
  std::uint64_t version = 0;
};

// The version in force, 0 where there is none or Kafka does not answer: a list of models needs
// none.
std::uint64_t live_version(Context& context) {
  const auto attempt = [&]() -> Result<std::uint64_t> {
    stream::Broker* broker = WEIR_TRY(context.broker());
    WEIR_TRY(context.ensure_topics(kControlReaderUses));
    auto control = WEIR_TRY(gate::ControlFollower::open(*broker, context.control_topic()));
    WEIR_TRY(control->catch_up(kLogTimeout));
    return control->state().version;
  };
  const auto version = attempt();
  if (!version) log::warn("cannot tell which model is in force", {{"reason", version.error()}});
  return version.value_or(0);
}

// A version that cannot be read is told and passed over: the others are wanted none the less.
Result<std::uint64_t> list_models(const CommonOptions& common) {
  auto context = WEIR_TRY(Context::make(common));
  store::FileStore* store = WEIR_TRY(context->store());
  const registry::ModelRegistry models(*store, context->settings().model.path);
  const auto versions = WEIR_TRY(models.versions());
  std::uint64_t unreadable = 0;
  const std::uint64_t live = versions.empty() ? 0 : live_version(*context);
  if (!common.json() && !versions.empty()) {
    std::printf("%7s  %-4s  %-24s  %10s  %10s  %8s  %s\n", "VERSION", "LIVE", "TRAINED", "ROWS",
                "RMSE", "R2", "DATA SET");
  }
  for (const std::uint64_t version : versions) {
    const auto found = models.manifest(version);
    if (!found) {
      if (found.error().retryable()) return fail(found.error());
      report(found.error());
      ++unreadable;
      continue;
    }
    const registry::Manifest& manifest = *found;
    if (common.json()) {
      auto json = nlohmann::json::parse(manifest.to_json());
      json["live"] = version == live;
      std::printf("%s\n", json.dump().c_str());
      continue;
    }
    char rmse[32] = "-";
    char r2[32] = "-";
    if (manifest.has_held_out) {
      std::snprintf(rmse, sizeof rmse, "%.4g", manifest.held_out.rmse);
      std::snprintf(r2, sizeof r2, "%.4f", manifest.held_out.r2);
    }
    std::printf("%7" PRIu64 "  %-4s  %-24s  %10" PRIu64 "  %10s  %8s  %s\n", version,
                version == live ? "live" : "", manifest.trained_at.c_str(), manifest.rows, rmse, r2,
                one_line(manifest.dataset.path).c_str());
  }
  if (versions.empty() && !common.json()) {
    std::fprintf(stderr, "weir: no model yet in %s\n",
                 store->url(context->settings().model.path).c_str());
  }
  return unreadable;
}

Status show_model(const ModelsOptions& options) {
  auto context = WEIR_TRY(Context::make(options.common));
  store::FileStore* store = WEIR_TRY(context->store());
  const registry::ModelRegistry models(*store, context->settings().model.path);
  const auto loaded = WEIR_TRY(models.load(options.version, ""));
  const auto reigns = read_reigns(*context, options.version);
  if (!reigns) {
    log::warn("cannot tell which offsets the model has answered", {{"reason", reigns.error()}});
  }
  const auto known = reigns ? std::optional(*reigns) : std::nullopt;
  if (options.common.json()) {
    std::printf("%s\n", model_page_json(loaded, known).c_str());
  } else {
    print_model_page(loaded, models.url(options.version), known);
  }
  return {};
}

// Asks the trainer, who alone writes the control log, and waits until the log shows the outcome.
Status roll_back(const ModelsOptions& options) {
  auto context = WEIR_TRY(Context::make(options.common));
  store::FileStore* store = WEIR_TRY(context->store());
  const registry::ModelRegistry models(*store, context->settings().model.path);
  WEIR_TRY(models.load(options.version, ""));
  stream::Broker* broker = WEIR_TRY(context->broker());
  WEIR_TRY(context->ensure_topics(kRollbackUses));
  const config::TopicsSettings& topics = context->settings().topics;
  auto control = WEIR_TRY(gate::ControlFollower::open(*broker, context->control_topic()));
  WEIR_TRY(control->catch_up(kLogTimeout));
  const std::uint64_t epoch = control->state().epoch;

  record::MemberRecord request;
  request.type = record::MemberType::kAskRollback;
  request.member = context->host_and_pid();
  request.epoch = epoch;
  request.version = options.version;
  auto publisher = WEIR_TRY(broker->open_publisher());
  WEIR_TRY(publisher->send({topics.members, 0, request.member, request.to_json(), nullptr}));
  WEIR_TRY(publisher->flush(kLogTimeout));

  const SteadyTime deadline = context->clock().steady() + kRollbackTimeout;
  while (context->clock().steady() < deadline) {
    WEIR_TRY(control->poll(Millis{200}));
    const auto& resume = control->state().last_resume;
    if (!resume || resume->epoch <= epoch) continue;
    if (resume->outcome == record::Outcome::kRolledBack && resume->version == options.version) {
      std::printf(options.common.json() ? "{\"version\": %" PRIu64 ", \"epoch\": %" PRIu64 "}\n"
                                        : "version %" PRIu64 " is in force since epoch %" PRIu64
                                          "\n",
                  resume->version, resume->epoch);
      return {};
    }
    return fail(Code::kIo, "epoch " + std::to_string(resume->epoch) + " put version " +
                               std::to_string(resume->version) + " in force instead (" +
                               std::string(record::outcome_name(resume->outcome)) + ": " +
                               resume->reason + "); look at it and ask again");
  }
  return fail(Code::kTimeout, "no trainer has answered on " + topics.members + " for " +
                                  std::to_string(kRollbackTimeout.count() / 1000) +
                                  " s; is one running ('weir train', 'weir run')?");
}

void declare_export(CLI::App& command, Action& action) {
  auto options = std::make_shared<ExportOptions>();
  add_common_options(command, options->common);
  command.add_option("VERSION", options->version, "The version")->required();
  command.add_option("--format", options->format, "onnx, or mlflow: a folder that pyfunc loads")
      ->required()
      ->check(CLI::IsMember({"onnx", "mlflow"}));
  command.add_option("--to", options->to, "Where to write it; nothing may be there yet")
      ->required();
  command.callback([options, &action] {
    action = [options] {
      const Status status = export_model(*options);
      return status ? kExitOk : report(status.error());
    };
  });
}

void declare_import(CLI::App& command, Action& action) {
  auto options = std::make_shared<ImportOptions>();
  add_common_options(command, options->common);
  command
      .add_option("FILE", options->file,
                  "XGBoost's JSON or UBJSON or LightGBM's text, as save_model writes them, or ONNX")
      ->required();
  command.add_option("--target", options->target,
                     "What the model predicts (default: dataset.target)");
  CLI::Option* features = command.add_option("--features", options->features,
                                             "The features' names, in the order of its training, "
                                             "as a line of CSV (default: the document's)");
  command
      .add_flag("--features-of-live", options->features_of_live,
                "The features are those of the model in force, in its order")
      ->excludes(features);
  command.add_option("--evaluate-on", options->evaluate_on,
                     "A CSV file of rows that it was not trained on: they measure it, for "
                     "model.require, and the producer streams them");
  command.add_option("--as", options->name, "Another name in the drop folder");
  command.add_option("--to", options->to,
                     "Only write the document to this file; 'weir drop' brings it in later");
  command.add_flag("--dry-run", options->dry_run, "Only convert and check");
  command.callback([options, &action] {
    action = [options] {
      const Status status = import_model(*options);
      return status ? kExitOk : report(status.error());
    };
  });
}

}  // namespace

void add_models(CLI::App& app, Action& action) {
  auto options = std::make_shared<ModelsOptions>();
  CLI::App* command =
      app.add_subcommand("models", "The trained versions: list, show, roll back, import, export");
  command->require_subcommand(1);
  const auto finish = [](Status status) { return status ? kExitOk : report(status.error()); };

  CLI::App* list = command->add_subcommand("list", "All versions with their figures");
  add_common_options(*list, options->common);
  list->callback([=, &action] {
    action = [=] {
      const auto unreadable = list_models(options->common);
      if (!unreadable) return report(unreadable.error());
      return *unreadable == 0 ? kExitOk : kExitSomeFailed;
    };
  });

  CLI::App* show = command->add_subcommand(
      "show", "One version: when, where and on what it was trained, and the offsets it answered");
  add_common_options(*show, options->common);
  show->add_option("VERSION", options->version, "The version")->required();
  show->callback([=, &action] { action = [=] { return finish(show_model(*options)); }; });

  CLI::App* rollback =
      command->add_subcommand("rollback", "Put an earlier version in force, as one more epoch");
  add_common_options(*rollback, options->common);
  rollback->add_option("VERSION", options->version, "The version")->required();
  rollback->callback([=, &action] { action = [=] { return finish(roll_back(*options)); }; });

  CLI::App* import = command->add_subcommand(
      "import", "Put a model of XGBoost, LightGBM or ONNX in force, by way of the drop folder");
  declare_import(*import, action);

  CLI::App* exported = command->add_subcommand(
      "export", "Write a version as a file of ONNX, or as a folder that MLflow loads");
  declare_export(*exported, action);
}

}  // namespace weir::cli
