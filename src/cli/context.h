// What a command needs of the outside, made from the settings: the only place that says which
// store, which broker and which clock there are.
//
// Owner: a command. Threads: make it on one; what it holds may be shared.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/schedule.h"
#include "cli/topic_uses.h"
#include "config/load_settings.h"
#include "record/control_topic.h"
#include "registry/dataset_folder.h"
#include "registry/model_registry.h"
#include "serve/pipeline_status.h"
#include "store/file_store.h"
#include "stream/broker.h"
#include "trace/tracer.h"
#include "train/trainer.h"

namespace weir::cli {

// Exit codes that stand for no Error.
inline constexpr int kExitOk = 0;
inline constexpr int kExitSomeFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitIo = 74;           // of an Error, too
inline constexpr int kExitReaderGone = 141;  // 128 + SIGPIPE, as a shell tells of other tools
inline constexpr int kExitStuck = 70;        // a role did not come back from a step: see watchdog.h

// The options that every command has.
struct CommonOptions {
  std::string config_path;
  std::vector<std::string> kafka_options;
  std::vector<std::string> overrides;
  std::string output = "text";
  bool quiet = false;
  bool verbose = false;

  bool json() const { return output == "json"; }
};

// Declares the common options on a command.
void add_common_options(CLI::App& command, CommonOptions& common);

// One line on stderr: "weir: text", or a JSON object as the log writes it with --output json.
void tell(const std::string& text);
// Tells the error and gives the exit code that stands for it.
int report(const Error& error);

// The settings alone, for commands that touch no server. Sets up the log. On problems they have
// been printed, and the Error only carries the exit code; with --output json it tells them all.
Result<config::LoadedSettings> load_settings_for(const CommonOptions& common);

class Context {
 public:
  static Result<std::unique_ptr<Context>> make(const CommonOptions& common);

  const config::Settings& settings() const { return loaded_.settings; }
  const config::LoadedSettings& loaded() const { return loaded_; }
  Clock& clock() { return system_clock(); }
  const record::ControlTopic& control_topic() const { return control_topic_; }
  // Made at the first call; the store's first request comes later.
  Result<store::FileStore*> store();
  Result<stream::Broker*> broker();
  // Null where traces are not exported. Made at the first call; whoever uses it ends before.
  Result<trace::Tracer*> tracer();
  // Makes the pipeline's topics where they are missing, and sees to it that this user may use them
  // so; the first word with Kafka.
  Status ensure_topics(const TopicUses& uses);

  serve::PipelineNames pipeline_names() const;
  std::string host_and_pid() const;
  // A member name that no other live process on this host has, the same again after a restart:
  // "<role>-<host>-<n>" with the lowest free n, held until the process ends.
  Result<std::string> claim_member_name(const std::string& role);
  // The same of a scorer's threads, of which the first is 1; named by score.instance where it is
  // set.
  Result<std::string> claim_scorer_name(int thread);

  Schedule schedule() const;
  train::TrainingOptions training_options() const;
  train::TrainerOptions trainer_options() const;

 private:
  Context(config::LoadedSettings loaded, record::ControlKeys keys)
      : loaded_(std::move(loaded)), control_topic_(settings().topics.control, std::move(keys)) {}

  config::LoadedSettings loaded_;
  record::ControlTopic control_topic_;
  std::shared_ptr<store::FileStore> store_;
  std::unique_ptr<stream::Broker> broker_;
  bool tracer_made_ = false;
  std::unique_ptr<trace::Tracer> tracer_;
};

}  // namespace weir::cli
