// What the tests of the cache have in the place of a model, a clock and a Redis.
#pragma once

#include <atomic>
#include <cmath>
#include <functional>
#include <map>
#include <mutex>

#include "cache/shared_entries.h"
#include "model/model.h"

namespace weir::cache {

// Moves where somebody says that time has passed.
class TickClock final : public Clock {
 public:
  SteadyTime steady() override {
    return SteadyTime(std::chrono::duration_cast<SteadyTime::duration>(
        std::chrono::nanoseconds(nanoseconds_ += step)));
  }
  WallTime wall() override { return {}; }
  void sleep_for(Millis, std::stop_token) override {}
  void pass(double nanoseconds) { nanoseconds_ += static_cast<std::int64_t>(nanoseconds); }
  void pass(Millis time) { nanoseconds_ += time.count() * 1'000'000; }

  std::int64_t step = 0;  // how long each look at it takes

 private:
  std::atomic<std::int64_t> nanoseconds_{0};
};

// A sum of the row, times a factor; takes so long for each row.
class FakeModel final : public model::Model {
 public:
  FakeModel(std::size_t features, double factor, double row_ns = 0, TickClock* clock = nullptr)
      : factor_(factor), row_ns_(row_ns), clock_(clock) {
    for (std::size_t i = 0; i < features; ++i) {
      schema_.features.push_back("x" + std::to_string(i));
    }
    schema_.target = "y";
  }
  std::string_view algorithm() const override { return "fake"; }
  const record::Schema& schema() const override { return schema_; }
  void predict(std::span<const double> rows, std::span<double> out) const override {
    const std::size_t width = schema_.features.size();
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = of(rows.subspan(i * width, width));
    predicted += out.size();
    if (clock_) clock_->pass(row_ns_ * static_cast<double>(out.size()));
  }
  std::string to_json() const override { return "{}"; }

  double of(std::span<const double> row) const {
    double sum = 0;
    for (const double value : row) sum += std::isnan(value) ? 1'000 : value;
    return sum * factor_;
  }

  mutable std::atomic<std::size_t> predicted{0};  // rows

 private:
  record::Schema schema_;
  const double factor_;
  const double row_ns_;
  TickClock* const clock_;
};

// In memory, and whatever else a test makes of it.
class FakeEntries final : public SharedEntries {
 public:
  bool reachable() const override { return answers; }
  std::optional<std::vector<std::optional<std::string>>> get(std::span<const std::string> names,
                                                             Millis) override {
    const std::lock_guard lock(mutex);
    ++calls;
    if (before_answer) before_answer(names.size());
    if (!answers) return std::nullopt;
    std::vector<std::optional<std::string>> found;
    for (const std::string& name : names) {
      const auto entry = kept.find(name);
      found.push_back(entry == kept.end() ? std::nullopt : std::optional(entry->second));
    }
    return found;
  }
  void put(std::vector<NamedEntry> entries) override {
    const std::lock_guard lock(mutex);
    for (NamedEntry& entry : entries) kept[entry.name] = entry.bytes;
  }
  SharedEntriesState state() const override {
    const std::lock_guard lock(mutex);
    return {answers, "", 0, kept.size(), 0};
  }

  mutable std::mutex mutex;
  std::atomic<bool> answers{true};
  std::map<std::string, std::string> kept;
  std::function<void(std::size_t)> before_answer;
  std::size_t calls = 0;
};

// Lets the test keep a hold of what a cache owns.
class LentEntries final : public SharedEntries {
 public:
  explicit LentEntries(SharedEntries& entries) : entries_(entries) {}
  bool reachable() const override { return entries_.reachable(); }
  std::optional<std::vector<std::optional<std::string>>> get(std::span<const std::string> names,
                                                             Millis timeout) override {
    return entries_.get(names, timeout);
  }
  void put(std::vector<NamedEntry> entries) override { entries_.put(std::move(entries)); }
  SharedEntriesState state() const override { return entries_.state(); }

 private:
  SharedEntries& entries_;
};

}  // namespace weir::cache
