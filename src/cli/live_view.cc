#include "cli/live_view.h"

#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "cli/fit_page.h"
#include "cli/model_page.h"
#include "format/prediction_message.h"
#include "serve/held_out_values.h"

namespace weir::cli {
namespace {

constexpr Millis kCatchUp{10'000};
constexpr Millis kBetweenShown{200};
constexpr Millis kBetweenDeadShown{1'000};
constexpr std::size_t kColumns = 80;       // of the table, whatever the terminal
constexpr std::size_t kKeyBytesMax = 256;  // as many are looked at, of a key of any length
constexpr std::size_t kVersionsKept = 4;
// The rest of a line on the terminal, where a training's progress may stand.
constexpr const char* kWipe = "\x1b[K";

using Json = nlohmann::ordered_json;

void print_json(const Json& json) {
  std::printf("%s\n", json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  std::fflush(stdout);
}

std::string key_text(const std::string& key) {
  return one_line(std::string_view(key).substr(0, kKeyBytesMax));
}

}  // namespace

Result<std::unique_ptr<LiveView>> LiveView::open(LiveViewOptions options, stream::Broker& broker,
                                                 registry::ModelRegistry& models, Clock& clock,
                                                 ControlShown& shown) {
  std::unique_ptr<LiveView> view(new LiveView(std::move(options), models, clock, shown));
  const LiveViewOptions& own = view->options_;
  view->control_ = WEIR_TRY(gate::ControlFollower::open(broker, own.control_topic));
  view->predictions_ = WEIR_TRY(broker.open_log(own.predictions_topic, stream::StartAt::kEnd));
  view->dead_ = WEIR_TRY(broker.open_log(own.dead_topic, stream::StartAt::kEnd));
  const auto listen = [view = view.get()] {
    view->control_->on_record([view](const auto& record) { view->show_control(record); });
  };
  if (shown.began) listen();  // a life after the first: with what came in between
  WEIR_TRY(view->control_->catch_up(kCatchUp));
  if (!shown.began) view->show_beginning();
  listen();
  view->load_actual_values(view->control_->state().version);
  return view;
}

// What has ended before is told in one line; what is under way is shown as it goes on.
void LiveView::show_beginning() {
  const record::ControlState& state = control_->state();
  if (!options_.json && state.version > 0) {
    std::printf("%smodel %" PRIu64 " is in force since epoch %" PRIu64 "\n",
                mark("●", "32").c_str(), state.version, state.ruling_epoch);
  } else if (!options_.json) {
    std::printf("%swaiting for a data set\n", mark("○", "2").c_str());
  }
  std::fflush(stdout);
  if (state.begun) show_begun(*state.begun);
  shown_ = {true, state.epoch, state.ruling_epoch};
}

std::string LiveView::mark(const char* symbol, const char* color) const {
  if (!options_.color) return std::string(symbol) + " ";
  return kWipe + std::string("\x1b[") + color + "m" + symbol + "\x1b[0m ";
}

Status LiveView::step(Millis wait_max, std::stop_token) {
  WEIR_TRY(control_->poll(Millis{0}));
  for (const auto& entry : WEIR_TRY(dead_->poll(Millis{0}))) show_dead_letter(entry);
  for (const auto& entry : WEIR_TRY(predictions_->poll(std::min(wait_max, Millis{50})))) {
    WEIR_TRY(show_prediction(entry));
  }
  return {};
}

void LiveView::show_control(const record::ControlRecord& record) {
  const bool resumes = record.type == record::ControlType::kResume;
  std::uint64_t& shown = resumes ? shown_.resumed : shown_.begun;
  if (record.epoch <= shown) return;
  shown = record.epoch;
  if (resumes) {
    show_resume(record);
  } else {
    show_begun(record);
  }
}

void LiveView::show_begun(const record::ControlRecord& begun) {
  if (options_.json) {
    print_json(Json::parse(begun.to_json()));
    return;
  }
  const bool halts = begun.type == record::ControlType::kHalt;
  const std::string what = begun.dataset
                               ? "data set " + one_line(begun.dataset->path) + " (" +
                                     format_bytes(begun.dataset->length) + ") taken up"
                               : "rollback to version " + std::to_string(*begun.rollback_to);
  std::printf("\n%s%s, epoch %" PRIu64 "\n", mark("■", "33").c_str(), what.c_str(), begun.epoch);
  if (halts) std::printf("    the stream is halted until the next model is in force\n");
  std::fflush(stdout);
  heading_shown_ = false;
}

void LiveView::show_resume(const record::ControlRecord& resume) {
  if (options_.json) print_json(Json::parse(resume.to_json()));
  auto loaded = resume.version == 0
                    ? Result<registry::LoadedModel>(fail(Code::kNotFound, "no model yet"))
                    : models_.load(resume.version, resume.sha256);
  if (loaded) load_actual_values(resume.version);
  if (options_.json) return;
  switch (resume.outcome) {
    case record::Outcome::kTrained:
      if (loaded) {
        show_model(*loaded);
      } else {
        std::printf("%smodel %" PRIu64 " is in force; it cannot be shown: %s\n",
                    mark("●", "32").c_str(), resume.version,
                    one_line(loaded.error().message()).c_str());
      }
      break;
    case record::Outcome::kRolledBack:
      std::printf("%srolled back to version %" PRIu64 ", the stream flows\n",
                  mark("●", "32").c_str(), resume.version);
      break;
    case record::Outcome::kRefused:
    case record::Outcome::kFailed:
      // The trainer tells the reason on stderr, and in rejected/.
      std::printf(
          "%s%s; ", mark("✗", "31").c_str(),
          resume.outcome == record::Outcome::kRefused ? "data set refused" : "training failed");
      if (resume.version > 0) {
        std::printf("the stream flows on with model %" PRIu64 "\n", resume.version);
      } else {
        std::printf("still waiting for one that will do\n");
      }
      break;
  }
  std::fflush(stdout);
}

void LiveView::show_model(const registry::LoadedModel& loaded) {
  const registry::Manifest& manifest = loaded.manifest;
  std::printf("%smodel %" PRIu64 " is in force: %s, %s in %.2g s\n", mark("●", "32").c_str(),
              manifest.version, manifest.algorithm.c_str(),
              manifest.imported ? "imported" : "trained", manifest.training_seconds);
  if (manifest.imported) {
    std::printf("    from %s\n", origin_text(*manifest.imported).c_str());
  }
  std::printf("    %" PRIu64 " rows (%" PRIu64 " to train on, %" PRIu64 " held out", manifest.rows,
              manifest.rows_trained, manifest.rows_held_out);
  if (manifest.rows_refused > 0) std::printf(", %" PRIu64 " refused", manifest.rows_refused);
  std::printf(")\n");
  if (manifest.has_held_out) {
    std::printf("    on the held-out rows: RMSE %.4g, MAE %.4g, R² %.4f\n", manifest.held_out.rmse,
                manifest.held_out.mae, manifest.held_out.r2);
  }
  if (const std::string compared = manifest.comparison(); !compared.empty()) {
    std::printf("    the better of %s\n", compared.c_str());
  }
  if (manifest.quality) {
    std::printf("    good enough: %s\n",
                one_line(registry::quality_text(*manifest.quality)).c_str());
  }
  if (manifest.fit && manifest.fit->ridge) {
    std::printf("    ridge: %s\n", ridge_text(*manifest.fit).c_str());
  }
  print_equation(loaded);
  for (const std::string& note : manifest.notes)
    std::printf("    note: %s\n", one_line(note).c_str());
  std::printf("    saved as %s, sha256 %.12s…\n", models_.url(manifest.version).c_str(),
              manifest.model_sha256.c_str());
}

void LiveView::load_actual_values(std::uint64_t version) {
  if (version == 0) return;  // none yet
  auto manifest = models_.manifest(version);
  auto csv = models_.test_csv(version);
  if (!manifest || !csv) return;  // predictions are shown without
  auto values = serve::held_out_values(*csv, manifest->schema.target);
  if (!values) return;
  actual_values_[version] = std::move(*values);
  // Not the new one, which after a rollback may be the lowest.
  while (actual_values_.size() > kVersionsKept) {
    const auto lowest = actual_values_.begin();
    actual_values_.erase(lowest->first == version ? std::next(lowest) : lowest);
  }
}

Status LiveView::show_prediction(const stream::LogEntry& entry) {
  const SteadyTime now = clock_.steady();
  if (!options_.predictions || now < next_shown_) {
    ++not_shown_;
    return {};
  }
  const auto prediction = format::parse_prediction(entry.value);
  if (!prediction) return {};
  // Its model is in force, but the two topics are read apart, and this one was faster.
  if (prediction->epoch > shown_.resumed) WEIR_TRY(control_->catch_up(kCatchUp));
  next_shown_ = now + kBetweenShown;
  std::string actual;
  const auto colon = entry.key.find(':');
  if (colon != std::string::npos) {
    const auto version = parse_int64(std::string_view(entry.key).substr(0, colon));
    const auto values = actual_values_.find(static_cast<std::uint64_t>(version.value_or(0)));
    if (values != actual_values_.end()) {
      const auto found = values->second.find(entry.key.substr(colon + 1));
      if (found != values->second.end()) actual = found->second;
    }
  }
  if (options_.json) {
    Json json = {{"type", "prediction"}, {"key", entry.key}};
    json.update(Json::parse(entry.value));
    if (!actual.empty()) json["actual"] = parse_finite_double(actual).value_or(0);
    print_json(json);
    return {};
  }
  if (!heading_shown_) {
    std::printf("\n  %-8s  %-12s  %11s %11s %5s %5s  %s\n", "TIME", "KEY", "PREDICTED", "ACTUAL",
                "MODEL", "EPOCH", "FROM");
    heading_shown_ = true;
  }
  const std::string time = format_time(clock_.wall()).substr(11, 8);
  char figures[128];
  std::snprintf(figures, sizeof figures, "  %11.5g %11s %5" PRIu64 " %5" PRIu64 "  %d@%" PRId64,
                prediction->values.front(),
                actual.empty() ? "-" : cut_to_columns(one_line(actual), 11).c_str(),
                prediction->model, prediction->epoch, prediction->partition, prediction->offset);
  std::string line = "  " + time + "  " + fit_columns(key_text(entry.key), 12) + figures;
  if (not_shown_ > 0) line += "  +" + std::to_string(not_shown_);
  std::printf("%s%s\n", options_.color ? kWipe : "", cut_to_columns(line, kColumns).c_str());
  not_shown_ = 0;
  std::fflush(stdout);
  return {};
}

void LiveView::show_dead_letter(const stream::LogEntry& entry) {
  const SteadyTime now = clock_.steady();
  if (now < next_dead_shown_) return;
  next_dead_shown_ = now + kBetweenDeadShown;
  if (options_.json) {
    print_json({{"type", "dead_letter"}, {"key", entry.key}, {"offset", entry.offset}});
    return;
  }
  std::printf("%sdead letter: key '%s', offset %" PRId64 " of %s; its headers tell why\n",
              mark("✗", "31").c_str(), cut_to_columns(key_text(entry.key), 16).c_str(),
              entry.offset, options_.dead_topic.c_str());
  std::fflush(stdout);
}

}  // namespace weir::cli
