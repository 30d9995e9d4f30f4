// What the gateway knows of the pipeline right now: the gate, the model in force, who is there.
//
// A follower renews it from the control log, the members topic and the models folder; requests
// look at the last view, and wait for nobody.
//
// Owner: the gateway. Threads: Live from any; a LiveFollower is a Role of one thread. Errors of
// step(): those of stream; the view stays, and says since when it is old.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/role.h"
#include "format/feature_message.h"
#include "registry/model_registry.h"
#include "serve/pipeline_status.h"

namespace weir::cache {
class CacheAccess;
}

namespace weir::serve {

// A model in force, with the parsers that its schema asks for.
class LiveModel {
 public:
  // `cache`: what is predicted here goes through it, where there is one.
  LiveModel(std::uint64_t version, registry::LoadedModel loaded,
            cache::CacheAccess* cache = nullptr);

  std::uint64_t version() const { return version_; }
  const model::Model& model() const { return *loaded_.model; }
  // As model().predict().
  void predict(std::span<const double> rows, std::span<double> out) const {
    predicting_->predict(rows, out);
  }
  const registry::Manifest& manifest() const { return loaded_.manifest; }
  const record::Schema& schema() const { return loaded_.model->schema(); }
  // Null where each feature is a number that must be there.
  const format::CellEncoder* encoder() const { return encoder_ ? &*encoder_ : nullptr; }

  // A parser has memory of its own: one for each thread that parses at the same time, taken here
  // and given back.
  class Parser {
   public:
    Parser(const LiveModel& model, std::unique_ptr<format::FeatureParser> parser)
        : model_(model), parser_(std::move(parser)) {}
    ~Parser() { model_.give_back(std::move(parser_)); }
    Parser(const Parser&) = delete;
    Parser& operator=(const Parser&) = delete;
    format::FeatureParser* operator->() { return parser_.get(); }

   private:
    const LiveModel& model_;
    std::unique_ptr<format::FeatureParser> parser_;
  };
  Parser parser() const;

 private:
  void give_back(std::unique_ptr<format::FeatureParser> parser) const;

  const std::uint64_t version_;
  const registry::LoadedModel loaded_;
  std::optional<format::CellEncoder> encoder_;  // constant after construction
  const std::shared_ptr<const model::Model> predicting_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<format::FeatureParser>> idle_;  // guarded by mutex_
};

struct LiveView {
  PipelineStatus status;
  // Of the control log, the last kHistoryMax; shared by the views between two of its records.
  std::shared_ptr<const std::vector<record::ControlRecord>> history;
  std::shared_ptr<const LiveModel> model;  // of status.control.version; absent: none, or not
                                           // loaded yet
  std::optional<Error> model_trouble;      // why the model in force is not at hand
  SteadyTime looked_at{};
};

inline constexpr std::size_t kHistoryMax = 10'000;

class Live {
 public:
  // Null before the first look.
  std::shared_ptr<const LiveView> view() const;
  // The same; kUnavailable, with the reason, before the first look.
  Result<std::shared_ptr<const LiveView>> view_or_trouble() const;
  void set(std::shared_ptr<const LiveView> view);
  // Of the last look, where it failed.
  std::optional<Error> trouble() const;
  void set_trouble(std::optional<Error> trouble);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const LiveView> view_;  // guarded by mutex_
  std::optional<Error> trouble_;          // guarded by mutex_
};

class LiveFollower final : public Role {
 public:
  // Hears of each look, on the follower's thread.
  using OnLook = std::function<void(const PipelineStatus&)>;
  static Result<std::unique_ptr<LiveFollower>> open(PipelineNames names, stream::Broker& broker,
                                                    const registry::ModelRegistry& models,
                                                    Clock& clock, Live& live,
                                                    OnLook on_look = nullptr,
                                                    cache::CacheAccess* cache = nullptr);
  Status step(Millis wait_max, std::stop_token stop) override;
  void finish() override {}

 private:
  LiveFollower(const registry::ModelRegistry& models, Clock& clock, Live& live, OnLook on_look,
               cache::CacheAccess* cache)
      : models_(models), clock_(clock), live_(live), on_look_(std::move(on_look)), cache_(cache) {}
  Status look();
  void load(LiveView& view);

  const registry::ModelRegistry& models_;
  Clock& clock_;
  Live& live_;
  const OnLook on_look_;
  cache::CacheAccess* const cache_;
  std::unique_ptr<PipelineWatch> watch_;
  std::vector<record::ControlRecord> history_;
  std::shared_ptr<const std::vector<record::ControlRecord>> shown_history_;  // null: history_ grew
  std::shared_ptr<const LiveModel> model_;
  SteadyTime next_look_{};
  SteadyTime next_load_{};
};

}  // namespace weir::serve
