#include "config/load_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/setting_table.h"

namespace weir::config {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr std::string_view kGood =
    "pipeline: boston\n"
    "dataset: {path: /dataset, target: medv, test_fraction: 0.25, seed: 1}\n"
    "model:   {path: /MLmodel, algorithm: linear}\n"
    "kafka:   {bootstrap.servers: kafka-1:9092, sasl.password: hush}\n"
    "produce: {rate: 2}\n"
    "while_training: halt\n";

LoadResult load(std::string_view text, const LoadRequest& request = {}) {
  return load_settings_from_text(text, "weir.yaml", request);
}

// All problems, a line each; "" where it was loaded.
std::string problems(std::string_view text, const LoadRequest& request = {}) {
  const auto loaded = load(text, request);
  return loaded ? "" : loaded.error().text();
}

// Problems of a file that is right but for these lines.
std::string problems_of_lines(const std::string& lines) {
  return problems(
      "pipeline: p\n" + lines +
      (lines.find("dataset:") == std::string::npos ? "\ndataset: {target: y}\n" : "\n"));
}

TEST(LoadSettings, reads_the_file_and_fills_names_from_the_pipeline) {
  const auto loaded = load(kGood);
  ASSERT_TRUE(loaded) << loaded.error().text();
  const Settings& settings = loaded->settings;
  EXPECT_EQ(settings.dataset.target, "medv");
  EXPECT_EQ(settings.kafka.at("bootstrap.servers"), "kafka-1:9092");
  EXPECT_EQ(settings.topics.features, "boston.features");
  EXPECT_EQ(settings.topics.members, "boston.members");
  EXPECT_EQ(settings.topics.swaps, "boston.swaps");
  EXPECT_EQ(settings.score.group, "boston.scorer");
  EXPECT_EQ(settings.train.group, "boston.trainer");
  EXPECT_EQ(settings.score.commit_interval, 100ms);
  EXPECT_EQ(loaded->origins.at("dataset.target"), "weir.yaml:2");
  EXPECT_FALSE(loaded->origins.contains("topics.features"));
}

TEST(LoadSettings, a_later_source_wins) {
  const std::string file =
      "pipeline: p\ndataset: {target: y, seed: 2, bad_rows_max: 2}\nmodel:\n"
      "  test_sample_rows_max: 2\n";
  LoadRequest request;
  request.environment = {{"WEIR_DATASET_BAD_ROWS_MAX", "3"},
                         {"WEIR_MODEL_TEST_SAMPLE_ROWS_MAX", "3"},
                         {"WEIR_DATASET_PATH", ""}};
  request.overrides = {"model.test_sample_rows_max=9", "model.test_sample_rows_max=4"};
  const auto loaded = load(file, request);
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ(loaded->settings.dataset.path, "/dataset");
  EXPECT_EQ(loaded->settings.dataset.seed, 2);
  EXPECT_EQ(loaded->settings.dataset.bad_rows_max, 3);
  EXPECT_EQ(loaded->settings.model.test_sample_rows_max, 4);
  EXPECT_EQ(loaded->origins.at("dataset.seed"), "weir.yaml:2");
  EXPECT_EQ(loaded->origins.at("dataset.bad_rows_max"), "env WEIR_DATASET_BAD_ROWS_MAX");
  EXPECT_EQ(loaded->origins.at("model.test_sample_rows_max"), "command line");
}

TEST(LoadSettings, takes_kafka_properties_from_everywhere_verbatim) {
  LoadRequest request;
  request.environment = {{"WEIR_KAFKA_SSL_CA_LOCATION", "/env.pem"},
                         {"WEIR_KAFKA_SERVICE_HOST", "10.0.0.1"},
                         {"WEIR_KAFKA_PORT_9092_TCP", "tcp://10.0.0.1:9092"}};
  request.overrides = {"kafka.linger.ms=5"};
  request.kafka_options = {"security.protocol=ssl", "sasl.password=a=b"};
  const auto loaded = load(
      "pipeline: p\ndataset: {target: y}\nkafka:\n  enable.idempotence: true\n"
      "  ssl: {key: {location: /key.pem}, ca.location: /file.pem}\n",
      request);
  ASSERT_TRUE(loaded) << loaded.error().text();
  const std::map<std::string, std::string> expected = {{"bootstrap.servers", "localhost:9092"},
                                                       {"enable.idempotence", "true"},
                                                       {"linger.ms", "5"},
                                                       {"sasl.password", "a=b"},
                                                       {"security.protocol", "ssl"},
                                                       {"ssl.ca.location", "/env.pem"},
                                                       {"ssl.key.location", "/key.pem"}};
  EXPECT_EQ(loaded->settings.kafka, expected);
  EXPECT_EQ(loaded->origins.at("kafka.ssl.ca.location"), "env WEIR_KAFKA_SSL_CA_LOCATION");
}

TEST(LoadSettings, falls_back_on_hadoops_own_variables) {
  LoadRequest request;
  request.environment = {{"HADOOP_CONF_DIR", "/etc/hadoop"}, {"HADOOP_USER_NAME", "hdfs"}};
  const auto loaded = load("pipeline: p\ndataset: {target: y}\nhdfs: {user: me}\n", request);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->settings.hdfs.conf_dir, "/etc/hadoop");
  EXPECT_EQ(loaded->settings.hdfs.user, "me");
  EXPECT_EQ(loaded->origins.at("hdfs.conf_dir"), "env HADOOP_CONF_DIR");
}

