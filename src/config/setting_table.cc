#include "config/setting_table.h"

#include <algorithm>

#include "base/text.h"
#include "config/cache_settings.h"
#include "config/gateway_settings.h"
#include "config/schedule_settings.h"
#include "config/setting_kinds.h"
#include "config/watch_settings.h"

// A setting's name is its member's path, so that the two cannot part.
#define WEIR_AT(member) \
#member, [](auto& s) -> auto& { return s.member; }

namespace weir::config {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kSeedMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kRowsMax = 1'000'000'000'000;

constexpr std::string_view kNameAlphabet =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

// A Kafka topic's name may not be "." or ".."; neither may anything that topics are named after.
TextRule name_rule(std::size_t bytes_max) {
  return {"1 to " + std::to_string(bytes_max) + " of a-z A-Z 0-9 . _ -",
          [=](std::string_view text) {
            return !text.empty() && text.size() <= bytes_max && is_of(text, kNameAlphabet) &&
                   text != "." && text != "..";
          }};
}

TextRule optional_name_rule(std::size_t bytes_max) {
  const TextRule rule = name_rule(bytes_max);
  return {"empty, or " + rule.legal,
          [=](std::string_view text) { return text.empty() || rule.holds(text); }};
}

TextRule store_path_rule() {
  return {
      "an absolute path such as /dataset, without empty, . or .. parts and without a / at the "
      "end",
      [](std::string_view text) {
        if (text.size() < 2 || text.size() > 1000 || text.front() != '/') return false;
        if (text.find('\0') != std::string_view::npos) return false;
        while (!text.empty()) {
          text.remove_prefix(1);
          const std::size_t slash = std::min(text.find('/'), text.size());
          const std::string_view part = text.substr(0, slash);
          if (part.empty() || part == "." || part == "..") return false;
          text.remove_prefix(slash);
        }
        return true;
      }};
}

// A user's name in the address would be shown wherever the address is: hdfs.user is for that.
TextRule store_rule() {
  return {"empty, hdfs://HOST[:PORT] or file:///FOLDER, without a user's name",
          [](std::string_view text) {
            if (text.empty()) return true;
            if (text.size() > 1000 ||
                text.find_first_of(std::string_view("@ \t\r\n\0", 6)) != std::string_view::npos) {
              return false;
            }
            const std::string_view hdfs = "hdfs://";
            const std::string_view file = "file:///";
            if (text.starts_with(file)) return true;
            return text.starts_with(hdfs) && text.size() > hdfs.size() &&
                   text[hdfs.size()] != '/' && text[hdfs.size()] != ':';
          }};
}

Setting required(Setting setting) {
  setting.required = true;
  return setting;
}

template <typename Accessor>
Setting after_pipeline(std::string name, Accessor at, const std::string& suffix, std::string doc) {
  Setting setting = text(std::move(name), at, name_rule(249), "example" + suffix, std::move(doc));
  setting.pipeline_suffix = suffix;
  return setting;
}

void add_dataset(std::vector<Setting>& table) {
  table.insert(
      table.end(),
      {text(WEIR_AT(dataset.path), store_path_rule(), "/incoming",
            "The drop folder in the store; a data set that lands here is trained on and then moved "
            "to `used/` or `rejected/` below it."),
       required(text(WEIR_AT(dataset.target), bytes_rule(1, 1000), "medv",
                     "The name of the column to predict.")),
       number(WEIR_AT(dataset.test_fraction), 0.01, 0.9,
              "The part of the rows that is held out of training, to measure the model on."),
       integer(WEIR_AT(dataset.seed), 0, kSeedMax, "",
               "Chooses which rows are held out; the same seed and bytes give the same split."),
       list(WEIR_AT(dataset.drop_columns), 10'000, bytes_rule(1, 1000), "id,name",
            "Columns that are left out of the model."),
       integer(WEIR_AT(dataset.bad_rows_max), 0, kRowsMax, "rows",
               "How many rows that cannot be read are tolerated before the data set is refused."),
       size(WEIR_AT(dataset.row_bytes_max), 1'000, 1'000'000'000,
            "A row longer than this counts as one that cannot be read."),
       duration(WEIR_AT(dataset.watch_interval), 10ms, 1h,
                "How often the trainer looks into the drop folder."),
       duration(WEIR_AT(dataset.settle_time), 0ms, 1h,
                "A file is taken up only when its length and time have stood still this long.")});
}

void add_model_and_topics(std::vector<Setting>& table) {
  table.insert(
      table.end(),
      {text(WEIR_AT(model.path), store_path_rule(), "/models",
            "The folder in the store where model versions are kept."),
       choice<Engine>(WEIR_AT(model.engine), {{"local", Engine::kLocal}, {"spark", Engine::kSpark}},
                      "Where data sets are read: by the trainer itself, or by a job that it "
                      "submits to Spark (docs/scale.md). The model is the same to the bit."),
       choice<std::string>(WEIR_AT(model.algorithm),
                           {{"linear", "linear"}, {"boosted", "boosted"}, {"auto", "auto"}},
                           "Which kind of model is trained: a linear one, gradient-boosted trees, "
                           "or both, of which "
                           "the one with the lower RMSE on the held-out rows is kept."),
       flag(WEIR_AT(model.intercept), "Whether a linear model has a constant term."),
       number_or("auto", WEIR_AT(model.ridge), 0, 1e6, "per row",
                 "The penalty of ridge regression on the squares of a linear model's coefficients, "
                 "with every feature scaled to variance 1 and the constant term left free; 0 is "
                 "none, `auto` the one that generalised cross-validation over the training rows "
                 "finds best."),
       integer(WEIR_AT(model.test_sample_rows_max), 1, 10'000'000, "rows",
               "How many of the held-out rows are kept beside the model, for the producer, and to "
               "measure trees on."),
       integer(WEIR_AT(model.boosted.trees), 1, 10'000, "trees", "How many trees are grown."),
       integer(WEIR_AT(model.boosted.depth), 1, 16, "steps",
               "How many questions lie between a tree's root and its farthest leaf at most."),
       number(WEIR_AT(model.boosted.learning_rate), 0.001, 1,
              "What part of a tree's correction is taken; smaller wants more trees."),
       integer(WEIR_AT(model.boosted.rows_max), 100, 100'000'000, "rows",
               "On how many rows trees are grown at most, as those are held in memory; where there "
               "are more to train on, it is a random sample of them, the same for the same seed."),
       number_or(
           "none", WEIR_AT(model.require.r2), -1000, 1, "R²",
           "The least R² that a new model must reach on the held-out rows to be put in force; "
           "else its data set is refused with the figures, and the model before rules on."),
       number_or(
           "none", WEIR_AT(model.require.worse_than_live_max), 0, 1e6, "%",
           "By how much the RMSE of a new model may exceed that of the model in force, both on "
           "the rows that are held out of the new data set; else its data set is refused. Not "
           "asked where the model in force cannot predict those rows."),
       text(
           "kafka.bootstrap.servers",
           [](auto& s) -> auto& { return s.kafka.find("bootstrap.servers")->second; },
           bytes_rule(1, 10'000), "kafka-1:9092,kafka-2:9092",
           "The Kafka brokers to ask first, HOST:PORT with commas between."),
       after_pipeline(WEIR_AT(topics.features), ".features", "The records to be scored."),
       after_pipeline(WEIR_AT(topics.predictions), ".predictions",
                      "Where predictions are written."),
       after_pipeline(WEIR_AT(topics.dead), ".dead",
                      "Where records that cannot be scored are written, with the reason."),
       after_pipeline(WEIR_AT(topics.control), ".control",
                      "The control log: every epoch, kept for ever, written by the trainer alone."),
       after_pipeline(WEIR_AT(topics.members), ".members",
                      "Where the pipeline's processes announce themselves and answer."),
       after_pipeline(WEIR_AT(topics.swaps), ".swaps",
                      "From which offset on each epoch's model answered, kept for ever."),
       after_pipeline(WEIR_AT(topics.actuals), ".actuals",
                      "True values that come late, for `weir watch` to measure predictions on."),
       integer(WEIR_AT(topics.partitions), 1, 10'000, "partitions",
               "How many partitions features, predictions and dead get when they are made."),
       integer(WEIR_AT(topics.replication), -1, 32'767, "replicas",
               "How many copies a topic gets when it is made; -1 leaves that to the brokers.")});
}

void add_features(std::vector<Setting>& table) {
  const TextRule missing = {"refuse, mean, median, or a number", [](std::string_view text) {
                              return text == "refuse" || text == "mean" || text == "median" ||
                                     parse_finite_double(text).has_value();
                            }};
  const TextRule column_type = {
      "NAME=number, NAME=category, NAME=date-time or NAME=ignored", [](std::string_view text) {
        const auto equals = text.rfind('=');
        if (equals == text.npos || equals == 0 || text.find('\0') != text.npos) return false;
        const auto word = text.substr(equals + 1);
        return word == "number" || word == "category" || word == "date-time" || word == "ignored";
      }};
  const TextRule product = {"two columns with * between", [](std::string_view text) {
                              return text.size() >= 3 && text.size() <= 2001 &&
                                     text.find('*', 1) < text.size() - 1 &&
                                     text.find('\0') == text.npos;
                            }};
  table.insert(
      table.end(),
      {list(WEIR_AT(features.types), 2'048, column_type, "zip=category,note=ignored",
            "What columns are, where it is not to be found from their values: numbers, categories, "
            "date-times, or nothing for a model. `weir describe` shows what is found."),
       text(WEIR_AT(features.missing), missing, "median",
            "What becomes of a value that is missing: the row is refused, or the column's mean or "
            "median over the data set, or a number, stands in for it (with a number, the median "
            "for a date-time); then a term of its own tells the model that it was missing."),
       list(WEIR_AT(features.missing_words), 100, bytes_rule(1, 100), "NA,-999",
            "What stands for a missing value, beside nothing at all."),
       integer(WEIR_AT(features.categories_max), 1, 1'000, "categories",
               "How many categories of a column are told apart; the others count as one."),
       flag(WEIR_AT(features.standardise),
            "Whether numbers are shifted and scaled to mean 0 and deviation 1 before a model is "
            "made of them."),
       list(WEIR_AT(features.log), 2'048, bytes_rule(1, 1000), "lstat",
            "Columns of which the natural logarithm is a term, too; rows where one is not above 0 "
            "are refused."),
       list(WEIR_AT(features.interactions), 2'048, product, "rm*lstat,chas*nox",
            "Pairs of columns whose product is a term, too; of a category, one for each of its "
            "terms.")});
}

void add_control(std::vector<Setting>& table) {
  table.insert(
      table.end(),
      {text(WEIR_AT(control.signing_key), bytes_rule(0, 4000), "/etc/weir/control.key",
            "The local file with the trainer's private key, Ed25519 in PEM; empty is not to sign "
            "control records."),
       text(WEIR_AT(control.trusted_keys), bytes_rule(0, 4000), "/etc/weir/control.pub",
            "The local file with the public keys by one of which a control record has to be signed "
            "to count; empty is that of signing_key, or where there is none, not to check."),
       integer(WEIR_AT(control.unsigned_epochs), 0, 9'999'999'999, "epochs",
               "Control records of epochs up to this one count without a signature: those from "
               "before there were keys.")});
}

void add_roles(std::vector<Setting>& table) {
  table.insert(
      table.end(),
      {number_or("max", WEIR_AT(produce.rate), 0.001, 1'000'000, "rows per second",
                 "How fast the producer sends held-out rows."),
       integer(WEIR_AT(produce.count), 0, kRowsMax, "rows",
               "After how many rows the producer ends; 0 is never."),
       duration(
           WEIR_AT(score.commit_interval), 1ms, 10s,
           "How far apart a scorer's commits are: for so long it gathers predictions. What comes "
           "after a rest is committed at once."),
       integer(
           WEIR_AT(score.threads), 1, 64, "threads",
           "How many scorers work in one process, each as a member of the group with partitions "
           "and transactions of its own: one scores while another one's transaction commits."),
       integer(WEIR_AT(score.batch_records_max), 1, 1'000'000, "records",
               "How many records a scorer takes and scores at a time; a transaction holds 100,000 "
               "and so many more at most."),
       duration(WEIR_AT(score.old_model_max), 0ms, 1h,
                "How long the old model may go on where the new one is not loaded yet, with "
                "while_training: continue; then scoring waits for it."),
       after_pipeline(WEIR_AT(score.group), ".scorer",
                      "The consumer group that the scorers share."),
       text(WEIR_AT(score.instance), optional_name_rule(100), "scorer-1",
            "A name for this scorer that stays over restarts; empty leaves the choice to the "
            "program. Of several threads the second is called NAME.2, and so on."),
       after_pipeline(WEIR_AT(train.group), ".trainer",
                      "The consumer group by which trainers choose the one that leads."),
       duration(WEIR_AT(train.halt_timeout), 100ms, 10min,
                "How long the trainer waits for the others to halt before it shuts them out.")});
}

void add_spark(std::vector<Setting>& table) {
  table.insert(
      table.end(),
      {text(WEIR_AT(spark.submit), bytes_rule(1, 4000), "/opt/spark/bin/spark-submit",
            "The program that submits a job to Spark, with model.engine: spark; a name without / "
            "is looked for in PATH."),
       text(WEIR_AT(spark.master), bytes_rule(0, 1000), "spark://spark-master:7077",
            "The cluster, as --master of spark-submit takes it, such as local[2] or yarn; empty is "
            "that of spark-defaults.conf."),
       list(WEIR_AT(spark.args), 1'000, bytes_rule(1, 10'000), "--conf=spark.executor.memory=1g",
            "More arguments for spark-submit, a word each: --name=value in the place of --name "
            "value."),
       text(WEIR_AT(spark.program), bytes_rule(0, 4000), "/opt/weir/weir-worker",
            "The program that is shipped to the workers; empty is weir-worker beside this one, or "
            "this one itself."),
       integer(WEIR_AT(spark.tasks), 0, 1'000'000, "tasks",
               "Into how many tasks a job is cut; 0 is four for each core of the cluster."),
       duration(WEIR_AT(spark.stall_max), 1s, 24h,
                "A job of which no task has ended for so long is ended itself: the training has "
                "failed.")});
}

void add_surroundings(std::vector<Setting>& table) {
  table.insert(
      table.end(),
      {else_from("HADOOP_CONF_DIR",
                 text(WEIR_AT(hdfs.conf_dir), bytes_rule(0, 4000), "/etc/hadoop/conf",
                      "The local folder with core-site.xml and hdfs-site.xml.")),
       else_from("HADOOP_USER_NAME",
                 text(WEIR_AT(hdfs.user), bytes_rule(0, 200), "weir",
                      "The HDFS user where auth is simple; empty is the user who runs weir.")),
       choice<HdfsAuth>(WEIR_AT(hdfs.auth),
                        {{"simple", HdfsAuth::kSimple}, {"kerberos", HdfsAuth::kKerberos}},
                        "How weir shows HDFS who it is."),
       duration(WEIR_AT(hdfs.connect_timeout), 100ms, 5min,
                "How long a connection to HDFS may take."),
       duration(WEIR_AT(hdfs.request_timeout), 1s, 1h,
                "How long HDFS may stay silent during a request."),
       choice<DirectReads>(
           WEIR_AT(hdfs.direct_reads), {{"auto", DirectReads::kAuto}, {"off", DirectReads::kOff}},
           "Whether large files are read straight from DataNodes where that is possible; off is "
           "WebHDFS alone, for where a firewall holds up what goes to their data transfer port, "
           "or to find out whether a fault lies there."),
       choice<log::Level>(WEIR_AT(log.level),
                          {{"debug", log::Level::kDebug},
                           {"info", log::Level::kInfo},
                           {"warn", log::Level::kWarn},
                           {"error", log::Level::kError},
                           {"off", log::Level::kOff}},
                          "The least important messages that are written to stderr."),
       choice<log::Shape>(WEIR_AT(log.shape),
                          {{"text", log::Shape::kText}, {"json", log::Shape::kJson}},
                          "Messages as lines to read, or one JSON object a line.")});
}

std::vector<Setting> make_table() {
  std::vector<Setting> table = {
      required(text(WEIR_AT(pipeline), name_rule(200), "boston",
                    "The pipeline's name; topics and consumer groups are named after it.")),
      text(WEIR_AT(store), store_rule(), "hdfs://namenode:8020",
           "Where data sets and models are kept; empty is fs.defaultFS of the Hadoop "
           "configuration (hdfs.conf_dir)."),
      choice<WhileTraining>(
          WEIR_AT(while_training),
          {{"halt", WhileTraining::kHalt}, {"continue", WhileTraining::kContinue}},
          "Whether the stream halts while a model is trained or is scored by the old one.")};
  add_dataset(table);
  add_model_and_topics(table);
  add_features(table);
  add_control(table);
  add_roles(table);
  add_schedule(table);
  add_watch(table);
  add_gateway(table);
  add_cache(table);
  add_spark(table);
  add_surroundings(table);
  return table;
}

}  // namespace

const std::vector<Setting>& setting_table() {
  static const std::vector<Setting> table = make_table();
  return table;
}

const Setting* find_setting(std::string_view name) {
  const auto& table = setting_table();
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const Setting& setting) { return setting.name == name; });
  return found == table.end() ? nullptr : &*found;
}

