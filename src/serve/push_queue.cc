#include "serve/push_queue.h"

#include <algorithm>
#include <unordered_set>

namespace weir::serve {
namespace {

constexpr std::size_t kQueuedBytesMax = std::size_t{64} << 20;
constexpr std::size_t kRecentMax = 500'000;
constexpr Millis kLookAgain{20};

// A store that is damaged is filled again, and a record that Kafka does not take is its client's
// fault: neither is a reason to end the process, as other errors of these codes are.
Error passing(Error error) {
  switch (error.code()) {
    case Code::kCorrupt:
    case Code::kInvalidArgument:
    case Code::kUnsupported:
    case Code::kBadData: return Error(Code::kUnavailable, error.message());
    default: return error;
  }
}

}  // namespace

struct PushQueue::Waiting {
  PushRequest request;
  SteadyTime deadline;
  std::size_t bytes = 0;
  std::atomic<bool> answered{false};
  bool tried = false;  // the pusher's: it may be in the topic
};

PushQueue::~PushQueue() { close(); }

void PushQueue::answer(Waiting& waiting, PushAnswer answer) {
  if (!waiting.answered.exchange(true)) waiting.request.done(std::move(answer));
}

void PushQueue::submit(PushRequest request) {
  auto waiting = std::make_shared<Waiting>();
  for (const PushRecord& record : request.records) {
    waiting->bytes += record.id.size() + record.value.size();
  }
  waiting->request = std::move(request);
  waiting->deadline = clock_.steady() + patience_;
  std::optional<Error> refused;
  bool enough = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      refused.emplace(Code::kUnavailable, "the gateway is ending; nothing was taken");
    } else if (queued_bytes_ + waiting->bytes > kQueuedBytesMax) {
      refused.emplace(Code::kUnavailable, "too much waits to be pushed already; nothing was taken" +
                                              (trouble_.empty() ? "" : ": " + trouble_));
    } else {
      queued_bytes_ += waiting->bytes;
      queue_.push_back(waiting);
      enough = queue_.size() >= wanted_;
    }
  }
  if (enough) changed_.notify_one();
  if (!refused) return;
  ++counters_.refused;
  answer(*waiting, weir::fail(*refused));
}

void PushQueue::expire() {
  const SteadyTime now = clock_.steady();
  std::vector<std::shared_ptr<Waiting>> late;
  std::string why;
  {
    const std::lock_guard lock(mutex_);
    why = trouble_;
    while (!queue_.empty() && queue_.front()->deadline <= now) {
      queued_bytes_ -= queue_.front()->bytes;
      late.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    std::erase_if(taken_, [&](const auto& weak) {
      auto waiting = weak.lock();
      if (!waiting || waiting->answered) return true;
      if (waiting->deadline > now) return false;
      late.push_back(std::move(waiting));
      return true;
    });
  }
  for (const auto& waiting : late) {
    answer(*waiting,
           weir::fail(Code::kUnavailable,
                      "Kafka has not confirmed the records in time" +
                          (why.empty() ? "" : " (" + why + ")") +
                          "; send the same again, with the same ids or Idempotency-Key: what was "
                          "taken is not taken twice"));
  }
}

void PushQueue::close() {
  std::vector<std::shared_ptr<Waiting>> left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    left.assign(queue_.begin(), queue_.end());
    queue_.clear();
    queued_bytes_ = 0;
    for (const auto& weak : taken_) {
      if (auto waiting = weak.lock()) left.push_back(std::move(waiting));
    }
    taken_.clear();
  }
  changed_.notify_all();
  for (const auto& waiting : left) {
    answer(*waiting, weir::fail(Code::kUnavailable,
                                "the gateway is ending; send the same again, with the same ids"));
  }
}

std::size_t PushQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

std::string PushQueue::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void PushQueue::set_trouble(std::string trouble) {
  const std::lock_guard lock(mutex_);
  trouble_ = std::move(trouble);
}

void PushQueue::take_alone(std::size_t requests) {
  const std::lock_guard lock(mutex_);
  alone_ = requests;
}

PushQueue::Taken PushQueue::take(std::size_t records_max, Millis timeout, Gathering gathering) {
  Taken taken;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return !queue_.empty() || closed_; });
  if (!queue_.empty() && alone_ == 0) {
    wanted_ = gathering.requests;
    changed_.wait_for(lock, gathering.patience,
                      [&] { return queue_.size() >= wanted_ || closed_; });
    wanted_ = 1;
  }
  std::size_t records = 0;
  while (!queue_.empty()) {
    const std::size_t next = queue_.front()->request.records.size();
    if (!taken.empty() && (records + next > records_max || alone_ > 0)) break;
    if (alone_ > 0) --alone_;
    records += next;
    queued_bytes_ -= queue_.front()->bytes;
    taken_.push_back(queue_.front());
    taken.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return taken;
}

void PushQueue::give_back(Taken requests) {
  const std::lock_guard lock(mutex_);
  for (auto waiting = requests.rbegin(); waiting != requests.rend(); ++waiting) {
    if ((*waiting)->answered) continue;
    queued_bytes_ += (*waiting)->bytes;
    queue_.push_front(std::move(*waiting));
  }
}

