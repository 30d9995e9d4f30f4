// weir plan, stats, merge, fit: training in pieces that any scheduler can run anywhere.
#include <cstdio>
#include <memory>

#include "base/sha256.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/split_source.h"
#include "cli/split_work.h"
#include "cli/version.h"
#include "cli/whole_files.h"
#include "train/plan_json.h"
#include "train/profile_state.h"
#include "train/split_merge.h"

namespace weir::cli {
namespace {

struct SplitOptions {
  CommonOptions common;
  std::string place;    // plan
  std::string dataset;  // plan
  std::uint64_t split_bytes = train::kSplitBytes;
  bool profile = false;               // plan
  std::vector<std::string> profiles;  // plan: files of states of one
  std::vector<std::string> inputs;    // stats: lines; merge, fit: files
  bool base64 = false;
  bool ignore_duplicates = false;
  std::string out;  // fit

  train::Duplicates duplicates() const {
    return ignore_duplicates ? train::Duplicates::kIgnore : train::Duplicates::kRefuse;
  }
};

// ---- plan ----

Result<std::vector<train::PlannedSplit>> splits_of(store::FileStore& store,
                                                   const std::string& address,
                                                   const registry::Dataset& dataset,
                                                   const train::TrainingOptions& training,
                                                   const SplitOptions& options) {
  if (options.profile) return train::plan_profile(store, address, dataset, training);
  if (options.profiles.empty()) return train::plan_splits(store, address, dataset, training);
  auto merged = WEIR_TRY(merged_states(options.profiles, options.duplicates()));
  return train::plan_by_profile(store, address, dataset, training,
                                WEIR_TRY(train::whole_state(std::move(merged))));
}

Status plan(const SplitOptions& options) {
  if (options.place.empty() == options.dataset.empty()) {
    return fail(Code::kInvalidArgument, "give either a PATH or --dataset NAME");
  }
  auto context = WEIR_TRY(Context::make(options.common));
  std::shared_ptr<store::FileStore> opened;
  store::FileStore* store = nullptr;
  StorePath place;
  if (options.dataset.empty()) {
    place = WEIR_TRY(store_path_of(options.place));
    opened = WEIR_TRY(open_store_at(place.address, context->settings().hdfs));
    store = opened.get();
  } else {
    store = WEIR_TRY(context->store());
    place.path = store::join_path(context->settings().dataset.path, options.dataset);
    place.address = address_of(*store);
  }
  const auto dataset =
      WEIR_TRY(during(open_dataset(*store, place.path), "looking for " + store->url(place.path)));
  train::TrainingOptions training = context->training_options();
  training.split_bytes = options.split_bytes;
  for (const auto& split : WEIR_TRY(splits_of(*store, place.address, dataset, training, options))) {
    std::printf("%s\n", WEIR_TRY(train::split_line(split)).c_str());
  }
  return {};
}

// ---- fit ----

Status fit(const SplitOptions& options, Clock& clock) {
  train::SplitState state =
      WEIR_TRY(train::whole_state(WEIR_TRY(merged_states(options.inputs, options.duplicates()))));
  const std::shared_ptr<const train::Plan> plan = state.plan;
  const std::string prefix = plan->store == "file:///" ? "file://" : plan->store;
  train::TrainedModel trained =
      WEIR_TRY(train::fit_state(std::move(state), prefix, [] { return Status(); }));
  registry::Manifest& manifest = trained.manifest;
  manifest.dataset.path = plan->dataset;
  manifest.dataset.length = plan->bytes;
  manifest.program_version = kProgramVersion;
  manifest.trained_at = format_time(clock.wall());
  manifest.model_sha256 = sha256_hex(trained.model_json);
  std::string out = options.out;
  while (out.size() > 1 && out.ends_with('/')) out.pop_back();
  WEIR_TRY(during(put_whole(out,
                            {{"model.json", trained.model_json},
                             {"test.csv", trained.test_csv},
                             {"manifest.json", manifest.to_json()}},
                            Form::kFolder),
                  "writing the model"));
  if (options.common.json()) {
    std::printf("%s", manifest.to_json().c_str());
    return {};
  }
  std::printf(
      "%s model in %s, sha256 %s\n%llu rows, %llu to train on, %llu held out, %llu refused\n",
      manifest.algorithm.c_str(), one_line(options.out).c_str(), manifest.model_sha256.c_str(),
      static_cast<unsigned long long>(manifest.rows),
      static_cast<unsigned long long>(manifest.rows_trained),
      static_cast<unsigned long long>(manifest.rows_held_out),
      static_cast<unsigned long long>(manifest.rows_refused));
  if (manifest.has_held_out) {
    std::printf("on the held-out rows: RMSE %.4g, MAE %.4g, R² %.4g\n", manifest.held_out.rmse,
                manifest.held_out.mae, manifest.held_out.r2);
  }
  return {};
}

// ---- the command line ----

std::shared_ptr<SplitOptions> declare(CLI::App& command, Action& action,
                                      Status (*run)(const SplitOptions&)) {
  auto options = std::make_shared<SplitOptions>();
  add_common_options(command, options->common);
  command.callback([options, run, &action] {
    action = [options, run] {
      const Status done = run(*options);
      return done ? kExitOk : report(done.error());
    };
  });
  return options;
}

}  // namespace

void add_plan(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "plan", "The splits of a data set, a line of JSON each, for training on many machines");
  const auto options = declare(*command, action, plan);
  command->add_option("PATH", options->place,
                      "A file, or a folder with its _SUCCESS marker: of this machine, or as "
                      "hdfs://HOST:PORT/PATH or webhdfs://HOST:PORT/PATH");
  command->add_option("--dataset", options->dataset, "A data set of the drop folder")
      ->type_name("NAME");
  command
      ->add_option("--split-bytes", options->split_bytes,
                   "Where files are cut; part of the model's bits")
      ->check(CLI::Range(train::kSplitBytesMin, train::kSplitBytesMax))
      ->capture_default_str();
  CLI::Option* profile = command->add_flag(
      "--profile", options->profile,
      "Lines whose states say what the columns hold, for --with-profile: where categories, dates, "
      "gaps or standardising have to be learned from all rows, workers look through them");
  command
      ->add_option("--with-profile", options->profiles,
                   "Files of those states, base64 or not (- is stdin): the columns are planned "
                   "from them, and no rows are read here")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->excludes(profile);
  command->add_flag("--ignore-duplicates", options->ignore_duplicates,
                    "Pass over a state of --with-profile that comes again, bit for bit");
}