TEST(LoadSettings, takes_what_a_model_must_be_worth) {
  const auto asked = load(
      "pipeline: p\ndataset: {target: y}\nmodel:\n  require: {r2: 0.6, worse_than_live_max: 5 "
      "%}\n");
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->settings.model.require.r2, 0.6);
  EXPECT_EQ(asked->settings.model.require.worse_than_live_max, 5);
  EXPECT_EQ(problems_of_lines("model: {require: {r2: 60 %}}"),
            "weir.yaml:2:23: model.require.r2: '60 %' is neither a number nor none (-1000 to 1, or "
            "none)\n");
}

TEST(LoadSettings, says_the_place_of_a_value_that_is_wrong) {
  EXPECT_EQ(problems_of_lines("dataset:\n  target: y\n  test_fraction: 'abc'"),
            "weir.yaml:4:18: dataset.test_fraction: 'abc' is not a number (0.01 to 0.9)\n");
  EXPECT_EQ(problems_of_lines("dataset: {target: y, test_fraction: 0.95}"),
            "weir.yaml:2:37: dataset.test_fraction: '0.95' is out of bounds (0.01 to 0.9)\n");
  EXPECT_EQ(problems_of_lines("score: {commit_interval: 100}"),
            "weir.yaml:2:26: score.commit_interval: '100' is not a duration such as 100ms, 2s or "
            "5m (1ms to 10s)\n");
  EXPECT_EQ(problems_of_lines("while_training: stop"),
            "weir.yaml:2:17: while_training: 'stop' is not one of halt, continue\n");
  EXPECT_EQ(problems_of_lines("model: {intercept: yes}"),
            "weir.yaml:2:20: model.intercept: 'yes' is not one of true, false\n");
  EXPECT_EQ(problems_of_lines("model: {ridge: none}"),
            "weir.yaml:2:16: model.ridge: 'none' is neither a number nor auto (0 to 1000000, or "
            "auto)\n");
  EXPECT_THAT(problems_of_lines("dataset: {target: y, drop_columns: id}"),
              HasSubstr("weir.yaml:2:36: dataset.drop_columns must be a list"));
  EXPECT_THAT(problems_of_lines("dataset: {target: y, drop_columns: [a, [b]]}"),
              HasSubstr("weir.yaml:2:40: dataset.drop_columns must be one value, not a list"));
  EXPECT_THAT(problems_of_lines("dataset: {target: y, seed: }"),
              HasSubstr("dataset.seed has no value"));
  EXPECT_THAT(problems_of_lines("model: linear"), HasSubstr("weir.yaml:2:8: model must hold"));
  EXPECT_THAT(problems_of_lines("kafka: {bootstrap.servers: [a, b]}"),
              HasSubstr("kafka.bootstrap.servers must be one value, not a list"));
  EXPECT_THAT(problems_of_lines("kafka: {Bootstrap Servers: a}"),
              HasSubstr("'Bootstrap Servers' is not the name of a librdkafka property"));
}

TEST(LoadSettings, names_the_nearest_key_for_one_that_is_unknown) {
  EXPECT_EQ(problems_of_lines("datset: {target: y}"),
            "weir.yaml:2:1: unknown key 'datset' (did you mean dataset?)\n");
  EXPECT_EQ(problems_of_lines("dataset: {target: y, targte: z}"),
            "weir.yaml:2:22: unknown key 'dataset.targte' (did you mean dataset.target?)\n");
  EXPECT_EQ(problems_of_lines("score: {rate: 2}"),
            "weir.yaml:2:9: unknown key 'score.rate' (did you mean produce.rate?)\n");
  EXPECT_EQ(problems_of_lines("produce.rate: 2"),
            "weir.yaml:2:1: produce.rate is no top-level key (write it under `produce:`)\n");
  EXPECT_EQ(problems_of_lines("'': "), "weir.yaml:2:1: unknown key ''\n");
  EXPECT_EQ(problems_of_lines("zzzzzzzzzz: 2"), "weir.yaml:2:1: unknown key 'zzzzzzzzzz'\n");
}