// What becomes of each record of a request.
struct Pusher::Fate {
  PushQueue::Waiting* waiting = nullptr;
  std::vector<Pushed> records;
  // Of those to be written: which, and where they come to stand.
  std::vector<std::size_t> fresh;
  std::vector<stream::Place> places;
  // A record that stands twice in the request, and where first.
  std::vector<std::pair<std::size_t, std::size_t>> doubles;
};

Pusher::Pusher(PusherOptions options, stream::Broker& broker, predictions::PredictionStore& store,
               const predictions::FeedProgress& progress, PushQueue& queue, Clock& clock)
    : options_(std::move(options)),
      broker_(broker),
      store_(store),
      progress_(progress),
      queue_(queue),
      clock_(clock),
      generation_(progress.generation()) {}

Pusher::~Pusher() {
  if (queue_.trouble().empty()) queue_.set_trouble("the connection to Kafka is being made anew");
}

Result<std::unique_ptr<Pusher>> Pusher::open(PusherOptions options, stream::Broker& broker,
                                             predictions::PredictionStore& store,
                                             const predictions::FeedProgress& progress,
                                             PushQueue& queue, Clock& clock) {
  std::unique_ptr<Pusher> pusher(
      new Pusher(std::move(options), broker, store, progress, queue, clock));
  const auto prepare = [&]() -> Status {
    const PusherOptions& own = pusher->options_;
    pusher->sink_ = WEIR_TRY(
        during(broker.open_sink(own.transactional_id, own.broker_timeout, stream::Places::kTold),
               "opening " + own.features_topic + " for pushes"));
    return pusher->ask_for_ends();
  };
  if (auto prepared = prepare(); !prepared) {
    queue.set_trouble(prepared.error().message());
    return fail(prepared.error());
  }
  return pusher;
}

Status Pusher::ask_for_ends() {
  generation_ = progress_.generation();
  must_cover_ = WEIR_TRY(broker_.log_ends(options_.features_topic, options_.broker_timeout));
  return {};
}

Status Pusher::step(Millis wait_max, std::stop_token stop) {
  if (!covered_) {
    // The index was opened meanwhile, maybe of another topic.
    if (progress_.generation() != generation_) WEIR_TRY(ask_for_ends());
    covered_ = progress_.caught_up_to(options_.features_topic, must_cover_);
    if (!covered_) {
      queue_.set_trouble("the ids in " + options_.features_topic + " are still being read");
      clock_.sleep_for(std::min(wait_max, kLookAgain), stop);
      return {};
    }
    queue_.set_trouble("");
  }
  forget_what_is_indexed();
  if (recent_.size() >= kRecentMax) {
    queue_.set_trouble("the prediction store does not keep up with what is pushed");
    clock_.sleep_for(std::min(wait_max, kLookAgain), stop);
    return {};
  }
  queue_.set_trouble("");
  auto requests = queue_.take(options_.records_max, wait_max, std::exchange(gathering_, {}));
  std::erase_if(requests, [](const auto& waiting) { return waiting->answered.load(); });
  if (requests.empty()) return {};
  auto later = push(requests);
  if (!later) {
    queue_.set_trouble(later.error().message());
    queue_.give_back(std::move(requests));
    return fail(passing(std::move(later.error())));
  }
  queue_.give_back(std::move(*later));
  return {};
}

void Pusher::finish() { queue_.close(); }

void Pusher::forget_what_is_indexed() {
  while (!recent_order_.empty()) {
    const auto& [place, id] = recent_order_.front();
    const stream::PartitionOffset end{place.partition, place.offset + 1};
    if (!progress_.caught_up_to(options_.features_topic, {&end, 1})) return;
    recent_.erase(id);
    recent_order_.pop_front();
  }
}

Result<PushQueue::Taken> Pusher::push(const PushQueue::Taken& requests) {
  const SteadyTime begun = clock_.steady();
  WEIR_TRY(look_up(requests));
  for (const auto& waiting : requests) waiting->tried = true;
  if (progress_.generation() != generation_) {
    return fail(Code::kUnavailable, "the index of ids is being filled again");
  }
  std::vector<Fate> fates;
  PushQueue::Taken later;
  std::unordered_set<std::string_view> on_their_way;
  for (const auto& waiting : requests) {
    // One that brings an id of another request of this transaction is judged by the next one.
    const auto& records = waiting->request.records;
    if (std::any_of(records.begin(), records.end(),
                    [&](const PushRecord& record) { return on_their_way.contains(record.id); })) {
      later.push_back(waiting);
      continue;
    }
    Fate fate;
    fate.waiting = waiting.get();
    if (auto conflict = judge(*waiting, fate)) {
      ++queue_.counters_.refused;
      PushQueue::answer(*waiting, weir::fail(std::move(*conflict)));
      continue;
    }
    for (const std::size_t i : fate.fresh) on_their_way.insert(records[i].id);
    fates.push_back(std::move(fate));
  }
  WEIR_TRY(write(fates));
  expect(fates, begun);
  for (Fate& fate : fates) tell(fate);
  return later;
}

