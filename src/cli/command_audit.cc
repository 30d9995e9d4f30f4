// weir audit: the promises, checked from what is in the topics and on the store.
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "audit/audit.h"
#include "base/moment.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/progress_line.h"

namespace weir::cli {
namespace {

struct AuditCommandOptions {
  CommonOptions common;
  std::string since;
  std::size_t examples = 10;
};

nlohmann::ordered_json report_json(const audit::AuditReport& report, double seconds) {
  nlohmann::ordered_json json;
  json["breaches"] = report.findings.total();
  json["counts"] = {{"features", report.stream.features},
                    {"predictions", report.stream.predictions},
                    {"dead_letters", report.stream.dead_letters},
                    {"compared", report.stream.compared},
                    {"waiting", report.stream.waiting},
                    {"not_compared", report.stream.not_compared},
                    {"not_judged", report.stream.not_judged},
                    {"control_records", report.control_records},
                    {"epochs", report.epochs},
                    {"models", report.store.models},
                    {"datasets", report.store.datasets},
                    {"dataset_bytes", report.store.dataset_bytes}};
  json["seconds"] = seconds;
  json["checks"] = nlohmann::ordered_json::array();
  for (const audit::BreachKind& kind : audit::breach_kinds()) {
    nlohmann::ordered_json check = {{"name", kind.name},
                                    {"promise", kind.promise},
                                    {"meaning", kind.meaning},
                                    {"count", report.findings.count(kind.breach)}};
    check["first"] = report.findings.examples(kind.breach);
    json["checks"].push_back(std::move(check));
  }
  return json;
}

constexpr const char* kPromises[] = {"each record once", "the right number", "epochs in order",
                                     "one place, one model", "whole models only"};

void print_breaches(const audit::Findings& findings, int promise) {
  for (const audit::BreachKind& kind : audit::breach_kinds()) {
    const std::uint64_t count = findings.count(kind.breach);
    if (kind.promise != promise || count == 0) continue;
    std::printf("    %.*s: %" PRIu64 " (%.*s)\n", static_cast<int>(kind.name.size()),
                kind.name.data(), count, static_cast<int>(kind.meaning.size()),
                kind.meaning.data());
    for (const std::string& example : findings.examples(kind.breach)) {
      std::printf("      %s\n", example.c_str());
    }
    const std::size_t told = findings.examples(kind.breach).size();
    if (count > told && told > 0) std::printf("      and %" PRIu64 " more\n", count - told);
  }
}

void print_report(const audit::AuditReport& report, double seconds) {
  const audit::StreamCounts& stream = report.stream;
  std::printf("%" PRIu64 " features, %" PRIu64 " predictions, %" PRIu64 " dead letters; %" PRIu64
              " records wait to be scored\n",
              stream.features, stream.predictions, stream.dead_letters, stream.waiting);
  std::printf("%" PRIu64 " epochs, %" PRIu64 " models, %" PRIu64 " data sets (%s read again)\n",
              report.epochs, report.store.models, report.store.datasets,
              format_bytes(report.store.dataset_bytes).c_str());
  if (stream.not_judged > 0) {
    std::printf("not judged: %" PRIu64
                " records or answers whose counterpart was deleted or lies before the window\n",
                stream.not_judged);
  }
  if (stream.not_compared > 0) {
    std::printf("not compared: %" PRIu64 " answers, counted but not held against their records\n",
                stream.not_compared);
  }
  std::printf("\n");
  for (int promise = 1; promise <= 5; ++promise) {
    std::uint64_t breaches = 0;
    for (const audit::BreachKind& kind : audit::breach_kinds()) {
      if (kind.promise == promise) breaches += report.findings.count(kind.breach);
    }
    std::printf("  %d  %-22s%s\n", promise, kPromises[promise - 1],
                breaches == 0 ? "kept" : "BROKEN");
    print_breaches(report.findings, promise);
  }
  const std::uint64_t total = report.findings.total();
  if (total == 0) {
    std::printf("\nno breach found, in %.1f s\n", seconds);
  } else {
    std::printf("\n%" PRIu64 " breaches found, in %.1f s\n", total, seconds);
  }
}

Result<audit::AuditOptions> options_of(Context& context, const AuditCommandOptions& command) {
  const config::Settings& own = context.settings();
  audit::AuditOptions options;
  options.features_topic = own.topics.features;
  options.predictions_topic = own.topics.predictions;
  options.dead_topic = own.topics.dead;
  options.control_topic = context.control_topic();
  options.swaps_topic = own.topics.swaps;
  options.group = own.score.group;
  options.dataset_path = own.dataset.path;
  options.models_path = own.model.path;
  options.examples_max = command.examples;
  if (command.since.empty()) return options;
  const auto since = parse_moment(command.since, context.clock().wall());
  if (!since) {
    return fail(Code::kInvalidArgument,
                "--since takes a moment such as 2026-11-25T10:00:00Z, or how long ago, such as 2h, "
                "not '" +
                    one_line(command.since) + "'");
  }
  options.since_ms = since->time_since_epoch().count();
  return options;
}

Result<std::uint64_t> audit_pipeline(const AuditCommandOptions& command) {
  auto context = WEIR_TRY(Context::make(command.common));
  const audit::AuditOptions options = WEIR_TRY(options_of(*context, command));
  store::FileStore* store = WEIR_TRY(context->store());
  stream::Broker* broker = WEIR_TRY(context->broker());
  // All of them, so that a right that is missing is told before anything is read.
  for (const std::string& topic :
       {options.control_topic.name(), options.features_topic, options.predictions_topic,
        options.dead_topic, options.swaps_topic}) {
    WEIR_TRY(during(broker->open_history(topic, {}),
                    "reaching Kafka at " + context->settings().kafka.at("bootstrap.servers")));
  }
  const SteadyTime began = context->clock().steady();
  Result<audit::AuditReport> report = [&] {
    ProgressLine line(context->clock(), !command.common.quiet);
    return audit::run_audit(
        options, *broker, *store, context->clock(),
        [&](std::string_view stage, std::uint64_t done, std::uint64_t total) -> Status {
          if (total == 0) line.show_bytes(stage, done);
          else line.show(stage, done, total);
          return {};
        });
  }();
  if (!report) return fail(std::move(report.error()));
  const double seconds = std::chrono::duration<double>(context->clock().steady() - began).count();
  if (command.common.json()) {
    std::printf("%s\n", report_json(*report, seconds).dump().c_str());
  } else {
    print_report(*report, seconds);
  }
  return report->findings.total();
}

}  // namespace

void add_audit(CLI::App& app, Action& action) {
  auto options = std::make_shared<AuditCommandOptions>();
  CLI::App* command = app.add_subcommand(
      "audit", "Check the promises from the topics and the store; exit code 1 on any breach");
  add_common_options(*command, options->common);
  command->add_option("--since", options->since,
                      "Only records since a moment (2026-11-25T10:00:00Z) or of the last 2h");
  command->add_option("--examples", options->examples, "Offenders to name for each kind of breach")
      ->capture_default_str();
  command->callback([options, &action] {
    action = [options] {
      const auto breaches = audit_pipeline(*options);
      if (!breaches) return report(breaches.error());
      return *breaches == 0 ? kExitOk : kExitSomeFailed;
    };
  });
}

}  // namespace weir::cli
