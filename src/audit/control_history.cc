#include "audit/control_history.h"

namespace weir::audit {
namespace {

using record::ControlRecord;
using record::ControlType;
using record::Outcome;

// Folds the log; knows which model ruled last and the sha256 of every version so far.
class Judge {
 public:
  Judge(const record::ControlTopic& topic, Findings& findings)
      : topic_(topic), findings_(findings) {}

  void take(const ControlEntry& entry) {
    const auto record = topic_.read(entry.value);
    if (!record) {
      const bool forged = record.error().code() == Code::kPermissionDenied;
      findings_.add(forged ? Breach::kControlForged : Breach::kControlUnreadable,
                    [&] { return place(entry) + ": " + record.error().message(); });
      return;
    }
    const std::string fault =
        record->type == ControlType::kResume ? end(*record, entry) : begin(*record, entry);
    if (fault.empty()) return;
    findings_.add(Breach::kControlOutOfOrder, [&] {
      return place(entry) + " (by " + record->by + " at " + record->at + "): " + fault;
    });
  }

  ControlHistory take_history() { return std::move(history_); }

 private:
  static std::string place(const ControlEntry& entry) {
    return "control record at offset " + std::to_string(entry.offset);
  }

  std::string begin(const ControlRecord& record, const ControlEntry& entry) {
    const std::string self = "epoch " + std::to_string(record.epoch);
    if (const auto open = history_.under_way()) {
      return self + " begins before epoch " + std::to_string(open) + " has ended";
    }
    const std::uint64_t last = history_.reigns.empty() ? 0 : history_.reigns.rbegin()->first;
    if (record.epoch != last + 1) {
      return self + " begins after epoch " + std::to_string(last) + "; epochs rise by one";
    }
    Reign& reign = history_.reigns[record.epoch];
    reign.begin = record;
    reign.begun_ms = entry.timestamp_ms;
    return "";
  }

  std::string end(const ControlRecord& record, const ControlEntry& entry) {
    const std::string self = "a resume of epoch " + std::to_string(record.epoch);
    if (history_.under_way() != record.epoch || record.epoch == 0) {
      return self + ", which is not under way";
    }
    Reign& reign = history_.reigns.at(record.epoch);
    const std::string fault = fault_of_outcome(record, reign);
    if (!fault.empty()) return self + fault;
    reign.resume = record;
    reign.resumed_ms = entry.timestamp_ms;
    live_ = record.version;
    sha256_[record.version] = record.sha256;
    return "";
  }

  std::string fault_of_outcome(const ControlRecord& record, const Reign& reign) const {
    const std::string version = std::to_string(record.version);
    switch (record.outcome) {
      case Outcome::kTrained:
        if (!reign.begin.dataset) return " says that a rollback has trained a model";
        if (record.version != record.epoch) return " says that it has trained version " + version;
        return "";
      case Outcome::kRefused:
      case Outcome::kFailed:
        if (record.version != live_) {
          return " keeps version " + version + ", but version " + std::to_string(live_) + " ruled";
        }
        break;
      case Outcome::kRolledBack:
        if (reign.begin.rollback_to != record.version) {
          return " rolls back to version " + version + ", which its halt did not name";
        }
        break;
    }
    const auto known = sha256_.find(record.version);
    if (known != sha256_.end() && known->second != record.sha256) {
      return " gives version " + version + " another sha256 than it had";
    }
    return "";
  }

  const record::ControlTopic& topic_;
  Findings& findings_;
  ControlHistory history_;
  std::uint64_t live_ = 0;
  std::map<std::uint64_t, std::string> sha256_;  // by version
};

}  // namespace

std::uint64_t ControlHistory::under_way() const {
  if (reigns.empty() || reigns.rbegin()->second.resume) return 0;
  return reigns.rbegin()->first;
}

const Reign* ControlHistory::next_halt(std::uint64_t epoch) const {
  for (auto it = reigns.upper_bound(epoch); it != reigns.end(); ++it) {
    if (it->second.halts() && it->second.resume) return &it->second;
  }
  return nullptr;
}

std::set<std::uint64_t> ControlHistory::trained() const {
  std::set<std::uint64_t> versions;
  for (const auto& [epoch, reign] : reigns) {
    if (reign.trained()) versions.insert(epoch);
  }
  return versions;
}

ControlHistory judge_control_log(std::span<const ControlEntry> entries,
                                 const record::ControlTopic& topic, Findings& findings) {
  Judge judge(topic, findings);
  for (const ControlEntry& entry : entries) judge.take(entry);
  return judge.take_history();
}

}  // namespace weir::audit
