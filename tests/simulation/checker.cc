#include "simulation/checker.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "audit/audit.h"
#include "base/sha256.h"
#include "simulation/answers.h"
#include "simulation/boundaries.h"
#include "train/split_digest.h"

namespace weir::simulation {
namespace {

using Json = nlohmann::json;

std::string read(World& world, const std::string& path) {
  return store::read_all(world.store, path, 16 << 20).value_or("");
}

// Every file below a folder, by its id.
void gather(World& world, const std::string& folder,
            std::multimap<std::string, std::string>& by_id) {
  const auto entries = world.store.list(folder);
  if (!entries) return;
  for (const auto& entry : *entries) {
    if (entry.is_directory) gather(world, entry.path, by_id);
    else by_id.emplace(entry.file_id, entry.path);
  }
}

// "/dataset/used/run.3/part-0.csv" -> "used"; "/dataset/a.csv" -> "".
std::string place_of(const std::string& path) {
  for (const char* place : {"used", "rejected"}) {
    if (path.starts_with(std::string(kDatasets) + "/" + place + "/")) return place;
  }
  return "";
}

// ---- promises 4 and 5, at the end ----

struct Epoch {
  record::ControlRecord begun;
  record::ControlRecord resume;
};

std::map<std::uint64_t, Epoch> epochs_of(World& world) {
  std::map<std::uint64_t, Epoch> epochs;
  record::ControlState state;
  for (const auto& entry : world.broker.records(world.topics.control)) {
    const auto record = world.control_record(entry.value);
    if (!record || !state.apply(*record)) continue;
    if (record->type == record::ControlType::kResume) epochs[record->epoch].resume = *record;
    else epochs[record->epoch].begun = *record;
  }
  return epochs;
}

// Of the bytes as a whole, or of the splits that a cluster read apart.
bool has_digest_of(const registry::Manifest& manifest, const std::vector<std::string>& parts) {
  if (!manifest.dataset_sha256.empty()) {
    std::string bytes;
    for (const std::string& part : parts) bytes += part;
    return manifest.dataset_sha256 == sha256_hex(bytes);
  }
  if (manifest.split_bytes == 0) return false;
  train::SplitTree<train::SplitDigest> tree;
  std::uint64_t splits = 0;
  for (const std::string& part : parts) {
    for (std::size_t at = 0; at < part.size(); at += manifest.split_bytes) {
      tree.append({0, splits++, {sha256_hex(part.substr(at, manifest.split_bytes))}});
    }
  }
  return manifest.splits_sha256 == std::move(tree).collapse().hex;
}

class DatasetCheck {
 public:
  DatasetCheck(World& world, std::vector<std::string>& problems)
      : world_(world), problems_(problems), epochs_(epochs_of(world)) {
    gather(world, kDatasets, files_);
  }

  void run() {
    for (const auto& drop : world_.drops) check(*drop);
    check_models();
  }

 private:
  void check(const Drop& drop) {
    const Epoch* trained = nullptr;
    const Epoch* ended = nullptr;
    for (const auto& [number, epoch] : epochs_) {
      if (!epoch.begun.dataset || epoch.begun.dataset->file_id != drop.id) continue;
      ended = &epoch;
      if (epoch.resume.outcome != record::Outcome::kTrained) continue;
      if (trained) problems_.push_back(drop.path + " yielded two models");
      trained = &epoch;
    }
    for (const auto& [id, bytes] : drop.files) {
      const auto [first, last] = files_.equal_range(id);
      if (first == last) continue;  // Invariants has told of it
      const std::string place = place_of(first->second);
      const std::string expected = trained ? "used" : "rejected";
      if (place != expected) {
        problems_.push_back(drop.path + " belongs in " + expected + "/ but is " + first->second);
      }
      if (expected == "rejected") check_reason(first->second, ended);
    }
    if (trained) check_rows(drop, *trained);
    if (trained && !drop.good) problems_.push_back(drop.path + " is bad but was trained on");
  }

