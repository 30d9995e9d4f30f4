// Everything that a person can set, as typed values that have been checked.
//
// The struct says the default of each setting; setting_table.cc says its name, bounds and meaning,
// and nothing else does. A member's path here is its name in weir.yaml: settings.score.group is
// `score.group`. load_settings() (load_settings.h) makes one; names that follow from the pipeline's
// name (topics, groups) are filled in there, so that a reader never sees them empty.
//
// Threads: plain values; read them from any thread, change them from none after loading.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"

namespace weir::config {

struct DatasetSettings {
  std::string path = "/dataset";  // the drop folder, in the store
  std::string target;             // required: the column to predict
  double test_fraction = 0.25;
  std::int64_t seed = 1;
  std::vector<std::string> drop_columns;
  std::int64_t bad_rows_max = 0;
  std::int64_t row_bytes_max = 1'000'000;
  Millis watch_interval{2'000};
  Millis settle_time{2'000};

  bool operator==(const DatasetSettings&) const = default;
};

struct BoostedSettings {
  std::int64_t trees = 200;
  std::int64_t depth = 4;
  double learning_rate = 0.1;
  std::int64_t rows_max = 100'000;

  bool operator==(const BoostedSettings&) const = default;
};

// What a new model must be worth to be put in force; absent: nothing is asked.
struct RequireSettings {
  std::optional<double> r2;
  std::optional<double> worse_than_live_max;  // %

  bool operator==(const RequireSettings&) const = default;
};

// Where data sets are read and what they come to is summed up: here, or on a Spark cluster.
enum class Engine { kLocal, kSpark };

struct ModelSettings {
  std::string path = "/MLmodel";
  Engine engine = Engine::kLocal;
  std::string algorithm = "linear";  // or boosted, or auto
  bool intercept = true;
  std::optional<double> ridge = 0.0;  // the penalty; nullopt is `auto`
  std::int64_t test_sample_rows_max = 10'000;
  BoostedSettings boosted;
  RequireSettings require;

  bool operator==(const ModelSettings&) const = default;
};

// How features become the terms of a model.
struct FeaturesSettings {
  std::vector<std::string> types;  // "zip=category"
  std::string missing = "refuse";  // or mean, or median, or a number
  std::vector<std::string> missing_words = {"NA", "N/A", "NaN", "nan", "NULL", "null"};
  std::int64_t categories_max = 50;
  bool standardise = false;
  std::vector<std::string> log;
  std::vector<std::string> interactions;

  bool operator==(const FeaturesSettings&) const = default;
};

struct TopicsSettings {
  std::string features;     // <pipeline>.features
  std::string predictions;  // <pipeline>.predictions
  std::string dead;         // <pipeline>.dead
  std::string control;      // <pipeline>.control
  std::string members;      // <pipeline>.members
  std::string swaps;        // <pipeline>.swaps
  std::string actuals;      // <pipeline>.actuals
  std::int32_t partitions = 4;
  std::int32_t replication = -1;  // -1: the broker's default

  bool operator==(const TopicsSettings&) const = default;
};

struct ControlSettings {
  std::string signing_key;   // a local file; empty: control records are not signed
  std::string trusted_keys;  // a local file; empty: the signing key's own, or nothing is checked
  std::int64_t unsigned_epochs = 0;

  bool operator==(const ControlSettings&) const = default;
};

struct ProduceSettings {
  std::optional<double> rate = 2.0;  // rows per second; nullopt is `max`
  std::int64_t count = 0;            // 0: no end

  bool operator==(const ProduceSettings&) const = default;
};

struct ScoreSettings {
  Millis commit_interval{100};
  Millis old_model_max{10'000};
  std::int64_t threads = 1;  // scorers in one process, each a member of the group
  std::int64_t batch_records_max = 10'000;
  std::string group;     // <pipeline>.scorer
  std::string instance;  // empty: the program chooses a name for this process

  bool operator==(const ScoreSettings&) const = default;
};

struct TrainSettings {
  std::string group;  // <pipeline>.trainer
  Millis halt_timeout{10'000};
  std::vector<std::string> schedule = {"arrival"};  // and lines of cron
  Millis min_interval{0};
  std::vector<std::string> copy_from;

  bool operator==(const TrainSettings&) const = default;
};

// What the gateway keeps of the stream.
struct ServeSettings {
  Millis keep{std::chrono::hours(24)};
  std::int64_t keep_records_max = 1'000'000;
  std::string state_dir = ".weir/state";  // a local folder

  // The gateway's door.
  std::string address = "127.0.0.1";
  std::int64_t port = 8080;               // 0: any that is free
  std::optional<std::int64_t> grpc_port;  // of the Open Inference Protocol over gRPC; absent: none
  std::vector<std::string> hosts;         // names that it is reached by, besides localhost
  std::string tokens;                     // a local file
  std::string token_list;                 // the same as text, for the environment
  std::string tls_certificate;            // a local file, PEM; empty: plain HTTP
  std::string tls_key;
  std::string tls_client_authority;
  std::string tls_client_role = "none";
  std::int64_t connections_max = 1'000;
  double requests_per_second_max = 0;
  std::int64_t body_bytes_max = 16'000'000;
  std::int64_t records_max = 10'000;
  Millis push_timeout{10'000};

  bool operator==(const ServeSettings&) const = default;
};

struct RedisSettings {
  std::string url;        // redis://HOST[:PORT][/DB]; empty: there is none
  std::string auth_file;  // a local file; empty: nobody logs in
  Millis timeout{1'000};

  bool operator==(const RedisSettings&) const = default;
};

// Predictions that are kept so as not to be made again.
struct CacheSettings {
  bool enabled = true;  // `auto`: where it pays
  std::int64_t memory = std::int64_t{64} << 20;
  bool redis = true;      // where there is one
  std::string key_file;   // a local file; empty: one of this machine's own
  Millis ttl{3'600'000};  // in Redis
  Millis redis_timeout{5};

  bool operator==(const CacheSettings&) const = default;
};

// Whether the stream is still what the model was made for.
struct WatchSettings {
  bool enabled = false;  // in weir run; weir watch is there for it alone
  std::optional<double> psi_max = 0.25;
  std::optional<double> rmse_max;
  double clear_fraction = 0.8;
  Millis lasting{60'000};
  std::int64_t rows_min = 1'000;
  std::int64_t window_rows = 10'000;
  std::int64_t actuals_min = 100;
  std::int64_t actuals_window = 1'000;
  std::int64_t waiting_max = 100'000;
  Millis waiting_time_max{24 * 3'600'000};
  std::string retrain_dataset;  // empty: no training is asked for
  Millis retrain_interval{3'600'000};

  bool operator==(const WatchSettings&) const = default;
};

// How jobs are given to Spark, where model.engine says so.
struct SparkSettings {
  std::string submit = "spark-submit";
  std::string master;             // empty: as spark-defaults.conf has it
  std::vector<std::string> args;  // more of them for spark-submit
  std::string program;            // that runs on the workers; empty: the one that is at hand
  std::int64_t tasks = 0;         // 0: four for each core
  Millis stall_max{600'000};

  bool operator==(const SparkSettings&) const = default;
};

enum class WhileTraining { kHalt, kContinue };
enum class HdfsAuth { kSimple, kKerberos };
enum class DirectReads { kAuto, kOff };

struct HdfsSettings {
  std::string conf_dir;  // else $HADOOP_CONF_DIR
  std::string user;      // empty: the user who runs the program
  HdfsAuth auth = HdfsAuth::kSimple;
  Millis connect_timeout{5'000};
  Millis request_timeout{60'000};
  DirectReads direct_reads = DirectReads::kAuto;

  bool operator==(const HdfsSettings&) const = default;
};

struct LogSettings {
  log::Level level = log::Level::kInfo;
  log::Shape shape = log::Shape::kText;

  bool operator==(const LogSettings&) const = default;
};

struct Settings {
  std::string pipeline;  // required
  std::string store;  // hdfs://… or file:///…; empty: fs.defaultFS of the Hadoop configuration
  DatasetSettings dataset;
  ModelSettings model;
  FeaturesSettings features;
  // librdkafka properties, verbatim. Always holds bootstrap.servers. Which ones are allowed is the
  // stream room's to say.
  std::map<std::string, std::string> kafka = {{"bootstrap.servers", "localhost:9092"}};
  TopicsSettings topics;
  ControlSettings control;
  ProduceSettings produce;
  ScoreSettings score;
  TrainSettings train;
  ServeSettings serve;
  RedisSettings redis;
  CacheSettings cache;
  WatchSettings watch;
  SparkSettings spark;
  WhileTraining while_training = WhileTraining::kHalt;
  HdfsSettings hdfs;
  LogSettings log;

  bool operator==(const Settings&) const = default;
};

}  // namespace weir::config
