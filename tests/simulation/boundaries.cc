#include "simulation/boundaries.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "record/swap.h"

namespace weir::simulation {
namespace {

using EpochAndPartition = std::pair<std::uint64_t, std::int32_t>;

std::string text_of(EpochAndPartition at) {
  return "epoch " + std::to_string(at.first) + " along partition " + std::to_string(at.second);
}

void lower(std::map<EpochAndPartition, std::int64_t>& lowest, EpochAndPartition at,
           std::int64_t offset) {
  const auto [found, is_new] = lowest.try_emplace(at, offset);
  if (!is_new) found->second = std::min(found->second, offset);
}

// A transaction is of one epoch; a dead letter does not name it, what came with it does.
std::uint64_t epoch_of(const Event& event) {
  for (const auto* sent : {&event.predictions, &event.noted}) {
    if (!sent->empty()) return sent->front().epoch;
  }
  return 0;
}

// What the journal says was answered first, and that each note came with its answer.
std::map<EpochAndPartition, std::int64_t> first_answers(World& world,
                                                        std::vector<std::string>& problems) {
  std::map<EpochAndPartition, std::int64_t> first;
  for (const Event& event : world.journal) {
    if (event.kind != Event::Kind::kCommitted) continue;
    const std::uint64_t epoch = epoch_of(event);
    for (const auto* answers : {&event.predictions, &event.dead}) {
      for (const auto& one : *answers) {
        if (epoch != 0) lower(first, {epoch, one.partition}, one.offset);
      }
    }
    for (const auto& note : event.noted) {
      const auto is_its_answer = [&](const SentPrediction& one) {
        return one.partition == note.partition && one.offset == note.offset;
      };
      if (std::any_of(event.predictions.begin(), event.predictions.end(), is_its_answer)) continue;
      if (std::any_of(event.dead.begin(), event.dead.end(), is_its_answer)) continue;
      problems.push_back("the note of " + text_of({note.epoch, note.partition}) + ", offset " +
                         std::to_string(note.offset) + ", came without its answer");
    }
  }
  return first;
}

}  // namespace

void check_swaps(World& world, std::vector<std::string>& problems) {
  std::map<std::uint64_t, std::uint64_t> version_of_epoch;
  record::ControlState state;
  for (const auto& entry : world.broker.records(world.topics.control)) {
    const auto record = world.control_record(entry.value);
    if (!record || !state.apply(*record)) continue;
    if (record->type == record::ControlType::kResume)
      version_of_epoch[record->epoch] = record->version;
  }
  std::map<EpochAndPartition, std::int64_t> noted;
  for (const auto& entry : world.broker.records(world.topics.swaps)) {
    const auto note = record::SwapRecord::parse(entry.value);
    if (!note) {
      problems.push_back("a note of a swap cannot be read: " + entry.value);
      continue;
    }
    const EpochAndPartition at{note->epoch, note->partition};
    lower(noted, at, note->offset);
    const auto ruled = version_of_epoch.find(note->epoch);
    if (ruled == version_of_epoch.end() || ruled->second != note->version) {
      problems.push_back("the note of " + text_of(at) +
                         " names another version than the one that ruled");
    }
  }
  const auto answered = first_answers(world, problems);
  for (const auto& [at, offset] : answered) {
    const auto note = noted.find(at);
    if (note == noted.end()) {
      problems.push_back(text_of(at) + " has answers and no note");
    } else if (note->second != offset) {
      problems.push_back(text_of(at) + " begins at " + std::to_string(offset) +
                         ", the lowest note says " + std::to_string(note->second));
    }
  }
  for (const auto& [at, offset] : noted) {
    if (!answered.contains(at)) problems.push_back(text_of(at) + " has a note and no answer");
  }
}

namespace {

// An answer, by its place in the topic that it was written to.
struct Written {
  const char* topic = "";
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::uint64_t epoch = 0;
};

// The epoch that answered a feature record, by the notes: dead letters do not name it.
class EpochByNotes {
 public:
  explicit EpochByNotes(World& world) {
    for (const auto& entry : world.broker.records(world.topics.swaps)) {
      const auto note = record::SwapRecord::parse(entry.value);
      if (!note) continue;
      const auto [at, is_new] = begins_[note->partition].try_emplace(note->offset, note->epoch);
      if (!is_new) at->second = std::max(at->second, note->epoch);
    }
  }
  std::uint64_t at(std::int32_t partition, std::int64_t offset) const {
    const auto along = begins_.find(partition);
    if (along == begins_.end()) return 0;
    const auto next = along->second.upper_bound(offset);
    return next == along->second.begin() ? 0 : std::prev(next)->second;
  }

 private:
  std::map<std::int32_t, std::map<std::int64_t, std::uint64_t>> begins_;
};

std::vector<Written> all_answers(World& world) {
  std::vector<Written> answers;
  for (const auto& record : world.broker.records(world.topics.predictions)) {
    const auto json = nlohmann::json::parse(record.value);
    answers.push_back({"prediction", record.partition, record.offset, json["epoch"]});
  }
  const EpochByNotes epochs(world);
  for (const auto& record : world.broker.records(world.topics.dead)) {
    std::map<std::string, std::string> headers(record.headers.begin(), record.headers.end());
    const auto partition = parse_int64(headers["__connect.errors.partition"]).value_or(-1);
    const auto offset = parse_int64(headers["__connect.errors.offset"]).value_or(-1);
    answers.push_back({"dead letter", record.partition, record.offset,
                       epochs.at(static_cast<std::int32_t>(partition), offset)});
  }
  return answers;
}

}  // namespace

void check_output_ends(World& world, std::vector<std::string>& problems) {
  const std::vector<Written> answers = all_answers(world);
  record::ControlState state;
  for (const auto& entry : world.broker.records(world.topics.control)) {
    const auto resume = world.control_record(entry.value);
    const auto begun = state.begun;
    if (!resume || !state.apply(*resume) || !resume->output_ends) continue;
    const bool halted = begun->type == record::ControlType::kHalt;
    for (const Written& answer : answers) {
      const bool predicted = std::string(answer.topic) == "prediction";
      const auto& ends = predicted ? resume->output_ends->predictions : resume->output_ends->dead;
      const auto end = ends.find(answer.partition);
      const bool below = end != ends.end() && answer.offset < end->second;
      const bool is_later = answer.epoch >= resume->epoch;
      if (end != ends.end() && (is_later ? !below : below || !halted)) continue;
      problems.push_back(std::string("the resume of epoch ") + std::to_string(resume->epoch) +
                         " does not tell the " + answer.topic + " " +
                         std::to_string(answer.partition) + ":" + std::to_string(answer.offset) +
                         " of epoch " + std::to_string(answer.epoch) + " from its own");
    }
  }
}

}  // namespace weir::simulation
