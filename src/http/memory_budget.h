// How many bytes of bodies all connections of a server hold together.
//
// Owner: shared by the server and the requests whose bodies count, which may outlive it. Threads:
// any. Errors: grow() says false where no more may be held.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace weir::http {

class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // What one request has of it; gives it back at its end.
  class Share {
   public:
    explicit Share(std::shared_ptr<MemoryBudget> budget) : budget_(std::move(budget)) {}
    ~Share() { budget_->held_ -= bytes_; }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    bool grow(std::uint64_t bytes) {
      if (budget_->held_.fetch_add(bytes) + bytes > budget_->bytes_max_) {
        budget_->held_ -= bytes;
        return false;
      }
      bytes_ += bytes;
      return true;
    }

   private:
    const std::shared_ptr<MemoryBudget> budget_;
    std::uint64_t bytes_ = 0;
  };

  std::uint64_t held() const { return held_; }

 private:
  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> held_{0};
};

}  // namespace weir::http