TEST(LoadSettings, reads_a_section_in_a_section_and_dots_alike) {
  for (const char* model :
       {"boosted: {trees: 9, learning_rate: 0.5}", "{boosted.trees: 9, boosted.learning_rate: 0.5}",
        "{boosted: {trees: 9}, boosted.learning_rate: 0.5}"}) {
    const std::string lines = std::string(*model == '{' ? "model: " : "model:\n  ") + model;
    const auto loaded = load("pipeline: p\ndataset: {target: y}\n" + lines + "\n");
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_EQ(loaded->settings.model.boosted.trees, 9);
    EXPECT_EQ(loaded->settings.model.boosted.learning_rate, 0.5);
    EXPECT_EQ(loaded->settings.model.boosted.depth, 4);
  }
  EXPECT_TRUE(load("pipeline: p\ndataset: {target: y}\nmodel:\n  boosted:\n"));
  EXPECT_EQ(problems_of_lines("model: {boosted: 3}"),
            "weir.yaml:2:18: model.boosted must hold `name: value` lines\n");
  EXPECT_EQ(
      problems_of_lines("model: {boosted: {tree: 3}}"),
      "weir.yaml:2:19: unknown key 'model.boosted.tree' (did you mean model.boosted.trees?)\n");
  EXPECT_EQ(problems_of_lines("model: {depth: 3}"),
            "weir.yaml:2:9: unknown key 'model.depth' (did you mean model.boosted.depth?)\n");
  EXPECT_EQ(problems_of_lines("model: {boosted: {depth: 99}}"),
            "weir.yaml:2:26: model.boosted.depth: '99' is out of bounds (1 to 16)\n");
  EXPECT_EQ(problems_of_lines("model: {algorithm: forest}"),
            "weir.yaml:2:20: model.algorithm: 'forest' is not one of linear, boosted, auto\n");
}

TEST(LoadSettings, refuses_what_is_given_twice) {
  EXPECT_EQ(problems_of_lines("model: {boosted.trees: 1, boosted: {trees: 2}}"),
            "weir.yaml:2:37: model.boosted.trees is given twice (keep one)\n");
  EXPECT_EQ(problems_of_lines("store: ''\nstore: ''"),
            "weir.yaml:3:1: store is given twice, first on line 2 (keep one)\n");
  EXPECT_EQ(problems_of_lines("dataset:\n  target: y\n  target: z"),
            "weir.yaml:4:3: dataset.target is given twice, first on line 3 (keep one)\n");
  EXPECT_EQ(problems_of_lines("kafka: {ssl.ca.location: a, ssl: {ca.location: b}}"),
            "weir.yaml:2:35: kafka.ssl.ca.location is given twice (keep one)\n");
  EXPECT_THAT(problems_of_lines("dataset: {target: y, drop_columns: [a, a]}"),
              HasSubstr("'a' is given twice"));
}

TEST(LoadSettings, substitutes_variables_and_names_one_that_is_not_set) {
  LoadRequest request;
  request.environment = {{"TARGET", "medv"}};
  const std::string file =
      "pipeline: ${NAME:boston}\ndataset: {target: \"${TARGET}\", "
      "drop_columns: [\"$${id}\"], seed: \"${SEED:7}\"}\n";
  const auto loaded = load(file, request);
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ(loaded->settings.pipeline, "boston");
  EXPECT_EQ(loaded->settings.dataset.target, "medv");
  EXPECT_EQ(loaded->settings.dataset.seed, 7);
  EXPECT_EQ(loaded->settings.dataset.drop_columns, std::vector<std::string>{"${id}"});
  EXPECT_THAT(problems(file), HasSubstr("weir.yaml:2:19: dataset.target: the variable TARGET is "
                                        "not set"));
}

TEST(LoadSettings, tells_all_problems_at_once_up_to_a_bound) {
  const auto loaded = load("dataset: {seed: x, path: y}\n");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().problems.size(), 4u) << loaded.error().text();
  EXPECT_EQ(loaded.error().error().exit_code(), 78);
  EXPECT_THAT(loaded.error().error().message(), HasSubstr("dataset.target is not given"));

  std::string many = "pipeline: p\ndataset: {target: y}\n";
  for (int i = 0; i < 30; ++i) many += "unknown_key_" + std::to_string(i) + ": 1\n";
  const auto refused = load(many);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().problems.size(), kProblemsMax);
  EXPECT_THAT(refused.error().text(), HasSubstr("and 10 more\n"));
}

