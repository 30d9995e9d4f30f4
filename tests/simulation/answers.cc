#include "simulation/answers.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace weir::simulation {
namespace {

using Json = nlohmann::ordered_json;
using Place = std::pair<std::int32_t, std::int64_t>;  // partition and offset of a feature record

std::string text_of(Place place) {
  return "feature record " + std::to_string(place.first) + ":" + std::to_string(place.second);
}

struct LinearModel {
  std::vector<std::string> features;
  double intercept = 0;
  std::vector<double> coefficients;
};

// The features of each row of a record, or nothing where it is to be refused: as the documentation
// tells it, not as the program does it.
std::optional<std::vector<std::vector<double>>> rows_of_record(const std::string& value,
                                                               const LinearModel& model) {
  const Json json = Json::parse(value, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const bool many = json.contains("sample");
  const Json& columns = many ? json["sample"] : json;
  std::vector<std::vector<double>> rows;
  for (const std::string& name : model.features) {
    if (!columns.contains(name)) return std::nullopt;
    const Json& cells = columns[name];
    std::size_t row = 0;
    const auto add = [&](const Json& cell) {
      if (!cell.is_number()) return false;
      if (rows.size() <= row) rows.emplace_back();
      rows[row++].push_back(cell.get<double>());
      return true;
    };
    if (!many) {
      if (!add(cells)) return std::nullopt;
      continue;
    }
    for (const auto& [label, cell] : cells.items()) {
      if (!add(cell)) return std::nullopt;
    }
  }
  return rows;
}

class AnswerCheck {
 public:
  AnswerCheck(World& world, std::vector<std::string>& problems)
      : world_(world), problems_(problems) {
    for (auto& record : world.broker.records(world.topics.features)) {
      const Place place{record.partition, record.offset};
      features_.emplace(place, std::move(record));
    }
    record::ControlState state;
    for (const auto& entry : world.broker.records(world.topics.control)) {
      const auto record = world.control_record(entry.value);
      if (!record || !state.apply(*record) || record->type != record::ControlType::kResume)
        continue;
      version_of_epoch_[record->epoch] = record->version;
    }
  }

  void run() {
    for (const auto& record : world_.broker.records(world_.topics.predictions)) prediction(record);
    for (const auto& record : world_.broker.records(world_.topics.dead)) dead_letter(record);
    const auto committed = world_.broker.committed(kGroup, world_.topics.features);
    for (const auto& [place, feature] : features_) {
      const auto next = committed.find(place.first);
      const bool below = next != committed.end() && place.second < next->second;
      const int answers = answers_[place];
      if (answers != (below ? 1 : 0)) {
        problem(place, (below ? "" : "not committed, ") + std::string("has ") +
                           std::to_string(answers) + " answers");
      }
    }
    std::map<std::int32_t, std::uint64_t> highest;
    for (const auto& [place, epoch] : epochs_) {
      std::uint64_t& before = highest[place.first];
      if (epoch < before) {
        problem(place, "has epoch " + std::to_string(epoch) + ", a record before it " +
                           std::to_string(before));
      }
      before = std::max(before, epoch);
    }
  }

 private:
  void problem(Place place, const std::string& what) {
    problems_.push_back(text_of(place) + " " + what);
  }

  const LinearModel* model(std::uint64_t version) {
    const auto [found, is_new] = models_.try_emplace(version);
    if (!is_new) return &found->second;
    registry::ModelRegistry models(world_.store, kModels);
    const auto text =
        store::read_all(world_.store, models.version_path(version) + "/model.json", 1 << 20);
    const Json json = Json::parse(text.value_or(""), nullptr, false);
    if (!json.is_object()) {
      models_.erase(found);
      return nullptr;
    }
    found->second = {json["features"], json["intercept"], json["coefficients"]};
    return &found->second;
  }

  void prediction(const stream::MemoryRecord& record) {
    const Json json = Json::parse(record.value, nullptr, false);
    if (!json.is_object()) {
      problems_.push_back("a prediction is no JSON object: " + record.value);
      return;
    }
    const Place place{json["partition"], json["offset"]};
    const auto feature = features_.find(place);
    if (feature == features_.end()) return problem(place, "was answered but never asked");
    ++answers_[place];
    if (record.key != feature->second.key) problem(place, "was answered under another key");
    const std::uint64_t epoch = json["epoch"];
    const std::uint64_t version = json["model"];
    epochs_[place] = epoch;
    const auto ruling = version_of_epoch_.find(epoch);
    if (ruling == version_of_epoch_.end() || ruling->second != version) {
      problem(place, "was answered by model " + std::to_string(version) +
                         ", which did not rule in epoch " + std::to_string(epoch));
    }
    const LinearModel* const by = model(version);
    if (by == nullptr) return problem(place, "was answered by a model that is not there");
    const auto rows = rows_of_record(feature->second.value, *by);
    if (!rows) return problem(place, "was answered although it lacks features");
    check_value(place, json["prediction"], *rows, *by);
  }

  void check_value(Place place, const Json& found, const std::vector<std::vector<double>>& rows,
                   const LinearModel& by) {
    const Json values = found.is_array() ? found : Json::array({found});
    if (values.size() != rows.size()) return problem(place, "has another number of predictions");
    for (std::size_t i = 0; i < rows.size(); ++i) {
      double p = by.intercept;
      for (std::size_t j = 0; j < by.coefficients.size(); ++j) {
        const double product = by.coefficients[j] * rows[i][j];
        p = p + product;
      }
      const double value = values[i].get<double>();
      if (std::memcmp(&value, &p, sizeof p) == 0) continue;
      problem(place,
              "was answered " + format_double(value) + ", the model says " + format_double(p));
    }
  }

  void dead_letter(const stream::MemoryRecord& record) {
    std::map<std::string, std::string> headers(record.headers.begin(), record.headers.end());
    const Place place{
        static_cast<std::int32_t>(parse_int64(headers["__connect.errors.partition"]).value_or(-1)),
        parse_int64(headers["__connect.errors.offset"]).value_or(-1)};
    const auto feature = features_.find(place);
    if (feature == features_.end()) return problem(place, "is dead but never lived");
    ++answers_[place];
    if (record.key != feature->second.key || record.value != feature->second.value) {
      problem(place, "changed on its way to the dead");
    }
    if (headers["__connect.errors.exception.message"].empty())
      problem(place, "is dead without a reason");
    // A record that every model can answer is never refused.
    bool all = true;
    for (const auto& [epoch, version] : version_of_epoch_) {
      const LinearModel* const by = version > 0 ? model(version) : nullptr;
      all = all && (by == nullptr || rows_of_record(feature->second.value, *by));
    }
    if (all) problem(place, "was refused although it has all features");
  }

  World& world_;
  std::vector<std::string>& problems_;
  std::map<Place, stream::MemoryRecord> features_;
  std::map<Place, int> answers_;
  std::map<Place, std::uint64_t> epochs_;
  std::map<std::uint64_t, std::uint64_t> version_of_epoch_;
  std::map<std::uint64_t, LinearModel> models_;
};

// The journal and the topic tell of the same predictions.
void check_journal_is_whole(World& world, std::vector<std::string>& problems) {
  std::multiset<std::pair<Place, std::uint64_t>> sent;
  for (const Event& event : world.journal) {
    for (const auto& p : event.predictions) sent.insert({{p.partition, p.offset}, p.epoch});
  }
  std::multiset<std::pair<Place, std::uint64_t>> seen;
  for (const auto& record : world.broker.records(world.topics.predictions)) {
    const Json json = Json::parse(record.value);
    const Place place{json["partition"], json["offset"]};
    seen.emplace(place, json["epoch"].get<std::uint64_t>());
  }
  if (sent != seen) problems.push_back("the journal and the predictions topic do not agree");
}

}  // namespace

void check_answers(World& world, std::vector<std::string>& problems) {
  AnswerCheck(world, problems).run();
}

void check_order(World& world, std::vector<std::string>& problems) {
  check_journal_is_whole(world, problems);
  record::ControlState state;
  bool concluded = false;  // everyone has halted or is fenced, and the resume has not come
  for (const Event& event : world.journal) {
    // A trainer that does not know yet that it was deposed may conclude an epoch that its successor
    // ended long ago: that says nothing of the halt that is in force.
    if (event.kind == Event::Kind::kConcluded && state.begun && state.begun->epoch == event.epoch) {
      concluded = true;
    }
    if (event.kind == Event::Kind::kControl) {
      const auto record = world.control_record(event.value);
      if (!record || !state.apply(*record)) continue;
      concluded = false;
    }
    if (event.kind != Event::Kind::kCommitted) continue;
    if (concluded) {
      problems.push_back(event.who + " committed between the last ack and the resume of epoch " +
                         std::to_string(state.epoch));
    }
    for (const auto& p : event.predictions) {
      const bool late = p.epoch < state.ruling_epoch && world.options.halt_while_training;
      if (!late && p.epoch <= state.ruling_epoch) continue;
      problems.push_back(text_of({p.partition, p.offset}) + " was committed by " + event.who +
                         " in epoch " + std::to_string(p.epoch) + ", when epoch " +
                         std::to_string(state.ruling_epoch) + " ruled");
    }
  }
}

}  // namespace weir::simulation
