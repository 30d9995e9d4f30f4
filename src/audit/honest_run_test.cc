#include "audit/honest_run_test.h"

#include "base/sha256.h"
#include "base/text.h"
#include "record/signing_keys_test.h"

namespace weir::audit {
namespace {

using Json = nlohmann::ordered_json;
using Events = std::vector<Event>;

class NoListener final : public stream::RebalanceListener {
 public:
  void on_assigned(std::span<const std::int32_t>) override {}
  void on_revoked(std::span<const std::int32_t>) override {}
  void on_lost(std::span<const std::int32_t>) override {}
};

}  // namespace

double predict(std::uint64_t version, double x, double y) {
  const auto v = static_cast<double>(version);
  double value = v;
  value = value + 2.0 * x;
  value = value + v * y;
  return value;
}

std::string model_json(std::uint64_t version) {
  return Json({{"format", "weirkeeper-model"},
               {"algorithm", "linear"},
               {"features", {"x", "y"}},
               {"intercept", version},
               {"coefficients", {2, version}}})
      .dump();
}

const std::string kDataset =
    "x,y,z\n1,2,3\n4,\"5\n\",6\n\n7,8,9\n";  // three rows, one of them blank

Json identity(const std::string& name, std::uint64_t epoch) {
  return {{"path", "/dataset/" + name},
          {"length", kDataset.size()},
          {"modified_ms", 7},
          {"file_id", std::to_string(epoch)}};
}

std::string manifest_json(std::uint64_t version, const std::string& name) {
  Json dataset = identity(name, version);
  dataset["bytes"] = dataset["length"];
  dataset.erase("length");
  dataset["sha256"] = sha256_hex(kDataset);
  dataset["rows"] = 3;
  dataset["rows_trained"] = 1;
  dataset["rows_held_out"] = 1;
  dataset["rows_refused"] = 1;
  dataset["refused_by_reason"] = {{"not_a_number", 1}};
  return Json({{"version", version},
               {"dataset", dataset},
               {"model_sha256", sha256_hex(model_json(version))}})
      .dump();
}

static Event control(Json record) {
  record["by"] = "t";
  record["at"] = "now";
  return {"p.control", 0, std::nullopt, record.dump(), {}, Millis{10'000}};
}

Event begin(const char* type, std::uint64_t epoch, const std::string& name) {
  return control({{"type", type}, {"epoch", epoch}, {"dataset", identity(name, epoch)}});
}

Event resume(std::uint64_t epoch, std::uint64_t version, const char* outcome) {
  return control({{"type", "resume"},
                  {"epoch", epoch},
                  {"version", version},
                  {"sha256", sha256_hex(model_json(version))},
                  {"outcome", outcome}});
}

Event prediction(std::int32_t partition, std::int64_t offset, std::uint64_t version,
                 std::uint64_t epoch, const std::string& key, const std::string& value) {
  const std::string text = "{\"prediction\": " + value + ", \"model\": " + std::to_string(version) +
                           ", \"epoch\": " + std::to_string(epoch) +
                           ", \"partition\": " + std::to_string(partition) +
                           ", \"offset\": " + std::to_string(offset) + "}";
  return {"p.predictions", 1 - partition, key, text, {}};
}

static stream::Headers reasons(std::int32_t partition, std::int64_t offset,
                               const std::string& kind) {
  return {{"trace", "42"},
          {"__connect.errors.topic", "p.features"},
          {"__connect.errors.partition", std::to_string(partition)},
          {"__connect.errors.offset", std::to_string(offset)},
          {"__connect.errors.exception.class.name", "weir.refusal." + kind},
          {"__connect.errors.exception.message", "as it says"}};
}

Event swap(std::uint64_t epoch, std::int32_t partition, std::int64_t offset) {
  return {"p.swaps",
          0,
          std::nullopt,
          Json({{"type", "swap"},
                {"epoch", epoch},
                {"version", epoch},
                {"partition", partition},
                {"offset", offset},
                {"member", "m"}})
              .dump(),
          {}};
}

// Ten records in each of two partitions, the first five under epoch 1, the others under epoch 2;
// record 3 of partition 1 is a dead letter, record 4 is a table of two rows.
static void add_records(Events& events, std::int64_t from, std::int64_t to, std::uint64_t epoch) {
  Events answers;
  for (std::int64_t offset = from; offset < to; ++offset) {
    for (std::int32_t partition = 0; partition < 2; ++partition) {
      const double x = 0.1 * static_cast<double>(offset);
      const double y = 1.0 + partition;
      const std::string key = std::to_string(partition) + "-" + std::to_string(offset);
      const std::string value = format_double(predict(epoch, x, y));
      std::string message = Json({{"y", y}, {"id", key}, {"x", x}}).dump();
      Event answer = prediction(partition, offset, epoch, epoch, key, value);
      if (partition == 1 && offset == 3) {
        message = R"({"x": 1})";
        answer = {"p.dead", 0, key, message, reasons(1, 3, "missing_feature")};
      }
      if (partition == 1 && offset == 4) {
        message = R"({"rows": {"y": {"b": 1, "a": 2}, "x": {"a": 3, "b": 4}}})";
        answer = prediction(1, 4, epoch, epoch, key,
                            "[" + format_double(predict(epoch, 3, 2)) + ", " +
                                format_double(predict(epoch, 4, 1)) + "]");
      }
      events.push_back({"p.features", partition, key, message, {{"trace", "42"}}});
      answers.push_back(std::move(answer));
    }
  }
  events.push_back(swap(epoch, 0, from));
  events.push_back(swap(epoch, 1, from));
  events.push_back(swap(epoch, 1, from + 2));  // after a rebalance
  events.insert(events.end(), answers.begin(), answers.end());
}

// A resume that tells where both partitions of the predictions topic end.
static Event with_ends(Event resume, int partition_0, int partition_1) {
  Json record = Json::parse(resume.value);
  record["predictions"] = {{"0", partition_0}, {"1", partition_1}};
  record["dead"] = {{"0", 1}};
  resume.value = record.dump();
  return resume;
}

void sign_control(Past& run) {
  const record::ControlTopic topic = record::trainers_topic("p.control");
  for (Event& event : run.events) {
    if (event.topic != "p.control") continue;
    const auto record = record::ControlRecord::parse(event.value);
    ASSERT_TRUE(record) << event.value;
    event.value = topic.to_value(*record);
  }
}

void leave_out_ends(Past& run) {
  for (Event& event : run.events) {
    if (event.topic != "p.control") continue;
    Json record = Json::parse(event.value);
    record.erase("predictions");
    record.erase("dead");
    event.value = record.dump();
  }
}

Past honest() {
  Past run;
  run.events = {begin("train", 1, "a.csv"), resume(1, 1, "trained")};
  add_records(run.events, 0, 5, 1);
  run.events.push_back(begin("halt", 2, "b"));
  run.events.push_back(with_ends(resume(2, 2, "trained"), 4, 5));
  add_records(run.events, 5, 10, 2);
  run.events.push_back(begin("halt", 3, "c.csv"));
  run.events.push_back(with_ends(resume(3, 2, "refused"), 9, 10));
  run.files = {{"/dataset/used/a.1.csv", kDataset},
               {"/dataset/used/b.2", kDataset},
               {"/dataset/rejected/c.3.csv", "x"},
               {"/dataset/rejected/c.3.csv.reason.json", "{}"},
               {"/dataset/rejected/a.1.duplicate-1.csv", kDataset},
               {"/dataset/rejected/a.1.duplicate-1.csv.reason.json", "{}"},
               {"/dataset/waiting.csv", "x"},
               {"/models/.tmp-1/model.json", "half"}};
  for (std::uint64_t version = 1; version <= 2; ++version) {
    const std::string folder = "/models/000000000" + std::to_string(version) + "/";
    run.files[folder + "model.json"] = model_json(version);
    run.files[folder + "manifest.json"] = manifest_json(version, version == 1 ? "a.csv" : "b");
    run.files[folder + "test.csv"] = "weir_row,x,y,z\n";
  }
  return run;
}

Played::Played(const Past& run) {
  EXPECT_TRUE(broker.ensure_topics(
      {{"p.features", 2}, {"p.predictions", 2}, {"p.dead", 1}, {"p.control", 1}, {"p.swaps", 1}},
      Millis(1000)));
  for (const auto& [path, bytes] : run.files) store.put(path, bytes);
  for (const Event& event : run.events) {
    clock.advance(event.before);
    broker.produce(event.topic, event.key, event.value, event.partition, event.headers);
  }
  commit(run.uncommitted);
}

Result<AuditReport> Played::audit(std::optional<std::int64_t> since_ms) {
  AuditOptions options{"p.features",
                       "p.predictions",
                       "p.dead",
                       control_topic,
                       "p.swaps",
                       "p.scorer",
                       "/dataset",
                       "/models",
                       since_ms,
                       10,
                       {}};
  return run_audit(options, broker, store, clock,
                   [](std::string_view, std::uint64_t, std::uint64_t) { return Status(); });
}

// As a scorer does, with the group's metadata.
void Played::commit(std::int64_t uncommitted) {
  NoListener listener;
  auto source = broker.open_source("p.features", "p.scorer", "m", listener);
  auto sink = broker.open_sink("p.m", Millis(1000));
  ASSERT_TRUE(source && sink);
  std::map<std::int32_t, std::int64_t> next;
  std::shared_ptr<const stream::GroupMetadata> group;
  for (int polls = 0; polls < 100 && !(*source)->at_end(); ++polls) {
    auto batch = (*source)->poll(1000, Millis(0));
    ASSERT_TRUE(batch);
    if ((*batch)->group()) group = (*batch)->group();
    for (const auto& record : (*batch)->records()) next[record.partition] = record.offset + 1;
  }
  std::vector<stream::PartitionOffset> offsets;
  for (const auto& [partition, offset] : next) {
    offsets.push_back({partition, offset - (partition == 0 ? uncommitted : 0)});
  }
  ASSERT_TRUE((*sink)->begin());
  ASSERT_TRUE((*sink)->commit("p.features", offsets, group.get()));
  (*source)->close();
}
Event& event_of(Past& run, const std::string& topic, const std::string& key) {
  for (Event& event : run.events) {
    if (event.topic == topic && event.key == key) return event;
  }
  ADD_FAILURE() << "no " << key << " in " << topic;
  return run.events[0];
}

Names found_in(const Findings& findings) {
  Names names;
  for (const BreachKind& kind : breach_kinds()) {
    if (findings.count(kind.breach) > 0) names.emplace_back(kind.name);
    EXPECT_EQ(findings.examples(kind.breach).empty(), findings.count(kind.breach) == 0);
  }
  return names;
}

}  // namespace weir::audit
