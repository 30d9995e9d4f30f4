// weir status: the gate, who is there, what they wait for, and how far each partition is behind;
// for people, for programs, or for Prometheus.
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/status_words.h"
#include "cli/topic_uses.h"
#include "serve/alerts.h"
#include "serve/pipeline_status.h"
#include "serve/prometheus_text.h"
#include "serve/status_json.h"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;
using serve::cause_of;
using serve::gate_since;
using serve::heard_ms;
using serve::PipelineStatus;

Result<PipelineStatus> look_at_pipeline(Context& context) {
  stream::Broker* broker = WEIR_TRY(context.broker());
  WEIR_TRY(context.ensure_topics(kStatusUses));
  auto watch =
      WEIR_TRY(serve::PipelineWatch::open(context.pipeline_names(), *broker, context.clock()));
  return watch->look();
}

// Empty where trainings begin on arrival alone.
std::string schedule_text(const Schedule& schedule, Clock& clock) {
  const auto due = schedule.next_after(clock.wall());
  if (!due) return "";
  return "  trainings begin " + std::string(schedule.on_arrival() ? "on arrival, and " : "") +
         "by schedule (" + schedule.text() + "), next at " + format_time(*due) + "\n";
}

Json schedule_json(const Schedule& schedule, Clock& clock) {
  Json json = {
      {"on_arrival", schedule.on_arrival()}, {"lines", schedule.text()}, {"next", nullptr}};
  if (const auto due = schedule.next_after(clock.wall())) json["next"] = format_time(*due);
  return json;
}

void print_text(const PipelineStatus& status, const std::string& pipeline, const Schedule& schedule,
                Clock& clock) {
  const record::ControlState& state = status.control;
  const record::ControlRecord* begin = gate_since(state);
  std::printf("pipeline %s: %s%s%s\n", pipeline.c_str(),
              state.version == 0  ? "no model yet"
              : state.gate_open() ? "the gate is open since "
                                  : "the gate is closed since ",
              begin ? one_line(begin->at).c_str() : "",
              state.version == 0 ? ""
                                 : (", model " + std::to_string(state.version) + ", epoch " +
                                    std::to_string(state.ruling_epoch))
                                       .c_str());
  if (state.begun) {
    std::printf("  epoch %" PRIu64 " is under way since %s: %s\n", state.begun->epoch,
                one_line(state.begun->at).c_str(), cause_of(*state.begun).c_str());
  }
  std::printf("%s", schedule_text(schedule, clock).c_str());
  std::printf("\n%-32s  %-8s  %9s  %6s  %6s  %s\n", "MEMBER", "ROLE", "HEARD OF", "MODEL", "EPOCH",
              "STATE");
  for (const auto& member : status.members) {
    const record::MemberProgress& progress = member.latest.progress;
    const auto number = [](std::uint64_t value) {
      return value == 0 ? std::string("-") : std::to_string(value);
    };
    std::printf("%-32s  %-8s  %9s  %6s  %6s  %s\n", one_line(member.latest.member).c_str(),
                one_line(member.latest.role).c_str(), seconds_text(heard_ms(member, clock)).c_str(),
                number(progress.model).c_str(), number(progress.model_epoch).c_str(),
                member_state(member).c_str());
  }
  if (status.members.empty()) std::printf("(none)\n");
  std::printf("\n%9s  %12s  %12s  %10s  %12s  %s\n", "PARTITION", "COMMITTED", "END", "LAG",
              "LAST RECORD", "MEMBER");
  for (const auto& [number, at] : status.partitions) {
    std::printf("%9d  %12" PRId64 "  %12" PRId64 "  %10" PRId64 "  %12s  %s\n", number,
                at.committed, at.end, at.lag(),
                at.last_record_age_ms ? seconds_text(*at.last_record_age_ms).c_str() : "-",
                at.member.empty() ? "-" : one_line(at.member).c_str());
  }
}

struct StatusOptions {
  CommonOptions common;
  bool prometheus = false;
};

int show_status(const StatusOptions& options) {
  auto context = Context::make(options.common);
  if (!context) return report(context.error());
  const config::Settings& own = (*context)->settings();
  Clock& clock = (*context)->clock();
  const auto status = look_at_pipeline(**context);
  if (!status) return report(status.error());
  if (options.prometheus) {
    std::fputs(serve::prometheus_text(*status, own.pipeline, own.topics.features, clock).c_str(),
               stdout);
  } else if (options.common.json()) {
    auto json = serve::status_json(*status, own.pipeline, clock);
    json["schedule"] = schedule_json((*context)->schedule(), clock);
    std::printf("%s\n", json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  } else {
    print_text(*status, own.pipeline, (*context)->schedule(), clock);
  }
  return kExitOk;
}

}  // namespace

void add_status(CLI::App& app, Action& action) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* command = app.add_subcommand(
      "status", "Who is there, what they wait for, and how far each partition is behind");
  add_common_options(*command, options->common);
  command->add_flag(
      "--prometheus", options->prometheus,
      "As metrics in Prometheus' text format, for node_exporter's textfile collector");
  command->callback([options, &action] { action = [options] { return show_status(*options); }; });
}

}  // namespace weir::cli
