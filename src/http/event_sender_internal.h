// The connection's end of a stream of events: queues what the writer hands over, writes it, and
// notices that the client has gone.
//
//   auto stream = start_events(connection, socket, options, head, chunked);
//
// Made for plain sockets and for TLS by the same template. Everything runs on the socket's strand;
// the writer comes in from other threads by way of Outflow. It keeps itself, and the connection
// whose socket this is, alive by the operations that it waits for.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <deque>
#include <memory>
#include <string>

#include "http/outflow.h"

namespace weir::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

template <typename Stream>
class EventSender final : public std::enable_shared_from_this<EventSender<Stream>> {
 public:
  // Of what a client of events still says; it has nothing to say.
  static constexpr std::size_t kHeardBytesMax = std::size_t{1} << 20;

  EventSender(std::shared_ptr<void> connection, Stream& stream, Millis write_timeout, bool chunked)
      : connection_(std::move(connection)),
        stream_(stream),
        write_timeout_(write_timeout),
        chunked_(chunked) {}

  // Once, before anything else. `head` are the answer's first bytes, `first` its first event.
  std::shared_ptr<ResponseStream> start(std::string head, std::string first,
                                        std::size_t held_bytes_max) {
    const std::weak_ptr<EventSender> weak = this->weak_from_this();
    const auto on_strand = [weak](auto act) {
      if (const auto sender = weak.lock()) {
        asio::post(sender->stream_.get_executor(), [sender, act]() mutable { act(*sender); });
      }
    };
    auto outflow = std::make_shared<Outflow>(
        held_bytes_max,
        [on_strand](std::string bytes) {
          on_strand([bytes = std::move(bytes)](EventSender& to) {
            if (!to.outflow_) return;
            to.push(bytes, bytes.size());
            to.flow();
          });
        },
        [on_strand](bool at_once) {
          on_strand([at_once](EventSender& to) { at_once ? to.cut() : to.finish(); });
        });
    asio::post(stream_.get_executor(), [self = this->shared_from_this(), head = std::move(head),
                                        first = std::move(first), outflow] {
      self->outflow_ = outflow;
      self->queue_.push_back({head, 0});
      if (!first.empty()) self->push(first, 0);
      self->watch_client();
      self->flow();
    });
    return std::make_shared<OutflowHandle>(std::move(outflow));
  }

 private:
  struct Piece {
    std::string wire;
    std::size_t counted;  // of what may be held
  };

  void push(std::string_view bytes, std::size_t counted) {
    queue_.push_back({chunked_ ? chunk_of(bytes) : std::string(bytes), counted});
  }

  // Whatever the client still says is thrown away; that it has gone is worth to know.
  void watch_client() {
    beast::get_lowest_layer(stream_).expires_never();
    stream_.async_read_some(
        asio::buffer(heard_),
        [self = this->shared_from_this()](boost::system::error_code error, std::size_t bytes) {
          self->heard_bytes_ += bytes;
          if (error || self->heard_bytes_ > kHeardBytesMax) return self->cut();
          self->watch_client();
        });
  }

  void flow() {
    if (writing_ || queue_.empty()) {
      if (!writing_ && ending_) close();
      return;
    }
    writing_ = true;
    out_ = std::move(queue_.front());
    queue_.pop_front();
    // Of the write alone: the read that watches the client is pending already.
    beast::get_lowest_layer(stream_).expires_after(write_timeout_);
    asio::async_write(
        stream_, asio::buffer(out_.wire),
        [self = this->shared_from_this()](boost::system::error_code error, std::size_t) {
          self->writing_ = false;
          if (self->outflow_) self->outflow_->written(self->out_.counted);
          if (error) return self->cut();
          self->flow();
        });
  }

  void end() {
    if (outflow_) outflow_->close();
    outflow_.reset();
  }

  void cut() {
    end();
    close();
  }

  // The writer has let go.
  void finish() {
    if (ending_) return;
    ending_ = true;
    if (chunked_) queue_.push_back({"0\r\n\r\n", 0});
    end();
    flow();
  }

  void close() {
    boost::system::error_code ignored;
    beast::get_lowest_layer(stream_).socket().close(ignored);
  }

  const std::shared_ptr<void> connection_;
  Stream& stream_;
  const Millis write_timeout_;
  const bool chunked_;
  std::shared_ptr<Outflow> outflow_;  // while events are wanted
  std::deque<Piece> queue_;
  Piece out_{};
  bool writing_ = false;
  bool ending_ = false;
  char heard_[1024] = {};
  std::size_t heard_bytes_ = 0;
};

}  // namespace weir::http
