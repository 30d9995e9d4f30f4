#include "cli/replay_command.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/ending.h"
#include "cli/progress_line.h"
#include "cli/replay_from.h"
#include "score/replay.h"

namespace weir::cli {
namespace {

score::ReplayOptions replay_options(const config::Settings& own, const ReplayCommand& command) {
  score::ReplayOptions options;
  options.pipeline = own.pipeline;
  options.features_topic = own.topics.features;
  options.own_topics = {own.topics.features, own.topics.predictions, own.topics.dead,
                        own.topics.control,  own.topics.members,     own.topics.swaps};
  options.to = command.to;
  options.partitions = own.topics.partitions;
  options.replication = own.topics.replication;
  options.append = command.append;
  options.version = command.version;
  options.batch_records_max = static_cast<std::size_t>(own.score.batch_records_max);
  return options;
}

void show(ProgressLine& line, const score::ReplayProgress& progress) {
  std::int64_t done = 0;
  std::int64_t all = 0;
  for (const score::ReplayedSpan& span : progress.spans) {
    done += span.next - span.begin;
    all += span.end - span.begin;
  }
  line.show("offsets replayed", static_cast<std::uint64_t>(done), static_cast<std::uint64_t>(all));
}

std::string how_to_go_on(const ReplayCommand& command, const score::ReplayProgress& progress) {
  return "weir score --from " + progress.continue_from() + " --model " +
         std::to_string(command.version) + " --to " + command.to + " --append";
}

void print_summary(const CommonOptions& common, const config::Settings& own,
                   const ReplayCommand& command, const score::ReplayProgress& progress) {
  const std::string dead_topic = score::replay_dead_topic(command.to);
  if (common.json()) {
    nlohmann::ordered_json json = {{"type", "replay"},
                                   {"complete", progress.complete()},
                                   {"from", own.topics.features},
                                   {"to", command.to},
                                   {"dead_to", dead_topic},
                                   {"model", command.version},
                                   {"epoch", command.version},
                                   {"scored", progress.counts.scored},
                                   {"dead_lettered", progress.counts.dead},
                                   {"transactions", progress.transactions}};
    json["partitions"] = nlohmann::ordered_json::array();
    for (const score::ReplayedSpan& span : progress.spans) {
      json["partitions"].push_back({{"partition", span.partition},
                                    {"begin", span.begin},
                                    {"next", span.next},
                                    {"end", span.end}});
    }
    json["continue_from"] = progress.complete() ? nlohmann::ordered_json(nullptr)
                                                : nlohmann::ordered_json(progress.continue_from());
    std::printf("%s\n", json.dump().c_str());
    return;
  }
  std::printf("%s %s with model %" PRIu64 ": %" PRIu64 " predictions to %s, %" PRIu64
              " dead letters to %s\n",
              progress.complete() ? "replayed" : "replayed a part of", own.topics.features.c_str(),
              command.version, progress.counts.scored, command.to.c_str(), progress.counts.dead,
              dead_topic.c_str());
  for (const score::ReplayedSpan& span : progress.spans) {
    std::printf("  partition %d: from offset %" PRId64 " up to %" PRId64 " of %" PRId64 "\n",
                span.partition, span.begin, span.next, span.end);
  }
  if (!progress.complete()) {
    std::printf("go on with: %s\n", how_to_go_on(command, progress).c_str());
  }
}

Status drive(score::Replay& replay, ProgressLine& line, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (WEIR_TRY(replay.step())) return {};
    show(line, replay.progress());
  }
  return replay.finish();
}

Result<int> replay_all(const CommonOptions& common, const ReplayCommand& command,
                       const std::stop_token& stop, Ending& ending) {
  auto context = WEIR_TRY(Context::make(common));
  const config::Settings& own = context->settings();
  score::ReplayOptions options = replay_options(own, command);
  options.start = WEIR_TRY(parse_replay_from(command.from, context->clock().wall()));
  store::FileStore* store = WEIR_TRY(context->store());
  stream::Broker* broker = WEIR_TRY(context->broker());
  const registry::ModelRegistry models(*store, own.model.path);
  // From here on topics are made: who stops now is told how to go on.
  ending.begin([](bool) { return kExitSomeFailed; });
  const auto replay =
      WEIR_TRY(score::Replay::open(std::move(options), *broker, models, context->clock()));
  Status ended;
  {
    ProgressLine line(context->clock(), !common.quiet && !common.json());
    ended = drive(*replay, line, stop);
  }
  ending.ended();
  print_summary(common, own, command, replay->progress());
  if (!ended) return fail(std::move(ended.error()));
  return replay->progress().complete() ? kExitOk : kExitSomeFailed;
}

}  // namespace

int run_replay(const CommonOptions& common, const ReplayCommand& command) {
  std::stop_source stop;
  Ending ending(stop);
  const auto code = replay_all(common, command, stop.get_token(), ending);
  return code ? *code : report(code.error());
}

}  // namespace weir::cli
