// weir train, weir produce, weir score: one role in one process.
#include <cstdio>
#include <memory>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/replay_command.h"
#include "cli/roles.h"
#include "cli/train_now.h"

namespace weir::cli {
namespace {

struct RoleOptions {
  CommonOptions common;
  bool once = false;       // train
  std::string engine;      // train
  bool until_end = false;  // score
  std::string threads;     // score
  ReplayCommand replay;    // score
  std::string rate;        // produce
  std::string count;
};

using MakeSpecs = std::function<Result<std::vector<RoleSpec>>(Roles&, const RoleOptions&)>;

// Of a role that one thread does.
std::vector<RoleSpec> alone(RoleSpec spec) {
  std::vector<RoleSpec> specs;
  specs.push_back(std::move(spec));
  return specs;
}

int run_role(const RoleOptions& options, const TopicUses& uses, const MakeSpecs& make_specs,
             const std::function<int(const RunCounters&)>& at_end) {
  std::stop_source stop;
  std::unique_ptr<Context> context;
  std::unique_ptr<Roles> roles;
  Ending ending(stop);
  const auto attempt = [&]() -> Status {
    context = WEIR_TRY(Context::make(options.common));
    roles = WEIR_TRY(Roles::make(*context, uses));
    roles->shows_progress = !options.common.quiet && !options.common.json();
    return run_roles(*context, WEIR_TRY(make_specs(*roles, options)), stop, ending,
                     [&](bool) { return at_end(roles->counters); });
  };
  Status ended = attempt();
  if (!ended) return report(ended.error());
  return at_end(roles->counters);
}

}  // namespace

void add_train(CLI::App& app, Action& action) {
  auto options = std::make_shared<RoleOptions>();
  auto now = std::make_shared<TrainNowOptions>();
  CLI::App* command = app.add_subcommand(
      "train", "Watch the drop folder, train on each data set, put the model in force");
  add_common_options(*command, options->common);
  CLI::Option* once = command->add_flag("--once", options->once,
                                        "End when no data set is waiting that may be taken up");
  CLI::Option* at_once = command->add_flag(
      "--now", now->asked,
      "Do not train here: ask the trainer that leads to train at once, and wait for the end");
  at_once->excludes(once);
  command
      ->add_option(
          "DATASET", now->dataset,
          "With --now: a name in the drop folder, or a path in the store, of which a copy is "
          "trained on (default: all that waits)")
      ->needs(at_once);
  command->add_option("--wait", now->wait, "With --now: for how long, such as 10m")
      ->needs(at_once)
      ->capture_default_str();
  command
      ->add_option("--engine", options->engine,
                   "Where data sets are read: local or spark (setting model.engine)")
      ->check(CLI::IsMember({"local", "spark"}));
  command->callback([options, now, &action] {
    if (now->asked) {
      action = [options, now] {
        const Status trained = train_now(options->common, *now);
        return trained ? kExitOk : report(trained.error());
      };
      return;
    }
    action = [options] {
      if (!options->engine.empty()) {
        options->common.overrides.push_back("model.engine=" + options->engine);
      }
      const auto make_specs = [](Roles& roles,
                                 const RoleOptions& own) -> Result<std::vector<RoleSpec>> {
        RoleSpec spec = roles.trainer();
        if (own.once) {
          spec.done = [count = spec.done](Role& role) {
            count(role);
            return static_cast<train::Trainer&>(role).idle();
          };
        }
        return alone(std::move(spec));
      };
      return run_role(*options, kTrainerUses, make_specs, [&](const RunCounters& counters) {
        log::info("trainer ended",
                  {{"trained", counters.trained.load()}, {"refused", counters.refused.load()}});
        return options->once && counters.refused > 0 ? kExitSomeFailed : kExitOk;
      });
    };
  });
}

void add_watch(CLI::App& app, Action& action) {
  auto options = std::make_shared<RoleOptions>();
  CLI::App* command = app.add_subcommand(
      "watch",
      "Tell when the stream drifts away from what the model was made of, or it gets worse");
  add_common_options(*command, options->common);
  command->callback([options, &action] {
    action = [options] {
      const auto make_specs = [](Roles& roles,
                                 const RoleOptions&) -> Result<std::vector<RoleSpec>> {
        return alone(WEIR_TRY(roles.watcher()));
      };
      return run_role(*options, kWatcherUses, make_specs,
                      [](const RunCounters&) { return kExitOk; });
    };
  });
}

void add_produce(CLI::App& app, Action& action) {
  auto options = std::make_shared<RoleOptions>();
  CLI::App* command =
      app.add_subcommand("produce", "Stream random held-out rows of the live model's data set");
  add_common_options(*command, options->common);
  command->add_option("--rate", options->rate, "Rows per second, or max (setting produce.rate)");
  command->add_option("--count", options->count, "End after so many rows (setting produce.count)");
  command->callback([options, &action] {
    action = [options] {
      auto& overrides = options->common.overrides;
      if (!options->rate.empty()) overrides.push_back("produce.rate=" + options->rate);
      if (!options->count.empty()) overrides.push_back("produce.count=" + options->count);
      const auto make_specs = [](Roles& roles,
                                 const RoleOptions&) -> Result<std::vector<RoleSpec>> {
        return alone(WEIR_TRY(roles.producer()));
      };
      return run_role(*options, kProducerUses, make_specs, [](const RunCounters& counters) {
        const std::uint64_t produced = counters.producer.produced.load();
        const std::uint64_t lost = counters.producer.undelivered.load();
        log::info("producer ended", {{"produced", produced}});
        if (lost == 0) return kExitOk;
        tell(std::to_string(lost) + " rows were not acknowledged by Kafka and may be lost");
        return kExitSomeFailed;
      });
    };
  });
}

namespace {

// A replay is a request for all of these, and the options of one mean nothing without it.
void check_replay_options(const CLI::App& command) {
  const bool from = command.count("--from") > 0;
  std::string wrong;
  for (const char* name : {"--model", "--to"}) {
    if (from && command.count(name) == 0) wrong += std::string(wrong.empty() ? "" : " and ") + name;
  }
  if (!wrong.empty()) {
    throw CLI::ValidationError("weir score --from", "a replay needs " + wrong +
                                                        " as well, as in: weir score --from "
                                                        "earliest --model 3 --to my.replay");
  }
  for (const char* name : {"--model", "--to", "--append"}) {
    if (!from && command.count(name) > 0) {
      throw CLI::ValidationError(std::string("weir score ") + name,
                                 "is for a replay, and --from is missing: where should it begin? "
                                 "As in: --from earliest");
    }
  }
  for (const char* name : {"--until-end", "--threads"}) {
    if (from && command.count(name) > 0) {
      throw CLI::ValidationError(std::string("weir score ") + name,
                                 "is for live scoring; a replay has one thread and ends by itself");
    }
  }
}

void add_replay_options(CLI::App& command, ReplayCommand& replay) {
  command
      .add_option("--from", replay.from,
                  "Replay: score again what the features topic holds now, from here on, away from "
                  "the live pipeline: earliest, 0:100,1:250 (partition:offset), a time as "
                  "2026-11-25T10:00:00Z, or 2h ago")
      ->type_name("START");
  command.add_option("--model", replay.version, "Replay: the model version to score with");
  command
      .add_option("--to", replay.to,
                  "Replay: the topic for predictions; dead letters go to TOPIC.dead")
      ->type_name("TOPIC");
  command.add_flag("--append", replay.append, "Replay: into topics that are not empty");
}

}  // namespace

void add_score(CLI::App& app, Action& action) {
  auto options = std::make_shared<RoleOptions>();
  CLI::App* command = app.add_subcommand(
      "score", "Score the features topic exactly once; any number share the work");
  add_common_options(*command, options->common);
  command->add_option("--threads", options->threads,
                      "Scorers in this process, each with partitions of its own (setting "
                      "score.threads)");
  command->add_flag("--until-end", options->until_end,
                    "End when everything that the topic held has been scored");
  add_replay_options(*command, options->replay);
  command->callback([options, command, &action] {
    check_replay_options(*command);
    action = [options, replays = command->count("--from") > 0] {
      if (replays) return run_replay(options->common, options->replay);
      if (!options->threads.empty()) {
        options->common.overrides.push_back("score.threads=" + options->threads);
      }
      const auto make_specs = [](Roles& roles,
                                 const RoleOptions& own) -> Result<std::vector<RoleSpec>> {
        std::vector<RoleSpec> specs = WEIR_TRY(roles.scorers());
        if (!own.until_end) return specs;
        for (RoleSpec& spec : specs) {
          spec.done = [](Role& role) { return static_cast<score::Scorer&>(role).at_end(); };
        }
        return specs;
      };
      return run_role(*options, kScorerUses, make_specs, [](const RunCounters& counters) {
        log::info("scorer ended", {{"scored", counters.scored()},
                                   {"dead_letters", counters.dead()},
                                   {"transactions", counters.transactions()}});
        return kExitOk;
      });
    };
  });
}

}  // namespace weir::cli
