// weir config check | show, and weir doctor.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/spark_engine.h"
#include "config/show_settings.h"
#include "gate/control_log.h"
#include "stream/kafka_broker.h"

namespace weir::cli {
namespace {

constexpr Millis kLogTimeout{10'000};

int check_config(const CommonOptions& common) {
  const auto loaded = load_settings_for(common);
  if (!loaded) return report(loaded.error());
  // Made, but not used: that checks the properties and reaches nobody.
  const auto kafka = stream::KafkaBroker::make(loaded->settings.kafka);
  if (!kafka) return report(kafka.error());
  if (common.json()) {
    std::printf("{\"ok\": true}\n");
  } else {
    std::printf("%s is in order\n", loaded->file.c_str());
  }
  return kExitOk;
}

int show_config(const CommonOptions& common) {
  const auto loaded = load_settings_for(common);
  if (!loaded) return report(loaded.error());
  if (!common.json()) {
    std::fputs(config::settings_as_yaml(*loaded).c_str(), stdout);
    return kExitOk;
  }
  for (const auto& setting : config::shown_settings(*loaded)) {
    const nlohmann::ordered_json json = {
        {"name", setting.name}, {"value", setting.value}, {"origin", setting.origin}};
    std::printf("%s\n",
                json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  }
  return kExitOk;
}

// One line per check; the worst exit code of all.
class Checks {
 public:
  explicit Checks(bool json) : json_(json) {}
  void add(const std::string& what, const Status& status, const std::string& advice) {
    if (!status) exit_code_ = std::max(exit_code_, status.error().exit_code());
    const std::string reason = status ? "" : status.error().message();
    if (json_) {
      nlohmann::ordered_json json = {{"check", what}, {"ok", status.has_value()}};
      if (!status) json.update({{"reason", reason}, {"advice", advice}});
      std::printf("%s\n", json.dump().c_str());
    } else if (status) {
      std::printf("ok    %s\n", what.c_str());
    } else {
      std::printf("FAIL  %s\n      %s\n      %s\n", what.c_str(), reason.c_str(), advice.c_str());
    }
    std::fflush(stdout);
  }
  int exit_code() const { return exit_code_; }

 private:
  const bool json_;
  int exit_code_ = 0;
};

// Writes, reads back and removes a small file under a name that no trainer looks at.
Status probe_folder(store::FileStore& store, const std::string& folder) {
  const std::string path = folder + "/.weir-doctor.tmp";
  WEIR_TRY(store.make_directories(folder));
  WEIR_TRY(store.remove(path));
  if (Status created = store::create_from(store, path, "weir doctor\n"); !created) {
    if (!created.error().retryable()) static_cast<void>(store.remove(path));
    return created;
  }
  const auto read = WEIR_TRY(store::read_all(store, path, 100));
  WEIR_TRY(store.remove(path));
  if (read != "weir doctor\n") return fail(Code::kCorrupt, "a file does not read back as written");
  return {};
}

Status probe_control(Context& context) {
  stream::Broker* broker = WEIR_TRY(context.broker());
  auto control = WEIR_TRY(gate::ControlFollower::open(*broker, context.control_topic()));
  return control->catch_up(kLogTimeout);
}

int doctor(const CommonOptions& common) {
  auto made = Context::make(common);
  if (!made) return report(made.error());
  Context& context = **made;
  const config::Settings& own = context.settings();
  Checks checks(common.json());
  checks.add("settings " + context.loaded().file, {}, "");
  const Schedule schedule = context.schedule();
  if (const auto due = schedule.next_after(context.clock().wall())) {
    checks.add("schedule of trainings " + schedule.text() + ": next at " + format_time(*due), {},
               "");
  }

  auto store = context.store();
  if (!store) {
    checks.add("store", fail(store.error()),
               "set `store:` or fs.defaultFS in core-site.xml of $HADOOP_CONF_DIR");
  } else {
    for (const std::string& folder : {own.dataset.path, own.model.path}) {
      const Status probed = probe_folder(**store, folder);
      checks.add(
          "store " + (*store)->url(folder) + ": make, write, read, remove", probed,
          "is HDFS up and out of safe mode, is the address right, may this user write there?");
      if (!probed && probed.error().retryable()) break;  // nor would it answer for the other folder
    }
  }
  const Status topics = context.ensure_topics(kDoctorUses);
  checks.add("Kafka " + own.kafka.at("bootstrap.servers") + ": topics of pipeline " + own.pipeline,
             topics,
             "is the broker up, is kafka.bootstrap.servers right, may this user create topics, or "
             "see those that are there (docs/security.md)?");
  if (topics) {
    checks.add("Kafka: control log " + own.topics.control + " reads to its end",
               probe_control(context), "may this user read it?");
  }
  if (own.model.engine == config::Engine::kSpark) {
    const auto spark = SparkEngine::make(own, config::process_environment());
    checks.add("Spark: the programs to submit a job by and to ship to workers",
               spark ? Status() : fail(spark.error()), "set spark.submit and spark.program");
  }
  return checks.exit_code();
}

}  // namespace

void add_config(CLI::App& app, Action& action) {
  auto common = std::make_shared<CommonOptions>();
  CLI::App* command = app.add_subcommand("config", "The settings: check them, show their origin");
  command->require_subcommand(1);
  CLI::App* check = command->add_subcommand("check", "Check the settings file; touches no server");
  add_common_options(*check, *common);
  check->callback([common, &action] { action = [common] { return check_config(*common); }; });
  CLI::App* show = command->add_subcommand("show", "Every setting, its value and where it is from");
  add_common_options(*show, *common);
  show->callback([common, &action] { action = [common] { return show_config(*common); }; });
}

void add_doctor(CLI::App& app, Action& action) {
  auto common = std::make_shared<CommonOptions>();
  CLI::App* command = app.add_subcommand("doctor", "Reach every server and say what to fix");
  add_common_options(*command, *common);
  command->callback([common, &action] { action = [common] { return doctor(*common); }; });
}

}  // namespace weir::cli
