// Threads that may wait for Kafka or the store, so that the server's own need not.
//
// Owner: the gateway. Threads: any. Errors: submit() says false where too much waits already.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace weir::serve {

class Workers {
 public:
  Workers(std::size_t threads, std::size_t waiting_max);
  ~Workers() { stop(); }
  bool submit(std::function<void()> task);
  // What is under way ends; what waits is dropped.
  void stop();
  std::size_t waiting() const;

 private:
  void work(const std::stop_token& stop);

  const std::size_t waiting_max_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::jthread> threads_;  // last: they end first
};

}  // namespace weir::serve
