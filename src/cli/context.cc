#include "cli/context.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/control_keys.h"
#include "cli/version.h"
#include "config/setting_table.h"
#include "store/open_store.h"
#include "stream/kafka_broker.h"

namespace weir::cli {
namespace {

constexpr Millis kFirstContact{10'000};
constexpr int kInstancesMax = 1000;

std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return "localhost";
  return name;
}

// An abstract socket's name belongs to one process of this host and goes with it: a lock that
// leaves nothing behind. The descriptor is kept open on purpose until the process ends.
bool claim_name(const std::string& name) {
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return true;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // The first byte stays NUL: abstract. A name too long for the field is told apart by its end.
  const std::size_t room = sizeof address.sun_path - 1;
  const std::string key = name.size() <= room ? name : name.substr(name.size() - room);
  key.copy(address.sun_path + 1, key.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + key.size());
  if (bind(descriptor, reinterpret_cast<sockaddr*>(&address), length) == 0) return true;
  close(descriptor);
  return false;
}

void warn_of_secrets(const CommonOptions& common) {
  const auto look = [](const std::string& name) {
    if (!config::is_secret(name)) return;
    tell(name +
         " was given on the command line, which every user of this machine can read; put it into a "
         "variable of the environment or a file of your own (docs/security.md)");
  };
  for (const std::string& option : common.kafka_options) {
    look("kafka." + option.substr(0, option.find('=')));
  }
  for (const std::string& option : common.overrides) look(option.substr(0, option.find('=')));
}

registry::BoostedSettings boosted_settings(const config::Settings& settings) {
  const config::BoostedSettings& own = settings.model.boosted;
  return {static_cast<std::uint64_t>(own.trees), static_cast<std::uint64_t>(own.depth),
          own.learning_rate, static_cast<std::uint64_t>(own.rows_max)};
}

registry::FeatureSettings feature_settings(const config::Settings& settings) {
  const config::FeaturesSettings& own = settings.features;
  return {own.types,         own.missing,
          own.missing_words, static_cast<std::uint64_t>(own.categories_max),
          own.standardise,   own.log,
          own.interactions};
}

}  // namespace

void add_common_options(CLI::App& command, CommonOptions& common) {
  command.add_option("-c,--config", common.config_path, "The settings file (default: weir.yaml)")
      ->type_name("FILE");
  command.add_option("-X", common.kafka_options, "A Kafka property, as librdkafka names it")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  command.add_option("-s,--set", common.overrides, "A setting, such as produce.rate=100")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  command.add_option("-o,--output", common.output, "Shape of the output and of messages")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command.add_flag("-q,--quiet", common.quiet, "Warnings and errors only");
  command.add_flag("-v,--verbose", common.verbose, "Tell more of what is done");
}

void tell(const std::string& text) {
  if (log::shape() == log::Shape::kJson) {
    log::error(text);
  } else {
    std::fprintf(stderr, "weir: %s\n", text.c_str());
  }
}

int report(const Error& error) {
  if (!error.message().empty()) tell(error.message());
  return error.exit_code();
}

Result<config::LoadedSettings> load_settings_for(const CommonOptions& common) {
  config::LoadRequest request;
  request.path = common.config_path;
  request.environment = config::process_environment();
  request.overrides = common.overrides;
  request.kafka_options = common.kafka_options;
  auto loaded = config::load_settings(request);
  if (!loaded && common.json()) {
    log::configure({log::Level::kError, log::Shape::kJson, false});
    return fail(loaded.error().error());
  }
  if (!loaded) {
    std::fputs(loaded.error().text().c_str(), stderr);
    return fail(Code::kBadConfig, "");
  }
  log::Options options;
  options.level = common.verbose ? log::Level::kDebug
                  : common.quiet ? log::Level::kWarn
                                 : loaded->settings.log.level;
  options.shape = common.json() ? log::Shape::kJson : loaded->settings.log.shape;
  options.color = isatty(STDERR_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  log::configure(options);
  for (const auto& warning : loaded->warnings) tell(config::problem_line(warning));
  warn_of_secrets(common);
  return std::move(*loaded);
}

Result<std::unique_ptr<Context>> Context::make(const CommonOptions& common) {
  config::LoadedSettings loaded = WEIR_TRY(load_settings_for(common));
  record::ControlKeys keys = WEIR_TRY(read_control_keys(loaded.settings.control));
  return std::unique_ptr<Context>(new Context(std::move(loaded), std::move(keys)));
}

Result<store::FileStore*> Context::store() {
  if (!store_) {
    store::StoreOptions options;
    options.url = settings().store;
    options.hdfs = settings().hdfs;
    options.environment = config::process_environment();
    store_ = WEIR_TRY(during(store::open_store(options), "opening the store"));
  }
  return store_.get();
}

Result<stream::Broker*> Context::broker() {
  if (!broker_) {
    stream::KafkaTimeouts timeouts;
    timeouts.transaction += settings().score.commit_interval;  // it begins a while before its end
    broker_ = WEIR_TRY(
        during(stream::KafkaBroker::make(settings().kafka, timeouts, CrashPoints::kill_at_env()),
               "setting up Kafka"));
  }
  return broker_.get();
}

Result<trace::Tracer*> Context::tracer() {
  if (!tracer_made_) {
    auto options = WEIR_TRY(during(trace::otel_options(config::process_environment()),
                                   "reading the variables of OpenTelemetry"));
    options.resource.emplace_back("service.instance.id", host_and_pid());
    options.resource.emplace_back("service.version", kProgramVersion);
    options.resource.emplace_back("weir.pipeline", settings().pipeline);
    tracer_ = trace::Tracer::make(std::move(options), clock());
    tracer_made_ = true;
  }
  return tracer_.get();
}

Status Context::ensure_topics(const TopicUses& uses) {
  stream::Broker* kafka = WEIR_TRY(broker());
  const config::TopicsSettings& topics = settings().topics;
  const std::int32_t replication = topics.replication;
  const std::int32_t partitions = topics.partitions;
  std::vector<stream::TopicSpec> specs = {
      {topics.features, partitions, false, replication, uses.features},
      {topics.predictions, partitions, false, replication, uses.predictions},
      {topics.dead, partitions, false, replication, uses.dead},
      {topics.control, 1, true, replication, uses.control},
      {topics.members, 1, false, replication, uses.members},
      {topics.swaps, 1, true, replication, uses.swaps}};
  // Where nobody writes or reads true values there is no topic for them.
  if (uses.actuals.describe) {
    specs.push_back({topics.actuals, partitions, false, replication, uses.actuals});
  }
  return during(kafka->ensure_topics(specs, kFirstContact),
                "reaching Kafka at " + settings().kafka.at("bootstrap.servers"));
}

serve::PipelineNames Context::pipeline_names() const {
  const config::Settings& own = settings();
  return {control_topic_, own.topics.members, own.topics.features, own.score.group};
}

std::string Context::host_and_pid() const { return host_name() + ":" + std::to_string(getpid()); }

Result<std::string> Context::claim_member_name(const std::string& role) {
  for (int n = 0; n < kInstancesMax; ++n) {
    std::string name = role + "-" + host_name() + "-" + std::to_string(n);
    if (claim_name("weirkeeper/" + settings().pipeline + "/" + name)) return name;
  }
  return fail(Code::kExhausted, "a thousand " + role + "s run on this host already");
}

Result<std::string> Context::claim_scorer_name(int thread) {
  const std::string& instance = settings().score.instance;
  if (instance.empty()) return claim_member_name("scorer");
  return "scorer-" + instance + (thread == 1 ? "" : "." + std::to_string(thread));
}

Schedule Context::schedule() const {
  auto schedule = Schedule::parse(settings().train.schedule);
  WEIR_CHECK(schedule);  // the loader has refused any other
  return std::move(*schedule);
}

train::TrainingOptions Context::training_options() const {
  const config::Settings& own = settings();
  train::TrainingOptions options;
  options.target = own.dataset.target;
  options.drop_columns = own.dataset.drop_columns;
  options.test_fraction = own.dataset.test_fraction;
  options.seed = static_cast<std::uint64_t>(own.dataset.seed);
  options.bad_rows_max = static_cast<std::uint64_t>(own.dataset.bad_rows_max);
  options.sample_rows_max = static_cast<std::size_t>(own.model.test_sample_rows_max);
  options.record_bytes_max = static_cast<std::size_t>(own.dataset.row_bytes_max);
  options.intercept = own.model.intercept;
  options.algorithm = own.model.algorithm;
  options.boosted = boosted_settings(own);
  options.features = feature_settings(own);
  options.ridge = own.model.ridge;
  return options;
}

train::TrainerOptions Context::trainer_options() const {
  const config::Settings& own = settings();
  train::TrainerOptions options;
  options.control_topic = control_topic();
  options.members_topic = own.topics.members;
  options.predictions_topic = own.topics.predictions;
  options.dead_topic = own.topics.dead;
  options.group = own.train.group;
  options.name = host_and_pid();
  options.transactional_id = own.pipeline + ".trainer";
  options.halt_while_training = own.while_training == config::WhileTraining::kHalt;
  options.halt_timeout = own.train.halt_timeout;
  options.watch_interval = own.dataset.watch_interval;
  options.settle_time = own.dataset.settle_time;
  options.schedule = schedule();
  options.min_interval = own.train.min_interval;
  options.copy_from = own.train.copy_from;
  if (own.watch.retrain_dataset.starts_with('/')) {
    options.copy_from.push_back(own.watch.retrain_dataset);
  }
  options.program_version = kProgramVersion;
  options.pipeline = own.pipeline;
  options.training = training_options();
  options.require = {own.model.require.r2, own.model.require.worse_than_live_max};
  return options;
}

}  // namespace weir::cli
