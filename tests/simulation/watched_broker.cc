#include "simulation/watched_broker.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace weir::simulation {
namespace {

using stream::CommitFault;
using Json = nlohmann::json;

class WatchedSink final : public stream::TransactionalSink {
 public:
  WatchedSink(std::unique_ptr<stream::TransactionalSink> inner, stream::MemoryBroker& cluster,
              Watcher& watcher, const TopicNames& topics, std::string transactional_id)
      : inner_(std::move(inner)),
        cluster_(cluster),
        watcher_(watcher),
        topics_(topics),
        transactional_id_(std::move(transactional_id)) {}

  Status begin() override {
    watcher_.at("begin");
    event_ = {};
    event_.who = transactional_id_;
    return inner_->begin();
  }

  Status send(const stream::OutRecord& record) override {
    if (record.topic == topics_.control) {
      event_.kind = Event::Kind::kControl;
      event_.value = std::string(record.value);
      return inner_->send(record);
    }
    event_.kind = Event::Kind::kCommitted;
    if (watcher_.sabotage() == Sabotage::kCommitsOffsetsOnly) return {};
    if (record.topic == topics_.swaps) return send_note(record);
    if (record.topic == topics_.dead) note_dead_letter(*record.headers);
    if (record.topic != topics_.predictions) return inner_->send(record);
    const std::string text = sabotaged(std::string(record.value));
    const Json json = Json::parse(text);
    event_.predictions.push_back({json["partition"], json["offset"], json["epoch"]});
    stream::OutRecord changed = record;
    changed.value = text;
    return inner_->send(changed);
  }

  Status commit(std::string_view source_topic, std::span<const stream::PartitionOffset> offsets,
                const stream::GroupMetadata* group) override {
    watcher_.at("commit");
    std::vector<stream::PartitionOffset> changed(offsets.begin(), offsets.end());
    if (watcher_.sabotage() == Sabotage::kCommitsTheLastOffset) {
      for (auto& offset : changed) --offset.next_offset;
    }
    if (watcher_.sabotage() == Sabotage::kCommitsNoOffsets) changed.clear();
    const auto fault = watcher_.commit_fault();
    if (fault) cluster_.fail_commit(1, *fault, transactional_id_);
    const std::int64_t before = cluster_.commits();
    Status status = inner_->commit(source_topic, changed, group);
    if (fault == CommitFault::kOffsetsSent) watcher_.at("offsets-sent");
    if (cluster_.commits() != before) watcher_.write(std::move(event_));
    event_ = {};
    watcher_.at("commit answered");
    return status;
  }

  Status abort() override {
    watcher_.at("abort");
    return inner_->abort();
  }

 private:
  Status send_note(const stream::OutRecord& record) {
    if (watcher_.sabotage() == Sabotage::kDropsSwapNotes) return {};
    Json json = Json::parse(record.value);
    if (watcher_.sabotage() == Sabotage::kNotesALaterOffset) {
      json["offset"] = json["offset"].get<std::int64_t>() + 1;
    }
    event_.noted.push_back({json["partition"], json["offset"], json["epoch"]});
    const std::string text = json.dump();
    stream::OutRecord changed = record;
    changed.value = text;
    return inner_->send(changed);
  }

  void note_dead_letter(const stream::Headers& headers) {
    SentPrediction letter;
    for (const auto& [name, value] : headers) {
      if (name == "__connect.errors.partition") letter.partition = std::stoi(value);
      if (name == "__connect.errors.offset") letter.offset = std::stoll(value);
    }
    event_.dead.push_back(letter);
  }

  std::string sabotaged(std::string text) const {
    Json json = Json::parse(text);
    switch (watcher_.sabotage()) {
      case Sabotage::kChangesAPrediction:
        if (!json["prediction"].is_number()) return text;
        json["prediction"] = std::nextafter(json["prediction"].get<double>(), 1e300);
        break;
      case Sabotage::kStampsAnOldEpoch:
        if (json["epoch"] < 2) return text;
        json["epoch"] = json["epoch"].get<int>() - 1;
        break;
      case Sabotage::kStampsAnotherModel: json["model"] = json["model"].get<int>() + 1; break;
      default: return text;
    }
    return json.dump();
  }

  const std::unique_ptr<stream::TransactionalSink> inner_;
  stream::MemoryBroker& cluster_;
  Watcher& watcher_;
  const TopicNames& topics_;
  const std::string transactional_id_;
  Event event_;  // of the transaction that is open
};

class WatchedSource final : public stream::RecordSource {
 public:
  WatchedSource(std::unique_ptr<stream::RecordSource> inner, Watcher& watcher)
      : inner_(std::move(inner)), watcher_(watcher) {}
  Result<std::unique_ptr<stream::RecordBatch>> poll(std::size_t records_max,
                                                    Millis timeout) override {
    watcher_.at("poll");
    auto batch = inner_->poll(records_max, timeout);
    watcher_.at("poll answered");
    return batch;
  }
  void set_paused(bool paused) override { inner_->set_paused(paused); }
  Status rewind_to_committed() override {
    watcher_.at("rewind");
    if (watcher_.sabotage() == Sabotage::kDoesNotRewind) return {};
    return inner_->rewind_to_committed();
  }
  std::vector<std::int32_t> assignment() const override { return inner_->assignment(); }
  std::vector<stream::PartitionPosition> positions() const override { return inner_->positions(); }
  bool at_end() const override { return inner_->at_end(); }
  void close() override {
    watcher_.at("close");
    inner_->close();
  }

