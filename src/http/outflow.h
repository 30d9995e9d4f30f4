// Between the threads that write a stream of events and the connection that sends it: counts what
// is on its way, and cuts the stream off where its client reads too slowly.
//
// Owner: shared by the connection and the writer's handle. Threads: any. Errors: none.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "http/server.h"

namespace weir::http {

class Outflow {
 public:
  // deliver: takes the bytes to the connection. end: asks it to end the stream, in order or at
  // once. Both return at once, from any thread, and mean nothing where the connection is gone.
  Outflow(std::size_t held_bytes_max, std::function<void(std::string)> deliver,
          std::function<void(bool at_once)> end)
      : held_bytes_max_(held_bytes_max), deliver_(std::move(deliver)), end_(std::move(end)) {}

  // --- The writer's end ---
  bool write(std::string bytes);
  bool open() const { return open_; }
  void let_go() { end_(false); }

  // --- The connection's end ---
  void written(std::size_t bytes) { held_ -= bytes; }
  void close() { open_ = false; }

 private:
  const std::size_t held_bytes_max_;
  const std::function<void(std::string)> deliver_;
  const std::function<void(bool)> end_;
  std::atomic<std::size_t> held_{0};
  std::atomic<bool> open_{true};
};

// Lets go when the last one does who could write.
class OutflowHandle final : public ResponseStream {
 public:
  explicit OutflowHandle(std::shared_ptr<Outflow> flow) : flow_(std::move(flow)) {}
  ~OutflowHandle() override { flow_->let_go(); }
  bool write(std::string bytes) override { return flow_->write(std::move(bytes)); }
  bool open() const override { return flow_->open(); }

 private:
  const std::shared_ptr<Outflow> flow_;
};

// One chunk of a body of Transfer-Encoding: chunked (RFC 9112, 7.1).
std::string chunk_of(std::string_view bytes);

}  // namespace weir::http
