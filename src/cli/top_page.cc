#include "cli/top_page.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>

#include "base/moment.h"
#include "base/text.h"
#include "cli/status_words.h"

namespace weir::cli {
namespace {

constexpr std::size_t kMembersMax = 12;
constexpr std::size_t kPartitionsMax = 16;
constexpr std::size_t kCurveSteps = 60;  // five minutes

[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...) {
  std::array<char, 512> text{};
  va_list arguments;
  va_start(arguments, pattern);
  std::vsnprintf(text.data(), text.size(), pattern, arguments);
  va_end(arguments);
  return text.data();
}

std::string duration_text(double seconds) {
  if (seconds < 0.9995) return format("%.0f ms", seconds * 1000);
  if (seconds < 120) return format(seconds < 9.95 ? "%.1f s" : "%.0f s", seconds);
  if (seconds < 7'200) return format("%.0f min", seconds / 60);
  if (seconds < 172'800) return format("%.0f h", seconds / 3'600);
  return format("%.0f days", seconds / 86'400);
}

std::string rate_text(double per_second) {
  return format(per_second < 100 ? "%.2f/s" : "%.0f/s", per_second);
}

// A curve of eight heights; a blank where nothing is known.
std::string curve(const std::vector<std::optional<double>>& values) {
  static constexpr std::array<const char*, 8> kHeights = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  double most = 0;
  for (const auto& value : values) most = std::max(most, value.value_or(0));
  std::string text;
  for (const auto& value : values) {
    const double share = most > 0 ? value.value_or(0) / most : 0;
    text += value ? kHeights[static_cast<std::size_t>(share * 7.99)] : " ";
  }
  return text;
}

class TopPage {
 public:
  TopPage(const TopView& view, const TopShape& shape, Clock& clock)
      : view_(view), shape_(shape), clock_(clock) {}

  std::string take() {
    add_heading();
    add_gate();
    add_flow();
    add_alerts();
    if (view_.live) {
      add_members();
      add_partitions();
    }
    add_models();
    add_datasets();
    return joined();
  }

 private:
  // `style`: of ANSI's select graphic rendition; "" for none.
  void add(const std::string& text, const char* style = "") {
    // What others have named is in it.
    std::string line = cut_to_columns(one_line(text), shape_.size.columns);
    if (shape_.color && *style != '\0')
      line = "\x1b[" + std::string(style) + "m" + line + "\x1b[0m";
    lines_.push_back(std::move(line));
  }
  void add_title(const std::string& text) {
    add("");
    add(text, "1");
  }

  std::string since_text(const std::string& at) const {
    const auto moment = parse_moment(at, clock_.wall());
    if (!moment) return one_line(at);
    return at.substr(0, 19) + "Z (" + ago_text(at) + ")";
  }
  std::string ago_text(const std::string& at) const {
    const auto moment = parse_moment(at, clock_.wall());
    if (!moment) return "-";
    const auto passed = std::chrono::duration<double>(clock_.wall() - *moment).count();
    return duration_text(std::max(0.0, passed)) + " ago";
  }

  void add_heading() {
    const std::string right = format_time(clock_.wall()).substr(11, 8) + "Z";
    const std::string left = "pipeline " + one_line(view_.pipeline);
    const std::size_t room = shape_.size.columns - std::min(shape_.size.columns, right.size() + 1);
    add(fit_columns(left, room) + " " + right, "1");
  }

  void add_gate() {
    if (!view_.live) return add("the control log has not been read yet", "33");
    const record::ControlState& state = view_.live->status.control;
    const record::ControlRecord* begin = serve::gate_since(state);
    const std::string model =
        "model " + std::to_string(state.version) + ", epoch " + std::to_string(state.ruling_epoch);
    if (state.version == 0) {
      add("○ no model yet: the stream waits for a first data set", "2");
    } else if (state.gate_open()) {
      add("● open since " + since_text(begin->at) + ", " + model, "32");
    } else {
      add("■ halted since " + since_text(begin->at) + ", " + model + " until then", "33");
    }
    if (!state.begun) return;
    add("  epoch " + std::to_string(state.begun->epoch) + ": " + serve::cause_of(*state.begun));
    std::string late;
    for (const auto& member : view_.live->status.members) {
      const bool waited_for = member.latest.role == "scorer" || member.latest.role == "producer";
      if (!waited_for || member.silent || member.halted_epoch == state.begun->epoch) continue;
      late += (late.empty() ? "" : ", ") + member.latest.member;
    }
    const bool halts = state.begun->type == record::ControlType::kHalt;
    if (halts) add(late.empty() ? "  waits for the model" : "  waits until these halt: " + late);
  }

  void add_flow() {
    const serve::FlowFigures& flow = view_.flow;
    add_title("FLOW");
    add("  arriving " + rate_text(flow.arrived_per_s) + "   scored " +
        rate_text(flow.predicted_per_s) + "   dead letters " + rate_text(flow.dead_per_s) +
        "   waiting " + (flow.lag ? std::to_string(*flow.lag) : "-"));
    if (const auto& times = flow.answer_times) {
      add("  arrival to answer: half within " + duration_text(times->p50_s) + ", p95 " +
          duration_text(times->p95_s) + ", p99 " + duration_text(times->p99_s) + ", of " +
          std::to_string(times->answers) + " in the last minute");
    } else {
      add("  arrival to answer: none in the last minute");
    }
    const std::size_t shown = std::min(
        {kCurveSteps, flow.steps.size(), shape_.size.columns > 20 ? shape_.size.columns - 20 : 0});
    if (shown < 2) return;
    std::vector<std::optional<double>> scored;
    std::vector<std::optional<double>> waiting;
    for (std::size_t i = flow.steps.size() - shown; i + 1 < flow.steps.size(); ++i) {
      scored.emplace_back(static_cast<double>(flow.steps[i].predicted));
      const auto& lag = flow.steps[i].lag;
      waiting.push_back(lag ? std::optional(static_cast<double>(*lag)) : std::nullopt);
    }
    const double span =
        std::chrono::duration<double>(serve::Flow::kStep * static_cast<int>(shown - 1)).count();
    add("  scored   " + curve(scored) + " " + duration_text(span));
    add("  waiting  " + curve(waiting));
  }

  void add_alerts() {
    add_title("ALARMS");
    for (const auto& alert : view_.alerts) {
      add("  ! " + alert.words, alert.urgent ? "31" : "33");
    }
    if (!view_.store.trouble.empty()) {
      add("  ! the store cannot be read: " + view_.store.trouble, "33");
    }
    if (view_.alerts.empty() && view_.store.trouble.empty()) add("  none");
  }

  void add_members() {
    const auto& members = view_.live->status.members;
    add_title("  " + fit_columns("MEMBER", 24) + "  ROLE      HEARD OF  MODEL  WHAT IT DOES");
    for (std::size_t i = 0; i < std::min(members.size(), kMembersMax); ++i) {
      const auto& member = members[i];
      const std::uint64_t model = member.latest.progress.model;
      add("  " + fit_columns(member.latest.member, 24) + "  " + fit_columns(member.latest.role, 8) +
              "  " + format("%8s", seconds_text(serve::heard_ms(member, clock_)).c_str()) + "  " +
              format("%5s", model == 0 ? "-" : std::to_string(model).c_str()) + "  " +
              member_state(member),
          member.silent ? "31" : "");
    }
    if (members.empty()) add("  nobody has been heard of");
    if (members.size() > kMembersMax) add(more(members.size() - kMembersMax));
  }

  void add_partitions() {
    const auto& partitions = view_.live->status.partitions;
    add_title("  PARTITION  SCORED UP TO           END   WAITING  LAST RECORD  HELD BY");
    std::size_t shown = 0;
    for (const auto& [number, at] : partitions) {
      if (shown++ == kPartitionsMax) break;
      const auto& age = at.last_record_age_ms;
      const std::string last = age ? duration_text(static_cast<double>(*age) / 1000) : "-";
      add(format("  %9d  %12" PRId64 "  %12" PRId64 "  %8" PRId64 "  %11s  ", number,
                 at.scored_up_to(), at.end, at.lag(), last.c_str()) +
          (at.member.empty() ? "nobody" : at.member));
    }
    if (partitions.size() > kPartitionsMax) add(more(partitions.size() - kPartitionsMax));
  }

  static std::string more(std::size_t count) { return "  and " + std::to_string(count) + " more"; }

  void add_models() {
    add_title("  MODEL      RMSE       MAE      R2      ROWS  KIND      TRAINED     DATA SET");
    const std::uint64_t live = view_.live ? view_.live->status.control.version : 0;
    for (const auto& model : view_.store.models) {
      const auto held_out = [&](double value, const char* pattern) {
        return model.has_held_out ? format(pattern, value) : std::string("-");
      };
      add(format("%s %5" PRIu64 "  %8s  %8s  %6s  %8" PRIu64 "  ",
                 model.version == live ? "●" : " ", model.version,
                 held_out(model.held_out.rmse, "%.4g").c_str(),
                 held_out(model.held_out.mae, "%.4g").c_str(),
                 held_out(model.held_out.r2, "%.3f").c_str(), model.rows) +
              fit_columns(model.algorithm, 8) + "  " + fit_columns(ago_text(model.trained_at), 10) +
              "  " + store::base_name(model.dataset.path),
          model.version == live ? "1" : "");
    }
    if (view_.store.models.empty()) add(view_.store.read ? "  none" : "  not read yet");
  }

  void add_datasets() {
    const serve::DatasetLists& lists = view_.store.datasets;
    add_title("DATA SETS");
    if (!view_.store.read) return add("  not read yet");
    std::string waiting = "  waiting: ";
    for (const auto& entry : lists.waiting) waiting += entry.name + "  ";
    add(lists.waiting.empty() ? waiting + "none" : waiting);
    add("  used: " + (lists.used.empty() ? "none" : "last " + lists.used.front().name));
    if (lists.refused.empty()) return add("  refused: none");
    const auto& last = lists.refused.front();
    add("  refused: last " + last.entry.name + ": " +
        last.reason.value_or("no reason was written"));
  }

  std::string joined() {
    const std::size_t rows = shape_.size.rows;
    if (rows > 0 && lines_.size() > rows) {
      lines_.resize(rows - 1);
      add("… a taller terminal shows more", "2");
    }
    std::string page;
    for (std::size_t i = 0; i < lines_.size(); ++i) page += (i > 0 ? "\n" : "") + lines_[i];
    return page;
  }

  const TopView& view_;
  const TopShape& shape_;
  Clock& clock_;
  std::vector<std::string> lines_;
};

}  // namespace

std::string top_page(const TopView& view, const TopShape& shape, Clock& clock) {
  return TopPage(view, shape, clock).take();
}

}  // namespace weir::cli