// Clients that ask again once they are answered would else fall into two halves, each of which
// waits for the transaction of the other.
void Pusher::expect(const std::vector<Fate>& fates, SteadyTime begun) {
  std::size_t records = 0;
  for (const Fate& fate : fates) records += fate.records.size();
  if (records > options_.records_max / 2) return;
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - begun);
  gathering_ = {fates.size() + queue_.waiting(), std::min(took / 4, options_.gathering_max)};
}

Status Pusher::look_up(const PushQueue::Taken& requests) {
  indexed_.clear();
  std::vector<std::string> ids;
  const auto ask = [&]() -> Status {
    const auto found = WEIR_TRY(during(store_.find_ids(ids), "looking up the ids of records"));
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (found[i]) indexed_[ids[i]] = {found[i]->place, found[i]->value_hash};
    }
    ids.clear();
    return {};
  };
  for (const auto& waiting : requests) {
    for (const PushRecord& record : waiting->request.records) {
      if (record.minted && !waiting->tried) continue;
      if (recent_.contains(record.id)) continue;
      ids.push_back(record.id);
      if (ids.size() == predictions::kIdsAtOnceMax) WEIR_TRY(ask());
    }
  }
  return ids.empty() ? Status{} : ask();
}

const Pusher::Known* Pusher::known(const std::string& id) const {
  if (const auto found = recent_.find(id); found != recent_.end()) return &found->second;
  if (const auto found = indexed_.find(id); found != indexed_.end()) return &found->second;
  return nullptr;
}

std::optional<Error> Pusher::judge(const PushQueue::Waiting& request, Fate& fate) const {
  const auto conflict = [](const std::string& id, const std::string& where) {
    return Error(Code::kAlreadyExists, "id '" + id + "' stands for other features already (" +
                                           where + "); nothing of this request was taken");
  };
  const auto& records = request.request.records;
  std::unordered_map<std::string_view, std::size_t> first;
  fate.records.resize(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto [twin, alone] = first.emplace(records[i].id, i);
    if (!alone) {
      if (records[twin->second].value != records[i].value) {
        return conflict(records[i].id, "record " + std::to_string(twin->second));
      }
      fate.doubles.emplace_back(i, twin->second);
      continue;
    }
    const Known* there = known(records[i].id);
    if (!there) {
      fate.fresh.push_back(i);
      continue;
    }
    if (there->hash != predictions::hash_of(records[i].value)) {
      return conflict(records[i].id, "partition " + std::to_string(there->place.partition) +
                                         ", offset " + std::to_string(there->place.offset));
    }
    fate.records[i] = {there->place, true};
  }
  fate.places.resize(fate.fresh.size());
  return std::nullopt;
}

Status Pusher::write(std::vector<Fate>& fates) {
  if (std::all_of(fates.begin(), fates.end(),
                  [](const Fate& fate) { return fate.fresh.empty(); })) {
    return {};
  }
  WEIR_TRY(sink_->begin());
  for (Fate& fate : fates) {
    const PushRequest& request = fate.waiting->request;
    for (std::size_t k = 0; k < fate.fresh.size(); ++k) {
      const PushRecord& record = request.records[fate.fresh[k]];
      stream::OutRecord out{options_.features_topic, std::nullopt, record.id, record.value};
      out.headers = &request.headers;
      out.place = &fate.places[k];
      const Status sent = sink_->send(out);
      if (sent) continue;
      if (sent.error().code() != Code::kInvalidArgument) return sent;
      // Too large for Kafka: this request cannot be, and the others are tried anew without it.
      PushQueue::answer(*fate.waiting, weir::fail(sent.error()));
      WEIR_TRY(sink_->abort());
      return fail(Code::kUnavailable, "a request was taken out of the transaction");
    }
  }
  Status written = during(sink_->commit({}, {}, nullptr), "writing to " + options_.features_topic);
  if (written) ++queue_.counters_.transactions;
  // A record is larger than the topic takes: one that came alone is told so, others are tried
  // apart.
  const bool refused = !written && written.error().code() == Code::kInvalidArgument;
  if (refused && fates.size() == 1)
    PushQueue::answer(*fates[0].waiting, weir::fail(written.error()));
  if (refused && fates.size() > 1) queue_.take_alone(fates.size());
  return written;
}

void Pusher::tell(Fate& fate) {
  const auto& records = fate.waiting->request.records;
  for (std::size_t k = 0; k < fate.fresh.size(); ++k) {
    const PushRecord& record = records[fate.fresh[k]];
    const predictions::Place place{fate.places[k].partition, fate.places[k].offset};
    fate.records[fate.fresh[k]] = {place, false};
    recent_[record.id] = {place, predictions::hash_of(record.value)};
    recent_order_.emplace_back(place, record.id);
  }
  for (const auto& [twin, first] : fate.doubles) {
    fate.records[twin] = {fate.records[first].place, true};
  }
  queue_.counters_.pushed += fate.fresh.size();
  queue_.counters_.repeated += records.size() - fate.fresh.size();
  PushQueue::answer(*fate.waiting, std::move(fate.records));
}

}  // namespace weir::serve