void add_stats(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "stats", "What planned splits come to; splits that follow each other as one state");
  const auto options = declare(*command, action, [](const SplitOptions& own) {
    return own.inputs.empty() ? read_splits_of_stdin(own.base64)
                              : read_splits(own.inputs, own.base64);
  });
  command->add_option("LINE", options->inputs, "Lines of 'weir plan' (default: from stdin)");
  command->add_flag("--base64", options->base64, "Each state as one line of base64");
}

void add_merge(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("merge", "States of one plan, in any order, as one (one for each run)");
  const auto options = declare(*command, action, [](const SplitOptions& own) {
    return merge_files(own.inputs, own.duplicates(), own.base64);
  });
  command->add_option("FILE", options->inputs, "Files of states, base64 or not (default: stdin)");
  command->add_flag("--base64", options->base64, "Each state as one line of base64");
  command->add_flag("--ignore-duplicates", options->ignore_duplicates,
                    "Pass over a state that comes again, bit for bit");
}

void add_fit(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "fit", "The model of the states of all splits: model.json, manifest.json and test.csv");
  const auto options =
      declare(*command, action, [](const SplitOptions& own) { return fit(own, system_clock()); });
  command->add_option("FILE", options->inputs, "Files of states, base64 or not (default: stdin)");
  command
      ->add_option("--out", options->out,
                   "The folder to write, whole or not at all; it must not be there")
      ->type_name("FOLDER")
      ->required();
  command->add_flag("--ignore-duplicates", options->ignore_duplicates,
                    "Pass over a state that comes again, bit for bit");
}

}  // namespace weir::cli