 private:
  const std::unique_ptr<stream::RecordSource> inner_;
  Watcher& watcher_;
};

class WatchedPublisher final : public stream::RecordPublisher {
 public:
  WatchedPublisher(std::unique_ptr<stream::RecordPublisher> inner, Watcher& watcher)
      : inner_(std::move(inner)), watcher_(watcher) {}
  Status send(const stream::OutRecord& record) override {
    watcher_.at("publish");
    if (watcher_.duplicates()) WEIR_TRY(inner_->send(record));
    return inner_->send(record);
  }
  Status flush(std::chrono::milliseconds timeout) override {
    watcher_.at("flush");
    return inner_->flush(timeout);
  }
  std::uint64_t undelivered() const override { return inner_->undelivered(); }

 private:
  const std::unique_ptr<stream::RecordPublisher> inner_;
  Watcher& watcher_;
};

class WatchedLog final : public stream::LogReader {
 public:
  WatchedLog(std::unique_ptr<stream::LogReader> inner, Watcher& watcher, std::string topic,
             bool is_control)
      : inner_(std::move(inner)),
        watcher_(watcher),
        topic_(std::move(topic)),
        hears_of_halts_late_(watcher.sabotage() == Sabotage::kHearsOfHaltsLate && is_control) {}
  Result<std::vector<stream::LogEntry>> poll(Millis timeout) override {
    watcher_.at("log poll");
    if (watcher_.log_lags()) return std::vector<stream::LogEntry>{};
    return seen(inner_->poll(timeout));
  }
  Result<std::vector<stream::LogEntry>> read_to_end(Millis timeout) override {
    watcher_.at("read to end");
    auto entries = seen(inner_->read_to_end(timeout));
    watcher_.at("read to end answered");
    return entries;
  }

 private:
  Result<std::vector<stream::LogEntry>> seen(Result<std::vector<stream::LogEntry>> entries) {
    if (entries && hears_of_halts_late_) hold_back(*entries);
    if (entries) {
      for (const auto& entry : *entries) watcher_.has_read(topic_, entry);
    }
    return entries;
  }

  void hold_back(std::vector<stream::LogEntry>& entries) {
    for (auto& entry : entries) held_back_.push_back(std::move(entry));
    entries.clear();
    std::size_t heard = 0;  // up to the last record that does not begin a halt which has no end yet
    for (std::size_t i = 0; i < held_back_.size(); ++i) {
      const Json json = Json::parse(held_back_[i].value, nullptr, false);  // may be forged garbage
      if (!json.is_object() || json.value("type", Json()) != "halt") heard = i + 1;
    }
    const auto end = held_back_.begin() + static_cast<std::ptrdiff_t>(heard);
    entries.assign(std::make_move_iterator(held_back_.begin()), std::make_move_iterator(end));
    held_back_.erase(held_back_.begin(), end);
  }

  const std::unique_ptr<stream::LogReader> inner_;
  Watcher& watcher_;
  const std::string topic_;
  const bool hears_of_halts_late_;
  std::vector<stream::LogEntry> held_back_;
};

class WatchedLeadership final : public stream::Leadership {
 public:
  WatchedLeadership(std::unique_ptr<stream::Leadership> inner, Watcher& watcher)
      : inner_(std::move(inner)), watcher_(watcher) {}
  Result<bool> is_leader(Millis timeout) override {
    watcher_.at("is leader");
    auto leads = inner_->is_leader(timeout);
    watcher_.at("is leader answered");
    return leads;
  }

 private:
  const std::unique_ptr<stream::Leadership> inner_;
  Watcher& watcher_;
};

// Wraps what was opened, or passes its error on.
template <typename Wrapper, typename Interface, typename... Arguments>
Result<std::unique_ptr<Interface>> wrap(Result<std::unique_ptr<Interface>> opened,
                                        Arguments&&... arguments) {
  if (!opened) return fail(std::move(opened.error()));
  return std::make_unique<Wrapper>(std::move(*opened), std::forward<Arguments>(arguments)...);
}

}  // namespace

Status WatchedBroker::ensure_topics(const std::vector<stream::TopicSpec>& topics, Millis timeout) {
  return process_.ensure_topics(topics, timeout);
}

Result<std::unique_ptr<stream::RecordSource>> WatchedBroker::open_source(
    const std::string& topic, const std::string& group, const std::string& member,
    stream::RebalanceListener& listener, const std::vector<std::string>& evidence) {
  watcher_.at("open source");
  return wrap<WatchedSource>(process_.open_source(topic, group, member, listener, evidence),
                             watcher_);
}