  void check_reason(const std::string& path, const Epoch* epoch) {
    // Of a folder the reason lies beside the folder.
    const std::string below = path.substr(std::string(kDatasets).size() + 1);
    const std::string name = below.substr(0, below.find('/', below.find('/') + 1));
    const Json reason = Json::parse(
        read(world_, std::string(kDatasets) + "/" + name + ".reason.json"), nullptr, false);
    if (!reason.is_object() || reason.value("reason", "").empty()) {
      problems_.push_back(path + " was refused without a reason beside it");
    } else if (epoch && reason.value("reason", "") != epoch->resume.reason) {
      problems_.push_back(path + " has another reason than the control log");
    }
  }

  void check_rows(const Drop& drop, const Epoch& epoch) {
    registry::ModelRegistry models(world_.store, kModels);
    const auto manifest = models.manifest(epoch.resume.version);
    if (!manifest) {
      problems_.push_back("no manifest of version " + std::to_string(epoch.resume.version));
      return;
    }
    std::uint64_t rows = 0;
    std::vector<std::string> parts;
    for (const auto& [id, of_file] : drop.files) {
      if (of_file.empty()) continue;
      rows += rows_of(of_file);
      parts.push_back(of_file);  // ids rise with the names of the parts
    }
    if (manifest->rows != rows ||
        rows != manifest->rows_trained + manifest->rows_held_out + manifest->rows_refused) {
      problems_.push_back(drop.path + ": the manifest's rows do not add up");
    }
    if (!has_digest_of(*manifest, parts)) {
      problems_.push_back(drop.path + ": the manifest has another sha256");
    }
  }

  void check_models() {
    registry::ModelRegistry models(world_.store, kModels);
    std::set<std::string> trained_on;
    for (const std::uint64_t version : models.versions().value_or(std::vector<std::uint64_t>{})) {
      const auto manifest = models.manifest(version);
      if (manifest && !trained_on.insert(manifest->dataset.file_id).second) {
        problems_.push_back("two versions were trained on " + manifest->dataset.path);
      }
      if (!epochs_.contains(version)) {
        problems_.push_back("version " + std::to_string(version) + " is of no epoch");
      }
    }
    for (const auto& [number, epoch] : epochs_) {
      const record::ControlRecord& resume = epoch.resume;
      if (resume.epoch == 0 || resume.version == 0) continue;
      if (const auto loaded = models.load(resume.version, resume.sha256); !loaded) {
        problems_.push_back("epoch " + std::to_string(number) + ": " + loaded.error().message());
      }
    }
  }