std::string_view section_of(std::string_view name) {
  const std::size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

std::string environment_name(std::string_view name) {
  std::string out = "WEIR_";
  for (const char c : name) {
    if (c == '.') {
      out += '_';
    } else {
      out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return out;
}

bool is_secret(std::string_view name) {
  for (const std::string_view part :
       {"password", "secret", "jaas", "key.pem", "ssl_key", "oauthbearer.config", "token_list"}) {
    if (name.find(part) != std::string_view::npos) return true;
  }
  return false;
}

SetResult set_kafka_property(Settings& settings, std::string_view property,
                             std::string_view value) {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789._-";
  if (property.empty() || property.size() > 200 || !is_of(property, kAlphabet)) {
    return Refusal{quoted(property) + " is not the name of a librdkafka property",
                   "such as bootstrap.servers"};
  }
  if (value.find('\0') != std::string_view::npos || value.size() > 100'000) {
    return Refusal{"the value holds a NUL or is longer than 100 kB", ""};
  }
  if (property == "bootstrap.servers")
    return find_setting("kafka.bootstrap.servers")->set(settings, value);
  settings.kafka[std::string(property)] = value;
  return std::nullopt;
}

std::string quoted(std::string_view value) {
  constexpr std::size_t kShown = 60;
  std::string shown = one_line(value.substr(0, kShown));
  return "'" + shown + (value.size() > kShown ? "…'" : "'");
}

}  // namespace weir::config
