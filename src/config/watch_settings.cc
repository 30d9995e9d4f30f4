#include "config/watch_settings.h"

#include "config/setting_kinds.h"

// A setting's name is its member's path, so that the two cannot part.
#define WEIR_AT(member) \
#member, [](auto& s) -> auto& { return s.member; }

namespace weir::config {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kManyMax = 100'000'000;

}  // namespace

void add_watch(std::vector<Setting>& table) {
  const TextRule dataset = {
      "empty, a name or an absolute path, at most 1000 bytes without NUL",
      [](std::string_view text) { return text.size() <= 1000 && text.find('\0') == text.npos; }};
  table.insert(
      table.end(),
      {flag(WEIR_AT(watch.enabled), "Whether `weir run` watches the stream, as `weir watch` does."),
       number_or("none", WEIR_AT(watch.psi_max), 0.001, 100, "index",
                 "The population stability index above which a feature counts as drifting."),
       number_or("none", WEIR_AT(watch.rmse_max), 0, 1e300, "units of the target",
                 "The RMSE on true values above which the model in force counts as too bad."),
       number(WEIR_AT(watch.clear_fraction), 0.01, 1,
              "The part of its bound to which a figure must fall to count as good again."),
       duration(WEIR_AT(watch.lasting), 0ms, 24h,
                "How long a figure must be out of its bound, or in again, to be told of."),
       integer(WEIR_AT(watch.rows_min), 1, kManyMax, "rows",
               "Of fewer rows of the stream nothing is said."),
       integer(WEIR_AT(watch.window_rows), 2, kManyMax, "rows",
               "How many of the last rows of the stream are compared with the model's, about."),
       integer(WEIR_AT(watch.actuals_min), 1, kManyMax, "values",
               "Of fewer true values nothing is said."),
       integer(WEIR_AT(watch.actuals_window), 1, 10'000'000, "values",
               "Over how many of the last true values RMSE and MAE are taken."),
       integer(WEIR_AT(watch.waiting_max), 1, 10'000'000, "records",
               "How many predictions wait for their true values at most; where more would, a part "
               "of the ids is followed."),
       duration(WEIR_AT(watch.waiting_time_max), 1s, 30 * 24h,
                "How long a prediction waits for its true value."),
       text(WEIR_AT(watch.retrain_dataset), dataset, "/warehouse/latest.csv",
            "The data set on which a training is asked for when a figure is out of its bound: as "
            "`weir train --now` takes it; empty is none."),
       duration(WEIR_AT(watch.retrain_interval), 0ms, 30 * 24h,
                "How much time lies between a training and one that is asked for at least.")});
}

}  // namespace weir::config
