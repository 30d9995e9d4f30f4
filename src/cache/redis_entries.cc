#include "cache/redis_entries.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace weir::cache {
namespace {

constexpr std::size_t kNamesOfCommandMax = 256;
constexpr std::size_t kWritesOfCallMax = 512;
// Redis refuses what is written for a while where it is full: it is not asked at each entry.
constexpr Millis kRefusalRest{1'000};
constexpr Millis kIdle{1'000};

}  // namespace

RedisEntries::RedisEntries(redis::ClientOptions client, RedisEntriesOptions options)
    : options_(options), ttl_ms_(std::to_string(options.ttl.count())), client_(std::move(client)) {
  counted_.trouble = "it has not answered yet";
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

RedisEntries::~RedisEntries() = default;

std::optional<std::vector<std::optional<std::string>>> RedisEntries::get(
    std::span<const std::string> names, Millis timeout) {
  if (!reachable_) return std::nullopt;
  std::vector<redis::Command> commands;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i % kNamesOfCommandMax == 0) commands.push_back({"MGET"});
    commands.back().push_back(names[i]);
  }
  auto answer = client_.ask_if_open(commands, timeout);
  if (!answer) {
    failed(answer.error());
    return std::nullopt;
  }
  if (!*answer) {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
    work_.notify_one();
    return std::nullopt;
  }
  std::vector<redis::Reply>& replies = **answer;
  std::vector<std::optional<std::string>> found;
  found.reserve(names.size());
  for (std::size_t i = 0; i < replies.size(); ++i) {
    redis::Reply& reply = replies[i];
    const std::size_t asked = commands[i].size() - 1;
    if (reply.is_error()) {
      failed(redis::error_of(reply));
      return std::nullopt;
    }
    // Whatever was answered in the place of a list of so many: nothing was found.
    reply.items.resize(reply.is_list() && reply.items.size() == asked ? asked : 0);
    for (redis::Reply& item : reply.items) {
      found.push_back(item.is_text() ? std::optional(std::move(item.text)) : std::nullopt);
    }
    found.resize(std::min((i + 1) * kNamesOfCommandMax, names.size()));
  }
  const std::lock_guard lock(mutex_);
  rest_ = Millis(0);
  return found;
}

void RedisEntries::put(std::vector<NamedEntry> entries) {
  const std::lock_guard lock(mutex_);
  const bool takes = reachable_ && refusal_.empty();
  for (NamedEntry& entry : entries) {
    if (takes && waiting_.size() < options_.waiting_max) waiting_.push_back(std::move(entry));
    else ++counted_.not_written;
  }
  work_.notify_one();
}

SharedEntriesState RedisEntries::state() const {
  const std::lock_guard lock(mutex_);
  SharedEntriesState state = counted_;
  state.reachable = reachable_;
  if (state.reachable) state.trouble = refusal_;
  return state;
}

// Nobody asks until run() has had an answer again.
void RedisEntries::failed(const Error& why, bool by_the_way_back) {
  const bool was_reachable = reachable_.exchange(false);
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    ++counted_.failures;
    counted_.trouble = why.message();
    counted_.not_written += waiting_.size();
    waiting_.clear();
    if (!was_reachable && !by_the_way_back) return;  // one outage, that many readers met at once
    first = rest_ == Millis(0);
    rest_ = std::clamp(rest_ * 2, options_.rest_min, options_.rest_max);
    ask_again_ = std::chrono::steady_clock::now() + rest_;
  }
  if (first && was_reachable) {
    log::warn("the cache goes on without Redis for now", {{"reason", why}});
  }
}

void RedisEntries::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<NamedEntry> entries;
    bool wanted = false;
    {
      std::unique_lock lock(mutex_);
      if (reachable_) {
        work_.wait_for(lock, stop, kIdle,
                       [&] { return wanted_ || !waiting_.empty() || !reachable_; });
        wanted = std::exchange(wanted_, false);
        const std::size_t count = std::min(waiting_.size(), kWritesOfCallMax);
        std::move(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count),
                  std::back_inserter(entries));
        waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
      } else {
        const SteadyTime until = ask_again_;  // read while others may not write it
        work_.wait_until(lock, stop, until, [] { return false; });
      }
    }
    if (stop.stop_requested()) return;
    if (const auto opened = wanted ? client_.open_one(options_.patience) : Status(); !opened) {
      failed(opened.error());
      const std::lock_guard lock(mutex_);
      counted_.not_written += entries.size();
      continue;
    }
    if (!entries.empty()) {
      if (write(std::move(entries))) continue;
      std::unique_lock lock(mutex_);
      work_.wait_for(lock, stop, kRefusalRest, [] { return false; });
      refusal_.clear();
    } else if (!reachable_) {
      const auto answer = client_.ask_one({"PING"}, options_.patience);
      // A second one, as what is written takes the first: what a reader who finds none free has
      // predicted is shared with nobody.
      if (answer) static_cast<void>(client_.open_one(options_.patience));
      if (answer) reachable_ = true;
      else failed(answer.error(), true);
    }
  }
}

// False where Redis refuses what is written.
bool RedisEntries::write(std::vector<NamedEntry> entries) {
  std::vector<redis::Command> commands;
  for (const NamedEntry& entry : entries) {
    commands.push_back({"SET", entry.name, entry.bytes, "PX", ttl_ms_});
  }
  const auto replies = client_.ask(commands, options_.patience);
  if (!replies) failed(replies.error());
  const std::lock_guard lock(mutex_);
  if (!replies) {
    counted_.not_written += entries.size();
    return true;
  }
  for (const redis::Reply& reply : *replies) {
    if (reply.is_error()) refusal_ = redis::error_of(reply).message();
    ++(reply.is_error() ? counted_.not_written : counted_.written);
  }
  if (refusal_.empty()) return true;
  counted_.not_written += waiting_.size();
  waiting_.clear();
  return false;
}

}  // namespace weir::cache
