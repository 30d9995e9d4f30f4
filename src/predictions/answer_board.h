// Tells whoever waits of the answers that the feed has just applied: the one who pushed a record
// and waits for its prediction, and those who watch all of them live.
//
// Nobody holds up the feed: a watcher that does not take what came for it is cut off, and says so
// to its client. What is told is in the store by then; of what is told to watchers nothing is
// doubled, and after a pause of the feed nothing is left out.
//
// Owner: whoever opened the feed; it outlives the feed, the watchers and the waits. Threads: any.
// Callbacks run on the feed's thread, with no lock held: they post to where the work is done, and
// return. Errors: kExhausted where there are too many already.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "predictions/prediction_store.h"

namespace weir::predictions {

struct BoardLimits {
  std::size_t watchers_max = 256;
  std::size_t queued_max = 10'000;  // answers that a watcher may leave untaken
  std::size_t waits_max = 50'000;
};

using SharedAnswer = std::shared_ptr<const Answer>;

// Ends with its last owner.
class Watcher {
 public:
  // What has come since, in the order of its application; `count_max` at most.
  std::vector<SharedAnswer> take(std::size_t count_max);
  // It was too slow: what is queued is the last that comes.
  bool cut_off() const;

 private:
  friend class AnswerBoard;
  Watcher(std::function<void()> on_news, std::size_t queued_max)
      : on_news_(std::move(on_news)), queued_max_(queued_max) {}
  bool put(std::span<const SharedAnswer> answers);

  const std::function<void()> on_news_;
  const std::size_t queued_max_;
  mutable std::mutex mutex_;
  std::deque<SharedAnswer> queue_;  // guarded by mutex_
  bool cut_off_ = false;            // guarded by mutex_
};

class AnswerBoard {
 public:
  explicit AnswerBoard(BoardLimits limits = {}) : limits_(limits) {}

  // on_news is called where there is something to take and was nothing before, or where the watcher
  // has been cut off. It may come once more while the watcher is being let go of.
  Result<std::shared_ptr<Watcher>> watch(std::function<void()> on_news);

  // `done` is called at most once, with the answer to the record at this place. Whoever waits looks
  // into the store after this call: the answer may have been there before it. A wait that is given
  // up is cancelled; `done` may be running just then.
  using WaitId = std::uint64_t;
  Result<WaitId> wait_for(const Place& place, std::function<void(const SharedAnswer&)> done);
  void cancel(WaitId wait);

  std::size_t watchers() const;
  std::size_t waits() const;

  // ---- of the feed ----
  // Watchers are told of what stands at these offsets or later, of one topic of answers; once it
  // has begun it goes on by itself. anew: it is another topic.
  void begin(bool dead, const std::map<std::int32_t, std::int64_t>& offsets, bool anew);
  void announce(std::vector<Answer> answers);

 private:
  struct PlaceHash {
    std::size_t operator()(const Place& place) const;
  };
  struct Wait {
    WaitId id = 0;
    std::function<void(const SharedAnswer&)> done;
  };

  const BoardLimits limits_;
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<Watcher>> watchers_;                     // guarded by mutex_
  std::unordered_multimap<Place, Wait, PlaceHash> waits_;            // guarded by mutex_
  std::unordered_map<WaitId, Place> places_;                         // guarded by mutex_
  std::map<std::pair<bool, std::int32_t>, std::int64_t> announced_;  // the next; by mutex_
  WaitId next_wait_ = 1;                                             // guarded by mutex_
};

}  // namespace weir::predictions