TEST(LoadSettings, refuses_settings_that_do_not_go_together) {
  EXPECT_EQ(
      problems_of_lines("model: {path: /dataset/models}"),
      "weir.yaml:2: model.path: lies in dataset.path (/dataset) (keep models outside the drop "
      "folder)\n");
  EXPECT_THAT(problems_of_lines("dataset: {target: y, path: /MLmodel/in}"),
              HasSubstr("dataset.path: lies in model.path"));
  EXPECT_THAT(problems_of_lines("model: {path: /dataset}"), HasSubstr("lies in"));
  EXPECT_EQ(problems_of_lines("model: {path: /dataset2}"), "");
  EXPECT_THAT(problems_of_lines("dataset: {target: y, drop_columns: [y]}"),
              HasSubstr("holds the target"));
  EXPECT_THAT(problems_of_lines("topics: {dead: p.features}"),
              HasSubstr("topics.dead: the same name as topics.features"));
  EXPECT_THAT(problems_of_lines("train: {group: p.scorer}"), HasSubstr("the same name as"));
  EXPECT_THAT(problems_of_lines("topics: {replication: 0}"), HasSubstr("0 copies"));
}

TEST(LoadSettings, refuses_names_that_kafka_would_refuse) {
  for (const char* name : {"''", "'a b'", "a/b", "ü", ".", ".."}) {
    EXPECT_THAT(problems("pipeline: " + std::string(name) + "\ndataset: {target: y}\n"),
                HasSubstr("weir.yaml:1:11: pipeline: "));
  }
  EXPECT_EQ(problems("pipeline: " + std::string(200, 'p') + "\ndataset: {target: y}\n"), "");
  EXPECT_NE(problems("pipeline: " + std::string(201, 'p') + "\ndataset: {target: y}\n"), "");
}

TEST(LoadSettings, takes_an_address_of_redis_and_never_shows_a_password_in_one) {
  const auto with = [](const std::string& url) {
    LoadRequest request;
    request.overrides = {"redis.url=" + url};
    return load_settings_from_text(kGood, "weir.yaml", request);
  };
  for (const char* good : {"", "redis://cache-1", "redis://cache-1:6380/7", "redis://[::1]:6379"}) {
    const auto loaded = with(good);
    ASSERT_TRUE(loaded) << good << loaded.error().text();
    EXPECT_EQ(loaded->settings.redis.url, good);
  }
  for (const char* bad : {"cache-1:6379", "redis://", "redis://:6379", "redis://h/x", "redis://h/",
                          "redis://:hush@h", "redis://me:hush@h:6379/0", "hush@h", "rediss://h"}) {
    const auto refused = with(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_THAT(refused.error().text(), ::testing::Not(HasSubstr("hush")));
  }
}

TEST(LoadSettings, refuses_wrong_overrides_without_telling_secrets) {
  LoadRequest request;
  request.environment = {{"WEIR_DATASET_SEED", "x"}};
  request.overrides = {"produce.rat=3", "novalue", "score.batch_records_max=0"};
  request.kafka_options = {"acks", "dataset.target=y"};
  EXPECT_EQ(problems(kGood, request),
            "env WEIR_DATASET_SEED: dataset.seed: 'x' is not a whole number (0 to "
            "9223372036854775807)\n"
            "command line: unknown setting 'produce.rat' (did you mean produce.rate?)\n"
            "command line: 'novalue' is not name=value (produce.rate=max)\n"
            "command line: score.batch_records_max: '0' is out of bounds (1 to 1000000)\n"
            "command line: -X 'acks' is not property=value (-X acks=all)\n"
            "command line: -X dataset.target: this is a setting of weir (-X takes librdkafka "
            "properties)\n");
  LoadRequest secret;
  secret.kafka_options = {std::string("sasl.password=hush\0x", 20)};
  EXPECT_THAT(problems(kGood, secret), ::testing::Not(HasSubstr("hush")));
}

TEST(LoadSettings, warns_of_variables_that_seem_to_be_settings) {
  LoadRequest request;
  request.environment = {{"WEIR_DATASET_TARGTE", "y"}, {"WEIR_STOER", "y"}, {"WEIR_CRASH_AT", "x"},
                         {"WEIR_STACK_KAFKA", "x"},    {"WEIR_ROOT", "/x"}, {"PATH", "/bin"},
                         {"WEIR_SERVICE_HOST", "x"},   {"WEIR_SCRIPT", "x"}};
  const auto loaded = load(kGood, request);
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->warnings.size(), 2u);
  EXPECT_EQ(problem_line(loaded->warnings[0]),
            "env WEIR_DATASET_TARGTE: names no setting and is not looked at (did you mean "
            "WEIR_DATASET_TARGET?)");
}