Result<std::unique_ptr<stream::TransactionalSink>> WatchedBroker::open_sink(
    const std::string& transactional_id, Millis timeout, stream::Places places) {
  watcher_.at("open sink");
  auto opened = wrap<WatchedSink>(process_.open_sink(transactional_id, timeout, places), cluster_,
                                  watcher_, topics_, transactional_id);
  watcher_.at("open sink answered");
  return opened;
}

Result<std::unique_ptr<stream::RecordPublisher>> WatchedBroker::open_publisher() {
  return wrap<WatchedPublisher>(process_.open_publisher(), watcher_);
}

Result<std::unique_ptr<stream::LogReader>> WatchedBroker::open_log(const std::string& topic,
                                                                   stream::StartAt start,
                                                                   std::int64_t time_ms) {
  watcher_.at("open log");
  return wrap<WatchedLog>(process_.open_log(topic, start, time_ms), watcher_, topic,
                          topic == topics_.control);
}

Result<std::unique_ptr<stream::Leadership>> WatchedBroker::open_leadership(
    const std::string& topic, const std::string& group, const std::string& member) {
  return wrap<WatchedLeadership>(process_.open_leadership(topic, group, member), watcher_);
}

Result<std::unique_ptr<stream::TopicHistory>> WatchedBroker::open_history(
    const std::string& topic, const stream::HistoryStart& start) {
  return process_.open_history(topic, start);
}

Result<std::unique_ptr<stream::TopicTail>> WatchedBroker::open_tail(
    const std::string& topic, const stream::TailStart& start) {
  return process_.open_tail(topic, start);
}

Result<std::vector<stream::PartitionOffset>> WatchedBroker::committed_offsets(
    const std::string& group, const std::string& topic, Millis timeout) {
  return process_.committed_offsets(group, topic, timeout);
}

Result<std::vector<stream::PartitionOffset>> WatchedBroker::log_ends(const std::string& topic,
                                                                     Millis timeout) {
  auto ends = process_.log_ends(topic, timeout);
  if (ends && watcher_.sabotage() == Sabotage::kTellsALaterEnd) {
    for (auto& end : *ends) ++end.next_offset;
  }
  return ends;
}

Status WatchedBroker::fence(const std::string& transactional_id, Millis timeout) {
  watcher_.at("fence");
  if (watcher_.sabotage() == Sabotage::kFenceDoesNothing) return {};
  Status fenced = process_.fence(transactional_id, timeout);
  if (fenced) watcher_.write({Event::Kind::kFenced, transactional_id, "", {}, {}, {}, 0});
  return fenced;
}

// ---- the store ----

template <typename Call>
auto WatchedStore::watched(std::string_view place, bool changes, Call call) -> decltype(call()) {
  watcher_.at(place);
  auto fault = watcher_.store_fault();
  if (fault && !watcher_.store_fault_after_work()) return fail(std::move(*fault));
  auto result = call();
  if (changes) watcher_.at(place);
  if (fault && result) return fail(std::move(*fault));
  return result;
}

Result<std::vector<store::FileStatus>> WatchedStore::list(const std::string& path) {
  return watched("store list", false, [&] { return inner_.list(path); });
}

Result<store::FileStatus> WatchedStore::status(const std::string& path) {
  return watched("store status", false, [&] { return inner_.status(path); });
}

Status WatchedStore::read(const std::string& path, std::uint64_t offset, std::uint64_t length,
                          const store::ByteSink& sink) {
  return watched("store read", false, [&] { return inner_.read(path, offset, length, sink); });
}

Status WatchedStore::create(const std::string& path, const store::ByteSource& source) {
  return watched("store create", true, [&] { return inner_.create(path, source); });
}

Status WatchedStore::make_directories(const std::string& path) {
  return watched("store make", true, [&] { return inner_.make_directories(path); });
}

Status WatchedStore::rename(const std::string& from, const std::string& to) {
  return watched("store rename", true, [&] { return sabotaged_rename(from, to); });
}

Status WatchedStore::remove(const std::string& path) {
  return watched("store remove", true, [&] { return inner_.remove(path); });
}

Status WatchedStore::sabotaged_rename(const std::string& from, const std::string& to) {
  const Sabotage sabotage = watcher_.sabotage();
  const bool to_used = to.find("/used/") != std::string::npos;
  const bool publishes = from.find("/.tmp-") != std::string::npos;
  if (sabotage == Sabotage::kPublishesHalfAModel && publishes) {
    const std::string model = WEIR_TRY(store::read_all(inner_, from + "/model.json", 1 << 20));
    WEIR_TRY(store::create_from(inner_, to + "/model.json", model.substr(0, model.size() / 2)));
    watcher_.at("half a model");
    WEIR_TRY(inner_.remove(to));
  }
  const bool spoils = sabotage == Sabotage::kSpoilsAMovedDataset && to_used;
  const bool copies = sabotage == Sabotage::kCopiesAMovedDataset && to_used;
  if (!spoils && !copies) return inner_.rename(from, to);
  std::string bytes = WEIR_TRY(store::read_all(inner_, from, 1 << 20));
  if (spoils) bytes.pop_back();
  WEIR_TRY(store::create_from(inner_, to, bytes));
  return spoils ? inner_.remove(from) : Status{};
}

}  // namespace weir::simulation
