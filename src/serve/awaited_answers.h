// The answer to one push: where its records stand, and, where the client waits for it, what has
// been predicted of them by the end of its wait.
//
// Owner: shared by whoever may end the wait: the pusher, the board of answers, a timer. Threads:
// any. The reply is sent once: when all records are answered, when the time is over, or at once
// where the push itself failed.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "http/server.h"
#include "serve/parts.h"

namespace weir::serve {

class AwaitedAnswers : public std::enable_shared_from_this<AwaitedAnswers> {
 public:
  AwaitedAnswers(Parts& parts, std::vector<std::string> ids, std::optional<Millis> wait,
                 http::Reply reply);
  ~AwaitedAnswers();
  void begin(PushAnswer pushed);

 private:
  void look_into_store();
  void look_again_later();
  void take(std::size_t index, predictions::SharedAnswer answer);
  void end();

  Parts& parts_;
  const std::vector<std::string> ids_;
  const std::optional<Millis> wait_;
  const SteadyTime begun_;
  std::mutex mutex_;
  std::optional<http::Reply> reply_;                     // guarded by mutex_; gone once it is sent
  std::vector<Pushed> pushed_;                           // set by begin()
  std::vector<predictions::SharedAnswer> answers_;       // guarded by mutex_
  std::size_t missing_ = 0;                              // guarded by mutex_
  std::vector<predictions::AnswerBoard::WaitId> waits_;  // guarded by mutex_
  bool look_again_ = false;                              // set by begin()
};

}  // namespace weir::serve
