// weir top: what the gateway's page shows, in a terminal; without a gateway.
//
// The parts are those of the gateway: a LiveFollower keeps the status, a PredictionFeed without a
// store counts what flows. A role of its own reads the store, so that one that is slow holds up no
// other figure, and another one draws.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "base/value_text.h"
#include "cli/commands.h"
#include "cli/roles.h"
#include "cli/terminal.h"
#include "cli/top_page.h"
#include "predictions/prediction_feed.h"
#include "serve/flow_json.h"
#include "serve/flow_meter.h"
#include "serve/status_json.h"
#include "serve/watch_json.h"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr Millis kIntervalDefault{1'000};
constexpr Millis kIntervalMin{100};
constexpr Millis kKeysEvery{50};
constexpr Millis kStoreEvery{3'000};
// How much of the past is read from the topics at the start, for the curves.
constexpr Millis kLooksBack{300'000};
// What is not known by then a snapshot is printed without.
constexpr Millis kFirstLookMax{15'000};
constexpr Millis kNearlyAllAfter{3'000};
constexpr std::size_t kModelsShown = 5;
constexpr std::size_t kDatasetsShown = 20;
constexpr char kEscape = '\x1b';

struct TopOptions {
  CommonOptions common;
  std::string interval;
};

// What the roles of this command share.
struct Shared {
  Shared(Context& context, store::FileStore& opened_store, stream::Broker& opened_broker)
      : store(opened_store),
        broker(opened_broker),
        models(store, context.settings().model.path),
        dataset_path(context.settings().dataset.path),
        clock(context.clock()),
        flow(clock),
        meter(flow, nullptr) {}

  StoreView store_view() const {
    const std::lock_guard lock(mutex);
    return seen;
  }
  void set(StoreView view) {
    const std::lock_guard lock(mutex);
    seen = std::move(view);
  }

  store::FileStore& store;
  stream::Broker& broker;
  const registry::ModelRegistry models;
  const std::string dataset_path;
  Clock& clock;
  serve::Live live;
  serve::Flow flow;
  serve::FlowMeter meter;
  predictions::AnswerBoard board;
  predictions::FeedProgress progress;
  mutable std::mutex mutex;
  StoreView seen;  // of the store; guarded by mutex
};

// Reads models and data sets from the store, again and again.
class StoreReader final : public Role {
 public:
  explicit StoreReader(Shared& shared) : shared_(shared) {}

  Status step(Millis wait_max, std::stop_token stop) override {
    if (shared_.clock.steady() >= next_) {
      next_ = shared_.clock.steady() + kStoreEvery;
      StoreView view = shared_.store_view();
      auto looked = look(view);
      view.trouble = looked ? "" : one_line(looked.error().message());
      view.read = view.read || looked;
      shared_.set(std::move(view));
    }
    shared_.clock.sleep_for(std::min(wait_max, kKeysEvery), std::move(stop));
    return {};
  }
  void finish() override {}

 private:
  Status look(StoreView& view) {
    const registry::ModelRegistry& models = shared_.models;
    auto versions = WEIR_TRY(models.versions());
    std::vector<registry::Manifest> shown;
    for (auto at = versions.rbegin(); at != versions.rend() && shown.size() < kModelsShown; ++at) {
      const auto known =
          std::find_if(view.models.begin(), view.models.end(),
                       [&](const registry::Manifest& one) { return one.version == *at; });
      if (known != view.models.end()) {
        shown.push_back(*known);
      } else if (auto manifest = models.manifest(*at)) {
        shown.push_back(std::move(*manifest));
      } else if (manifest.error().retryable()) {
        return fail(manifest.error());
      }
    }
    view.models = std::move(shown);
    view.datasets = WEIR_TRY(
        serve::list_datasets(shared_.store, shared_.dataset_path, kDatasetsShown, reasons_));
    return {};
  }

  Shared& shared_;
  serve::RefusalReasons reasons_;
  SteadyTime next_{};
};

struct ScreenOptions {
  std::string pipeline;
  Millis interval{kIntervalDefault};
  bool json = false;
  bool repeats = false;  // more than one snapshot
  bool color = false;
};

// Draws on the terminal, or prints snapshots where there is none.
class Screen final : public Role {
 public:
  Screen(ScreenOptions options, Shared& shared, Terminal* terminal)
      : options_(std::move(options)),
        shared_(shared),
        terminal_(terminal),
        begun_(shared.clock.steady()) {}

  bool done() const { return done_; }
  void finish() override {}

  Status step(Millis wait_max, std::stop_token stop) override {
    if (terminal_) look_at_keys();
    const SteadyTime now = shared_.clock.steady();
    const bool resized = terminal_ && Terminal::size() != size_;
    const bool ready = terminal_ || known() || now - begun_ > kFirstLookMax;
    if (!done_ && ready && (now >= next_ || resized)) {
      next_ = now + options_.interval;
      show();
      done_ = done_ || (!terminal_ && !options_.repeats);
    }
    shared_.clock.sleep_for(std::min(wait_max, kKeysEvery), std::move(stop));
    return {};
  }

 private:
  // All has been read once; of a stream that never stands still, nearly all.
  bool known() const {
    if (!shared_.live.view() || !shared_.store_view().read) return false;
    const auto lags = shared_.progress.lag();
    if (lags.size() < 3) return false;
    std::int64_t behind = 0;
    for (const auto& lag : lags) behind += lag.behind;
    const bool long_enough = shared_.clock.steady() - begun_ > kNearlyAllAfter;
    return behind == 0 || (long_enough && behind < serve::kCopyBehindNormal);
  }

  void look_at_keys() {
    while (const auto key = Terminal::key()) {
      if (*key == 'q' || *key == 'Q') done_ = true;
      if (*key == kEscape && !Terminal::key()) done_ = true;  // alone: no arrow and the like
    }
  }

  TopView look() const {
    TopView view;
    view.pipeline = options_.pipeline;
    view.live = shared_.live.view();
    view.flow = shared_.flow.figures();
    view.store = shared_.store_view();
    serve::AlertSources sources =
        serve::alert_sources(view.live.get(), shared_.live.trouble(), shared_.clock);
    sources.flow = view.flow;
    for (const auto& lag : shared_.progress.lag()) sources.copy_behind += lag.behind;
    view.alerts = serve::alerts_of(sources, shared_.clock);
    if (!view.live) return view;
    for (serve::WatchAlarm& alarm : serve::watch_alarms(view.live->status)) {
      view.alerts.push_back({std::move(alarm.kind), false, std::move(alarm.words)});
    }
    return view;
  }

  void show() {
    const TopView view = look();
    if (options_.json) return print_json(view);
    if (!terminal_) {
      std::printf("%s\n", top_page(view, {{200, 0}, false}, shared_.clock).c_str());
      if (options_.repeats) std::printf("\n");
      std::fflush(stdout);
      done_ = done_ || std::ferror(stdout) != 0;
      return;
    }
    size_ = Terminal::size();
    terminal_->draw(top_page(view, {size_, options_.color}, shared_.clock));
  }

  void print_json(const TopView& view) {
    Json json = {{"pipeline", view.pipeline}, {"status", nullptr}};
    if (view.live) {
      json["status"] = serve::status_json(view.live->status, view.pipeline, shared_.clock);
    }
    json["flow"] = serve::flow_json(view.flow, 0);
    json.update(serve::alerts_json(view.alerts));
    json["models"] = Json::array();
    for (const auto& model : view.store.models) {
      json["models"].push_back(Json::parse(model.to_json()));
    }
    json["waiting"] = Json::array();
    for (const auto& entry : view.store.datasets.waiting) json["waiting"].push_back(entry.name);
    std::printf("%s\n", json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
    std::fflush(stdout);
    done_ = done_ || std::ferror(stdout) != 0;
  }

  const ScreenOptions options_;
  Shared& shared_;
  Terminal* const terminal_;  // null: there is none
  const SteadyTime begun_;
  SteadyTime next_{};
  TerminalSize size_;
  bool done_ = false;
};

std::vector<RoleSpec> specs_of(Context& context, Shared& shared) {
  const config::Settings& own = context.settings();
  std::vector<RoleSpec> specs(3);
  specs[0].name = "top: pipeline";
  specs[0].open = [&shared, names = context.pipeline_names()]() -> Result<std::unique_ptr<Role>> {
    return std::unique_ptr<Role>(WEIR_TRY(serve::LiveFollower::open(
        names, shared.broker, shared.models, shared.clock, shared.live,
        [&shared](const serve::PipelineStatus& seen) { shared.flow.note_lag(seen.lag()); })));
  };
  predictions::FeedOptions feed;
  feed.features_topic = own.topics.features;
  feed.predictions_topic = own.topics.predictions;
  feed.dead_topic = own.topics.dead;
  feed.keep = kLooksBack;
  specs[1].name = "top: flow";
  specs[1].open = [&shared, feed]() -> Result<std::unique_ptr<Role>> {
    return std::unique_ptr<Role>(WEIR_TRY(predictions::PredictionFeed::open(
        feed, shared.broker, shared.meter, shared.board, shared.progress, shared.clock)));
  };
  specs[2].name = "top: store";
  specs[2].open = [&shared]() -> Result<std::unique_ptr<Role>> {
    return std::unique_ptr<Role>(std::make_unique<StoreReader>(shared));
  };
  return specs;
}

Result<ScreenOptions> screen_options(const TopOptions& options) {
  ScreenOptions screen;
  screen.json = options.common.json();
  screen.color = std::getenv("NO_COLOR") == nullptr;
  screen.repeats = !options.interval.empty();
  if (screen.repeats) {
    const auto parsed = parse_duration(options.interval);
    if (!parsed || *parsed < kIntervalMin) {
      return fail(Code::kInvalidArgument,
                  "--interval '" + options.interval +
                      "' is no duration from 100ms on; write one such as 2s");
    }
    screen.interval = *parsed;
  }
  return screen;
}

Status watch_until_stopped(const TopOptions& options, std::stop_source stop, Ending& ending) {
  ScreenOptions screen = WEIR_TRY(screen_options(options));
  auto context = WEIR_TRY(Context::make(options.common));
  screen.pipeline = context->settings().pipeline;
  const bool draws =
      isatty(STDOUT_FILENO) != 0 && isatty(STDIN_FILENO) != 0 && !options.common.json();
  log::Options quiet;  // the alarms tell what is wrong, in its place
  quiet.level = options.common.verbose && !draws ? log::Level::kDebug : log::Level::kError;
  quiet.shape = options.common.json() ? log::Shape::kJson : context->settings().log.shape;
  log::configure(quiet);
  // The store is not asked for anything yet: one that is away is told of beside the rest.
  store::FileStore* store = WEIR_TRY(context->store());
  stream::Broker* broker = WEIR_TRY(context->broker());
  WEIR_TRY(context->ensure_topics(kTopUses));
  Shared shared(*context, *store, *broker);
  Terminal terminal;
  auto specs = specs_of(*context, shared);
  RoleSpec& drawing = specs.emplace_back();
  drawing.name = "top: screen";
  drawing.ends_all = true;
  drawing.done = [](Role& role) { return static_cast<Screen&>(role).done(); };
  drawing.open = [&]() -> Result<std::unique_ptr<Role>> {
    return std::unique_ptr<Role>(
        std::make_unique<Screen>(screen, shared, draws ? &terminal : nullptr));
  };
  // Whatever ends this, and however fast: the terminal is given back first.
  const std::stop_callback give_back(stop.get_token(), [&terminal] { terminal.leave(); });
  if (draws) terminal.enter();
  Status ended = run_roles(*context, std::move(specs), stop, ending, [&](bool) {
    terminal.leave();
    return kExitOk;
  });
  terminal.leave();
  return ended;
}

int top(const TopOptions& options) {
  std::stop_source stop;
  Ending ending(stop);
  const Status ended = watch_until_stopped(options, stop, ending);
  return ended ? kExitOk : report(ended.error());
}

}  // namespace

void add_top(CLI::App& app, Action& action) {
  auto options = std::make_shared<TopOptions>();
  CLI::App* command = app.add_subcommand(
      "top", "The gate, what flows, alarms, members, models and data sets, live in a terminal");
  add_common_options(*command, options->common);
  command->add_option("--interval", options->interval,
                      "Show anew so often, such as 2s (at a terminal: 1s; else one snapshot)");
  command->footer(
      "At a terminal: q or Ctrl-C ends it. Into a pipe: one snapshot, with --interval "
      "one each time.");
  command->callback([options, &action] { action = [options] { return top(*options); }; });
}

}  // namespace weir::cli
