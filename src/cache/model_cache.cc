// One call: the rows that may go through are hashed and looked for in memory; those that are
// missing are asked for together, as many as there is time for; what is still missing is predicted
// in one go and kept. The lock is held for some hundred rows at a time, and never while a model
// predicts or Redis is waited for: the worst that another thread can do meanwhile is the same work.
#include "cache/model_cache.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/log.h"

namespace weir::cache {
namespace {

constexpr std::size_t kRowsOfLock = 256;
constexpr std::size_t kRowsOfFirstQuestion = 256;
constexpr std::size_t kRowsOfQuestionMin = 64;
constexpr std::size_t kRowsOfQuestionMax = 2'048;
constexpr std::size_t kIdleMax = 16;
// A call's rows, by which what an exchange with Redis costs a row differs most.
constexpr std::array<std::size_t, 2> kSizeClassBegins = {16, 256};

SipKey random_key() {
  std::random_device source;
  const auto word = [&] { return std::uint64_t{source()} << 32 | source(); };
  return {word(), word()};
}

double nanoseconds(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double, std::nano>(to - from).count();
}

}  // namespace

struct ModelCache::Work {
  std::vector<double> canonical;
  std::span<const double> rows;  // by which entries are found
  std::vector<std::uint64_t> hashes;
  std::vector<Source> sources;        // of each row
  std::vector<std::uint32_t> missed;  // rows; those that were asked for and not there come first
  std::size_t missed_shared = 0;      // how many of them were
  std::vector<std::uint32_t> found;   // in what is shared
  std::vector<std::string> names;     // of those that are asked for
  std::vector<double> gathered;
  std::vector<double> predicted;
  std::size_t asked = 0;  // rows, whether an answer came or not
  std::size_t asked_class = 0;
};

ModelCache::ModelCache(std::shared_ptr<CommonCache> common, const std::string& model_sha256,
                       std::size_t features)
    : common_(std::move(common)),
      features_(features),
      keys_(entry_keys(common_->options.secret, common_->options.build, model_sha256)),
      table_(features, common_->budget, random_key()),
      gate_(common_->options.local_gate, common_->clock),
      shared_gates_{CostGate(common_->options.shared_gate, common_->clock),
                    CostGate(common_->options.shared_gate, common_->clock),
                    CostGate(common_->options.shared_gate, common_->clock)},
      random_(std::random_device()()) {}

ModelCache::~ModelCache() = default;

void ModelCache::predict(const model::Model& model, std::span<const double> rows,
                         std::span<double> out, CacheTally& tally) {
  std::size_t through = 0;
  if (common_->trusted) {
    const std::lock_guard lock(mutex_);
    through = gate_.admit(out.size());
  }
  if (through > 0) look_up(model, rows.first(through * features_), out.first(through), tally);
  if (through < out.size()) {
    predict_past(model, rows.subspan(through * features_), out.subspan(through), tally);
  }
}

void ModelCache::predict_past(const model::Model& model, std::span<const double> rows,
                              std::span<double> out, CacheTally& tally) {
  const SteadyTime begun = common_->clock.steady();
  model.predict(rows, out);
  const double took = nanoseconds(begun, common_->clock.steady());
  tally.bypassed += out.size();
  const std::lock_guard lock(mutex_);
  prediction_.add(out.size(), took);
}

void ModelCache::look_up(const model::Model& model, std::span<const double> rows,
                         std::span<double> out, CacheTally& tally) {
  auto work = borrow();
  Clock& clock = common_->clock;
  const SteadyTime begun = clock.steady();
  work->rows = canonical(rows, *work);
  find_local(*work, out);
  const std::size_t local = out.size() - work->missed.size();
  const SteadyTime looked = clock.steady();
  ask_shared(*work, out, tally);
  const SteadyTime asked = clock.steady();
  predict_missed(model, rows, *work, out);
  const SteadyTime predicted = clock.steady();
  keep(*work, out);
  const SteadyTime kept = clock.steady();
  share(*work, out);
  const SteadyTime shared = clock.steady();

  const std::size_t hits = local + work->found.size();
  tally.hits_local += local;
  tally.hits_shared += work->found.size();
  tally.misses += work->missed.size();
  {
    const std::lock_guard lock(mutex_);
    if (!work->missed.empty()) {
      prediction_.add(work->missed.size(), nanoseconds(asked, predicted));
    }
    const double one = prediction_.nanoseconds();
    // While the tables of other models have the memory, more rows may yet fill this one: a new
    // model is not judged by what the old one leaves it.
    const bool settled = table_.full() && table_.bytes() >= common_->options.memory_bytes_max / 2;
    gate_.passed(out.size(), hits, nanoseconds(begun, looked), nanoseconds(predicted, kept), one,
                 settled);
    if (work->asked > 0) {
      shared_gates_[work->asked_class].passed(work->asked, work->found.size(),
                                              nanoseconds(looked, asked), nanoseconds(kept, shared),
                                              one, false);
    }
    const double cost = nanoseconds(begun, asked) + nanoseconds(predicted, shared);
    tally.saved_ns += static_cast<std::int64_t>(static_cast<double>(hits) * one - cost);
  }
  if (hits > 0 && !check(model, rows, *work, out, tally)) model.predict(rows, out);
  give_back(std::move(work));
}

// A missing value is a NaN, whichever: a model asks whether it is one, and never for its bits. All
// else counts by its bits, the sign of a zero too, which may show in a prediction.
std::span<const double> ModelCache::canonical(std::span<const double> rows, Work& work) const {
  if (std::none_of(rows.begin(), rows.end(), [](double value) { return std::isnan(value); })) {
    return rows;
  }
  work.canonical.assign(rows.begin(), rows.end());
  for (double& value : work.canonical) {
    if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  }
  return work.canonical;
}

void ModelCache::find_local(Work& work, std::span<double> out) {
  const std::size_t count = out.size();
  work.hashes.resize(count);
  work.sources.assign(count, Source::kLocal);
  work.missed.clear();
  for (std::size_t i = 0; i < count; ++i) work.hashes[i] = table_.hash(row(work.rows, i));
  for (std::size_t begin = 0; begin < count; begin += kRowsOfLock) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = begin; i < std::min(count, begin + kRowsOfLock); ++i) {
      if (const auto value = table_.find(row(work.rows, i), work.hashes[i])) {
        out[i] = *value;
      } else {
        work.sources[i] = Source::kPredicted;
        work.missed.push_back(static_cast<std::uint32_t>(i));
      }
    }
  }
}

