#include "cli/replay_command.h"

#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/ending.h"
#include "cli/replay_from.h"
#include "score/replay.h"

namespace weir::cli {
namespace {

constexpr Millis kProgressEvery{200};

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

// One line on the terminal, written over; nothing where stderr is none.
class ProgressLine {
 public:
  ProgressLine(Clock& clock, bool shown)
      : clock_(clock), shown_(shown && isatty(STDERR_FILENO) != 0), began_(clock.steady()) {}
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const score::ReplayProgress& progress) {
    const SteadyTime now = clock_.steady();
    if (!shown_ || now < next_) return;
    next_ = now + kProgressEvery;
    std::int64_t done = 0;
    std::int64_t all = 0;
    for (const score::ReplayedSpan& span : progress.spans) {
      done += span.next - span.begin;
      all += span.end - span.begin;
    }
    const double seconds = std::chrono::duration<double>(now - began_).count();
    std::fprintf(stderr,
                 "\r\x1b[K  replayed %" PRId64 " of %" PRId64 " offsets (%.0f %%), %.0f/s, %" PRIu64
                 " dead letters",
                 done, all,
                 all > 0 ? 100.0 * static_cast<double>(done) / static_cast<double>(all) : 100.0,
                 seconds > 0 ? static_cast<double>(done) / seconds : 0.0, progress.counts.dead);
    written_ = true;
  }
  void clear() {
    if (written_) std::fputs("\r\x1b[K", stderr);
    written_ = false;
  }

 private:
  Clock& clock_;
  const bool shown_;
  const SteadyTime began_;
  SteadyTime next_{};
  bool written_ = false;
};

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
    line.show(replay.progress());
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
  const auto replay =
      WEIR_TRY(score::Replay::open(std::move(options), *broker, models, context->clock()));
  Status ended;
  ending.begin([](bool) { return kExitSomeFailed; });
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
