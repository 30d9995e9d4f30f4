#include "serve/live.h"

#include "base/log.h"
#include "cache/prediction_cache.h"

namespace weir::serve {
namespace {

constexpr Millis kLookEvery{1'000};
constexpr Millis kLoadAgainAfter{2'000};
constexpr Millis kPollMax{100};
constexpr std::size_t kIdleParsersMax = 16;

}  // namespace

LiveModel::LiveModel(std::uint64_t version, registry::LoadedModel loaded, cache::CacheAccess* cache)
    : version_(version),
      loaded_(std::move(loaded)),
      predicting_(cache ? cache->in_front_of(loaded_.model, version_, loaded_.manifest.model_sha256)
                        : loaded_.model) {
  if (!model().inputs().plain()) encoder_.emplace(model().inputs());
}

LiveModel::Parser LiveModel::parser() const {
  std::unique_ptr<format::FeatureParser> parser;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      parser = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!parser) parser = std::make_unique<format::FeatureParser>(schema(), model().inputs());
  return {*this, std::move(parser)};
}

void LiveModel::give_back(std::unique_ptr<format::FeatureParser> parser) const {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleParsersMax) idle_.push_back(std::move(parser));
}

std::shared_ptr<const LiveView> Live::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

void Live::set(std::shared_ptr<const LiveView> view) {
  const std::lock_guard lock(mutex_);
  view_ = std::move(view);
  trouble_.reset();
}

Result<std::shared_ptr<const LiveView>> Live::view_or_trouble() const {
  if (auto seen = view()) return seen;
  const auto why = trouble();
  return fail(Code::kUnavailable,
              why ? why->message() : "the gateway has not read the control log yet");
}

std::optional<Error> Live::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void Live::set_trouble(std::optional<Error> trouble) {
  const std::lock_guard lock(mutex_);
  trouble_ = std::move(trouble);
}

Result<std::unique_ptr<LiveFollower>> LiveFollower::open(PipelineNames names,
                                                         stream::Broker& broker,
                                                         const registry::ModelRegistry& models,
                                                         Clock& clock, Live& live, OnLook on_look,
                                                         cache::CacheAccess* cache) {
  std::unique_ptr<LiveFollower> follower(
      new LiveFollower(models, clock, live, std::move(on_look), cache));
  auto watch = PipelineWatch::open(std::move(names), broker, clock,
                                   [own = follower.get()](const record::ControlRecord& record) {
                                     if (own->history_.size() == kHistoryMax)
                                       own->history_.erase(own->history_.begin());
                                     own->history_.push_back(record);
                                     own->shown_history_.reset();
                                   });
  if (!watch) {
    live.set_trouble(watch.error());
    return fail(watch.error());
  }
  follower->watch_ = std::move(*watch);
  return follower;
}

Status LiveFollower::step(Millis wait_max, std::stop_token) {
  const auto news = watch_->poll(std::min(wait_max, kPollMax));
  if (!news) {
    live_.set_trouble(news.error());
    return fail(news.error());
  }
  const bool lacks_model = watch_->control().version != (model_ ? model_->version() : 0);
  const SteadyTime now = clock_.steady();
  if (!*news && now < next_look_ && !(lacks_model && now >= next_load_)) return {};
  auto looked = look();
  if (!looked) live_.set_trouble(looked.error());
  return looked;
}

Status LiveFollower::look() {
  auto view = std::make_shared<LiveView>();
  view->status = WEIR_TRY(watch_->look());
  if (!shown_history_) {
    shown_history_ = std::make_shared<const std::vector<record::ControlRecord>>(history_);
  }
  view->history = shown_history_;
  load(*view);
  view->looked_at = clock_.steady();
  next_look_ = view->looked_at + kLookEvery;
  const std::shared_ptr<const LiveView> shown = std::move(view);
  live_.set(shown);
  if (on_look_) on_look_(shown->status);
  return {};
}

void LiveFollower::load(LiveView& view) {
  const record::ControlState& control = view.status.control;
  if (control.version == 0) {
    model_.reset();
  } else if (!model_ || model_->version() != control.version) {
    model_.reset();
    auto loaded = models_.load(control.version, control.sha256);
    if (loaded) {
      model_ = std::make_shared<const LiveModel>(control.version, std::move(*loaded), cache_);
    } else {
      view.model_trouble =
          std::move(loaded.error())
              .while_doing("loading model version " + std::to_string(control.version));
      log::warn("the model in force is not at hand", {{"reason", *view.model_trouble}});
      next_load_ = clock_.steady() + kLoadAgainAfter;
    }
  }
  view.model = model_;
}

}  // namespace weir::serve