  World& world_;
  std::vector<std::string>& problems_;
  const std::map<std::uint64_t, Epoch> epochs_;
  std::multimap<std::string, std::string> files_;
};

// ---- promise 6 ----

void check_liveness(World& world, std::vector<std::string>& problems) {
  const record::ControlState state = world.control();
  if (state.begun) problems.push_back("epoch " + std::to_string(state.epoch) + " never ended");
  if (state.version > 0 && !state.gate_open()) problems.push_back("the gate stayed closed");
  for (const std::string& name : world.files_in(kDatasets)) {
    if (name != "used" && name != "rejected") problems.push_back(name + " was never taken up");
  }
  if (!world.settled()) problems.push_back("the pipeline never came to rest");
  for (const Actor* gateway : world.of(Actor::Kind::kGateway)) {
    check_gateway(gateway->pushed, world.broker, world.topics, state.gate_open(), problems);
  }
}

// ---- as anybody may check them ----

// What the audit finds where somebody forges control records.
constexpr audit::Breach kOfForgers[] = {audit::Breach::kControlUnreadable,
                                        audit::Breach::kControlOutOfOrder,
                                        audit::Breach::kControlForged};

// The program's own judge has to come to the same by its own ways.
void check_by_audit(World& world, std::vector<std::string>& problems) {
  audit::AuditOptions options;
  options.features_topic = world.topics.features;
  options.predictions_topic = world.topics.predictions;
  options.dead_topic = world.topics.dead;
  options.control_topic = world.control_topic();
  options.swaps_topic = world.topics.swaps;
  options.group = kGroup;
  options.dataset_path = kDatasets;
  options.models_path = kModels;
  options.stream.clock_skew = Millis{0};  // there is but one clock
  const auto no_progress = [](std::string_view, std::uint64_t, std::uint64_t) { return Status(); };
  const auto report =
      audit::run_audit(options, world.broker, world.store, world.clock, no_progress);
  if (!report) {
    problems.push_back("the audit came to nothing: " + report.error().message());
    return;
  }
  const audit::Findings& findings = report->findings;
  std::uint64_t strange = 0;
  for (const audit::Breach breach : kOfForgers) strange += findings.count(breach);
  if (strange != world.forged_control_records) {
    problems.push_back("audit: " + std::to_string(strange) + " control records cannot be, and " +
                       std::to_string(world.forged_control_records) + " were forged");
  }
  for (const audit::BreachKind& kind : audit::breach_kinds()) {
    if (std::ranges::find(kOfForgers, kind.breach) != std::end(kOfForgers)) continue;
    for (const std::string& example : findings.examples(kind.breach)) {
      problems.push_back("audit: " + std::string(kind.name) + ": " + example);
    }
  }
}

}  // namespace

// ---- at any moment ----

std::vector<std::string> Invariants::check() {
  std::vector<std::string> problems;
  check_datasets(problems);
  check_models(problems);
  return problems;
}

void Invariants::check_datasets(std::vector<std::string>& problems) {
  std::multimap<std::string, std::string> files;
  gather(world_, kDatasets, files);
  std::map<std::string, int> places;  // by content
  for (const auto& [id, path] : files) {
    if (!path.ends_with(".reason.json")) ++places[sha256_hex(read(world_, path))];
  }
  std::map<std::string, int> expected;
  for (const auto& drop : world_.drops) {
    for (const auto& [id, bytes] : drop->files) ++expected[sha256_hex(bytes)];
  }
  for (const auto& drop : world_.drops) {
    for (const auto& [id, bytes] : drop->files) {
      const std::string hash = sha256_hex(bytes);
      if (places[hash] == expected[hash]) continue;
      problems.push_back(drop->path + " is in " + std::to_string(places[hash]) +
                         " places instead of " + std::to_string(expected[hash]) +
                         ", counted by its bytes");
    }
  }
}

void Invariants::check_models(std::vector<std::string>& problems) {
  registry::ModelRegistry models(world_.store, kModels);
  for (const std::uint64_t version : models.versions().value_or(std::vector<std::uint64_t>{})) {
    const std::string path = models.version_path(version);
    std::string seen = path;
    for (const auto& entry : world_.store.list(path).value_or(std::vector<store::FileStatus>{})) {
      seen += " " + entry.file_id + ":" + std::to_string(entry.length);
    }
    if (verified_.contains(seen)) continue;
    const auto loaded = models.load(version, "");
    if (!loaded)
      problems.push_back("a reader can see a version that is not whole: " +
                         loaded.error().message());
    else if (!models.test_csv(version)) problems.push_back(path + " has no test.csv");
    else verified_.insert(seen);
  }
}

std::vector<std::string> check_settled(World& world) {
  std::vector<std::string> problems = world.problems;
  for (std::string& problem : Invariants(world).check()) problems.push_back(std::move(problem));
  check_answers(world, problems);
  check_order(world, problems);
  check_swaps(world, problems);
  check_output_ends(world, problems);
  DatasetCheck(world, problems).run();
  check_liveness(world, problems);
  check_by_audit(world, problems);
  return problems;
}

}  // namespace weir::simulation