// ---- what is shared ----

std::size_t ModelCache::size_class_of(std::size_t rows) {
  std::size_t number = 0;
  for (const std::size_t begins : kSizeClassBegins) number += rows >= begins ? 1 : 0;
  return number;
}

// So many that half of what is left of the time is enough, by what it has taken so far.
std::size_t ModelCache::rows_of_question(std::size_t size_class, Millis left) const {
  const std::lock_guard lock(mutex_);
  const double cost = shared_gates_[size_class].lookup_ns();
  if (cost <= 0) return kRowsOfFirstQuestion;
  const double fit = static_cast<double>(left.count()) * 1e6 / 2 / cost;
  return static_cast<std::size_t>(std::clamp<double>(fit, kRowsOfQuestionMin, kRowsOfQuestionMax));
}

void ModelCache::ask_shared(Work& work, std::span<double> out, CacheTally& tally) {
  work.found.clear();
  work.missed_shared = 0;
  work.asked = 0;
  SharedEntries* const shared = common_->shared.get();
  if (work.missed.empty() || !shared || !shared->reachable()) return;
  work.asked_class = size_class_of(work.missed.size());
  std::size_t admitted = 0;
  {
    const std::lock_guard lock(mutex_);
    last_class_ = work.asked_class;
    admitted = shared_gates_[work.asked_class].admit(work.missed.size());
  }
  const SteadyTime deadline = common_->clock.steady() + common_->options.shared_timeout;
  std::size_t next = 0;
  while (next < admitted) {
    const auto left = std::chrono::duration_cast<Millis>(deadline - common_->clock.steady());
    if (left < Millis(1)) break;
    const std::size_t end = std::min(admitted, next + rows_of_question(work.asked_class, left));
    work.names.clear();
    for (std::size_t i = next; i < end; ++i) {
      work.names.push_back(entry_name(keys_, row(work.rows, work.missed[i])));
    }
    const auto answer = shared->get(work.names, left);
    // Nothing was asked where no connection was open; else it was in vain, and cost what it cost.
    if (answer || !shared->reachable()) work.asked = end;
    if (!answer) break;
    for (std::size_t i = next; i < end; ++i) {
      const std::uint32_t index = work.missed[i];
      const auto& bytes = (*answer)[i - next];
      const auto value = bytes ? open_entry(keys_, row(work.rows, index), *bytes) : std::nullopt;
      if (bytes && !value) ++tally.refused;
      if (value) {
        out[index] = *value;
        work.sources[index] = Source::kShared;
        work.found.push_back(index);
      } else {
        work.missed[work.missed_shared++] = index;
      }
    }
    next = end;
  }
  tally.asked += work.asked;
  // What was found leaves a gap between those that were not and those that were not asked for.
  const auto first = work.missed.begin();
  work.missed.erase(first + static_cast<std::ptrdiff_t>(work.missed_shared),
                    first + static_cast<std::ptrdiff_t>(next));
}

void ModelCache::share(const Work& work, std::span<const double> out) {
  if (work.missed_shared == 0) return;
  std::vector<NamedEntry> entries;
  entries.reserve(work.missed_shared);
  for (std::size_t i = 0; i < work.missed_shared; ++i) {
    const std::uint32_t index = work.missed[i];
    if (!std::isfinite(out[index])) continue;
    const auto its_row = row(work.rows, index);
    entries.push_back({entry_name(keys_, its_row), seal_entry(keys_, its_row, out[index])});
  }
  common_->shared->put(std::move(entries));
}