TEST(LoadSettings, refuses_files_that_are_away_or_no_map_or_too_large) {
  LoadRequest request;
  request.path = "/nowhere/weir.yaml";
  EXPECT_EQ(load_settings(request).error().text(),
            "/nowhere/weir.yaml: cannot be opened (-c names the file)\n");
  request.path = "/";
  EXPECT_FALSE(load_settings(request));
  EXPECT_THAT(problems("- a\n"), HasSubstr("weir.yaml:1:1: the file must hold"));
  EXPECT_THAT(problems("pipeline: [\n"), HasSubstr("weir.yaml:"));
  EXPECT_THAT(problems(std::string(kFileBytesMax + 1, '#')), HasSubstr("larger than"));
  EXPECT_THAT(problems("a: &x [1]\nb: [*x, *x]\n"), HasSubstr("anchors"));
}

TEST(LoadSettings, the_environment_alone_is_enough) {
  LoadRequest request;
  request.path = "/dev/null";
  request.environment = {{"WEIR_PIPELINE", "p"}, {"WEIR_DATASET_TARGET", "y"}};
  EXPECT_TRUE(load_settings(request));
}

TEST(LoadSettings, a_hostile_name_never_splits_a_line) {
  const std::string text = problems("\"a\\nb\\x1b[2J\": 1\npipeline: \"p\\n\"\n");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(LoadSettings, any_cut_or_changed_byte_is_a_value_or_a_problem) {
  const std::string whole =
      "pipeline: p\ndataset: {target: y, drop_columns: [a]}\nkafka:\n  a.b: \"ü\"\n";
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    const auto loaded = load(whole.substr(0, length));
    EXPECT_TRUE(loaded || !loaded.error().problems.empty());
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char c : std::string_view("\0\n\t'\"{[]&!?:-#|>,\\\xff", 19)) {
      std::string changed = whole;
      changed[at] = c;
      const auto loaded = load(changed);
      EXPECT_TRUE(loaded || !loaded.error().problems.empty());
      changed.insert(at, 3, c);
      (void)load(changed);
    }
  }
}

TEST(LoadSettings, a_long_hostile_file_ends_in_bounded_time) {
  for (const std::string unit :
       {"[",  "{", "? ",  "- ",   "a: ",  "'", "\"",    "&",      "*",  "!",    "|\n",
        "\n", " ", "a\n", "{a: ", "[a, ", "%", "---\n", "k: v\n", "\t", "a:\n "}) {
    std::string text;
    while (text.size() < 40'000) text += unit;
    const auto started = std::chrono::steady_clock::now();
    (void)load(text);
    EXPECT_LT(std::chrono::steady_clock::now() - started, 20s) << unit;
  }
}

TEST(LoadSettings, refuses_a_schedule_that_cannot_be_with_its_line_and_the_reason) {
  const std::string told =
      problems_of_lines("train:\n  schedule:\n    - arrival\n    - 0 2 30 2 *");
  EXPECT_THAT(told, HasSubstr("weir.yaml:4:5: train.schedule: "));
  EXPECT_THAT(told, HasSubstr("'0 2 30 2 *': never due"));
  EXPECT_THAT(problems_of_lines("train: {schedule: []}"), HasSubstr("1 to 100 items"));
  EXPECT_THAT(problems_of_lines("train: {schedule: [arrival, arrival]}"), HasSubstr("given twice"));
  EXPECT_THAT(problems_of_lines("train: {schedule: [\"CRON_TZ=Mars/X @daily\"]}"),
              HasSubstr("the time zone 'Mars/X' is not known here"));
}

TEST(LoadSettings, takes_a_schedule_from_the_environment_though_its_lines_hold_commas) {
  LoadRequest request;
  request.environment = {{"WEIR_TRAIN_SCHEDULE", "0 2,14 * * * ; arrival"}};
  const auto loaded = load(kGood, request);
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ(loaded->settings.train.schedule, (std::vector<std::string>{"0 2,14 * * *", "arrival"}));
}

}  // namespace
}  // namespace weir::config