// ---- what is not there ----

void ModelCache::predict_missed(const model::Model& model, std::span<const double> rows, Work& work,
                                std::span<double> out) const {
  if (work.missed.empty()) return;
  if (work.missed.size() == out.size()) return model.predict(rows, out);
  work.gathered.clear();
  for (const std::uint32_t index : work.missed) {
    const auto one = row(rows, index);
    work.gathered.insert(work.gathered.end(), one.begin(), one.end());
  }
  work.predicted.resize(work.missed.size());
  model.predict(work.gathered, work.predicted);
  for (std::size_t i = 0; i < work.missed.size(); ++i) out[work.missed[i]] = work.predicted[i];
}

void ModelCache::keep(const Work& work, std::span<const double> out) {
  for (const std::vector<std::uint32_t>* rows : {&work.found, &work.missed}) {
    for (std::size_t begin = 0; begin < rows->size(); begin += kRowsOfLock) {
      const std::lock_guard lock(mutex_);
      for (std::size_t i = begin; i < std::min(rows->size(), begin + kRowsOfLock); ++i) {
        const std::uint32_t index = (*rows)[i];
        // One that is not finite is refused by whoever asks, each time.
        if (!std::isfinite(out[index])) continue;
        table_.put(row(work.rows, index), work.hashes[index], out[index]);
      }
    }
  }
}

// ---- the proof ----

bool ModelCache::is_due(std::size_t& since, std::size_t hits, std::size_t every) {
  since += hits;
  if (hits == 0 || since < every) return false;
  since = 0;
  return true;
}

// Predicts one that was found all the same, now and then. False: it is not what the model says.
bool ModelCache::check(const model::Model& model, std::span<const double> rows, const Work& work,
                       std::span<double> out, CacheTally& tally) {
  bool due_of[2] = {};
  std::size_t begin = 0;
  {
    const std::lock_guard lock(mutex_);
    const std::size_t local = out.size() - work.missed.size() - work.found.size();
    due_of[0] = is_due(local_since_check_, local, common_->options.check_local_every);
    due_of[1] = is_due(shared_since_check_, work.found.size(), common_->options.check_shared_every);
    begin = random_() % out.size();
  }
  for (const Source source : {Source::kLocal, Source::kShared}) {
    if (!due_of[source == Source::kLocal ? 0 : 1]) continue;
    std::size_t index = begin;
    while (work.sources[index] != source) index = (index + 1) % out.size();
    double value = 0;
    model.predict(row(rows, index), {&value, 1});
    ++tally.recomputed;
    if (std::bit_cast<std::uint64_t>(value) == std::bit_cast<std::uint64_t>(out[index])) continue;
    ++tally.mismatches;
    distrust(source == Source::kLocal ? "memory" : "Redis");
    return false;
  }
  return true;
}

void ModelCache::distrust(const char* source) {
  if (!common_->trusted.exchange(false)) return;
  log::error(
      "a prediction from the cache is not what the model says; the cache is out of use "
      "until this process ends",
      {{"from", source},
       {"instead", std::string(source) == "Redis"
                       ? "change cache.key_file everywhere: somebody else has it"
                       : "test this machine's memory"}});
  const std::lock_guard lock(mutex_);
  table_.clear();
}

// ---- for people ----

void ModelCache::describe(record::CacheState& state) const {
  const SharedEntries* const shared = common_->shared.get();
  const SharedEntriesState entries = shared ? shared->state() : SharedEntriesState{};
  state.shared.used = entries.reachable;
  state.shared.why_not = shared ? entries.trouble : common_->options.why_not_shared;
  state.shared.failures = entries.failures;
  state.shared.written = entries.written;
  state.shared.not_written = entries.not_written;
  const std::lock_guard lock(mutex_);
  state.entries = table_.entries();
  state.bytes = table_.bytes();
  state.prediction_ns = prediction_.nanoseconds();
  state.lookup_ns = gate_.lookup_ns();
  state.bypass = gate_.closed() || !common_->trusted;
  state.bypass_reason =
      common_->trusted ? gate_.reason() : "a prediction from it was not what the model says";
  state.shared.bypass = shared && shared_gates_[last_class_].closed();
  if (state.shared.bypass) state.shared.bypass_reason = shared_gates_[last_class_].reason();
}

std::unique_ptr<ModelCache::Work> ModelCache::borrow() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto work = std::move(idle_.back());
      idle_.pop_back();
      return work;
    }
  }
  return std::make_unique<Work>();
}

void ModelCache::give_back(std::unique_ptr<Work> work) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleMax) idle_.push_back(std::move(work));
}

}  // namespace weir::cache
