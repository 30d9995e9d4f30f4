#include <array>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/read.hpp>

#include "http/connection_internal.h"
#include "http/event_sender_internal.h"
#include "http/head_check.h"
#include "http/target.h"

namespace weir::http {
namespace {

namespace beast_http = beast::http;
using boost::system::error_code;

constexpr std::size_t kPieceBytes = 64 * 1024;
// A refused client that is still sending is listened to for a moment: were the socket closed with
// bytes unread, the refusal itself would be lost on the way.
constexpr std::size_t kLingerBytesMax = std::size_t{1} << 20;
constexpr std::chrono::milliseconds kLinger{2'000};
// Answers of this size do not count in the memory of answers: their connections' own is more.
constexpr std::size_t kAnswerBytesFree = 16 * 1024;
// Of a streamed body that its reader has answered before its end.
constexpr std::uint64_t kSwallowBytesMax = std::uint64_t{64} << 20;

// Of the bytes' form, and not that they ended or failed to come.
bool breaks_http(error_code error) {
  static const auto& http =
      beast_http::make_error_code(beast_http::error::end_of_stream).category();
  return error.category() == http && error != beast_http::error::partial_message &&
         error != beast_http::error::end_of_stream;
}

template <typename Stream>
class Connection final : public ConnectionBase,
                         public std::enable_shared_from_this<Connection<Stream>> {
 public:
  static constexpr bool kSecure = !std::is_same_v<Stream, beast::tcp_stream>;

  template <typename... Args>
  Connection(Surroundings& around, Args&&... args)
      : around_(around), stream_(std::forward<Args>(args)...) {
    error_code ignored;
    const auto peer = lowest().socket().remote_endpoint(ignored);
    if (!ignored) peer_ = peer.address().to_string() + ":" + std::to_string(peer.port());
    lowest().socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    ++around_.counters.connections_open;
  }

  ~Connection() override {
    const std::lock_guard lock(around_.mutex);
    around_.connections.erase(this);
    --around_.counters.connections_open;
  }

  void start() {
    {
      const std::lock_guard lock(around_.mutex);
      around_.connections.insert(this);
    }
    asio::dispatch(executor(), [self = self()] {
      if constexpr (kSecure) {
        self->lowest().expires_after(self->around_.options.head_timeout);
        self->stream_.async_handshake(asio::ssl::stream_base::server, [self](error_code error) {
          if (error) return;
          self->client_name_ = self->name_of_client();
          self->wait_for_request();
        });
      } else {
        self->wait_for_request();
      }
    });
  }

  std::shared_ptr<void> drain() override {
    auto self = this->weak_from_this().lock();
    if (self) {
      asio::post(executor(), [self] {
        if (self->idle_) self->close();
      });
    }
    return self;
  }

  std::shared_ptr<void> cut() override {
    auto self = this->weak_from_this().lock();
    if (self && body_) {
      std::exchange(body_, nullptr)->fail(Error(Code::kUnavailable, "the gateway is ending"));
    }
    return self;
  }

 private:
  class Answer;

  std::shared_ptr<Connection> self() { return this->shared_from_this(); }
  auto executor() { return stream_.get_executor(); }
  beast::tcp_stream& lowest() { return beast::get_lowest_layer(stream_); }

  std::string name_of_client() {
    if constexpr (kSecure) return common_name_of(stream_.native_handle());
    return "";
  }

  // --- Reading ---

  void wait_for_request() {
    if (around_.draining) return close();
    searched_ = 0;
    parser_.reset();
    if (buffer_.size() > 0) {
      lowest().expires_after(around_.options.head_timeout);
      return look_for_head();
    }
    idle_ = true;
    lowest().expires_after(around_.options.idle_timeout);
    read_some([this](std::size_t) {
      idle_ = false;
      lowest().expires_after(around_.options.head_timeout);
      look_for_head();
    });
  }

  template <typename Then>
  void read_some(Then then) {
    stream_.async_read_some(buffer_.prepare(kPieceBytes / 8),
                            [self = self(), then](error_code error, std::size_t bytes) mutable {
                              if (error) return self->on_read_error();
                              self->buffer_.commit(bytes);
                              then(bytes);
                            });
  }

  // The client has gone, or its time is over: the socket cannot be written to any more.
  void on_read_error() {
    if (buffer_.size() > 0) ++around_.counters.faults;
    close();
  }

  std::string_view buffered() const {
    const auto data = buffer_.data();
    return {static_cast<const char*>(data.data()), data.size()};
  }

  void look_for_head() {
    const std::string_view bytes = buffered();
    const std::size_t length = head_length(bytes.substr(0, kHeadBytesMax), searched_);
    if (length == 0 && bytes.size() >= kHeadBytesMax) {
      return refuse(431, "the head is longer than " + std::to_string(kHeadBytesMax) + " bytes");
    }
    if (length == 0) {
      searched_ = bytes.size();
      return read_some([this](std::size_t) { look_for_head(); });
    }
    if (const auto fault = check_head(bytes.substr(0, length))) {
      return refuse(fault->status, fault->reason);
    }
    error_code error;
    parser_.emplace();
    parser_->header_limit(kHeadBytesMax + 1);
    parser_->body_limit(boost::none);
    parser_->eager(false);
    const std::size_t used = parser_->put(asio::buffer(bytes.data(), length), error);
    if (error && error != beast_http::error::need_more) {
      return refuse(400, "the head is no HTTP: " + error.message());
    }
    buffer_.consume(used);
    if (!parser_->is_header_done()) return refuse(400, "the head is no HTTP");
    take_head();
  }

  void take_head() {
    ++around_.counters.requests;
    const auto& message = parser_->get();
    request_ = Request();
    request_.method = message.method_string();
    request_.target = message.target();
    for (const auto& field : message) {
      request_.headers.emplace_back(field.name_string(), field.value());
    }
    request_.peer = peer_;
    request_.client_name = client_name_;
    request_.secure = kSecure;
    keep_alive_ = parser_->keep_alive() && !around_.draining;
    version_1_0_ = message.version() == 10;
    auto target = parse_target(request_.target);
    if (!target) return refuse(400, "the path or the query is not as RFC 3986 has it");
    request_.segments = std::move(target->segments);
    request_.query = std::move(target->query);
    plan_ = around_.handler.plan(request_);
    if (plan_.refusal) {
      if (!parser_->is_done()) keep_alive_ = false;
      return respond(std::move(*plan_.refusal));
    }
    const auto announced = parser_->content_length();
    if (announced && *announced > plan_.bytes_max) return refuse_size();
    const auto expects = request_.header("expect");
    if (!expects || version_1_0_ || parser_->is_done()) return begin_body();
    if (!beast::iequals(beast::string_view(expects->data(), expects->size()), "100-continue")) {
      return refuse(417, "Expect: only 100-continue is understood");
    }
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(kContinue),
                      [self = self()](error_code error, std::size_t) {
                        if (!error) self->begin_body();
                      });
  }

  void refuse_size() {
    refuse(413, "the body is larger than " + std::to_string(plan_.bytes_max) + " bytes");
  }

  void begin_body() {
    lowest().expires_after(around_.options.body_timeout);
    gathered_ = swallowed_ = 0;
    request_.share = std::make_shared<MemoryBudget::Share>(around_.bodies);
    if (plan_.stream) request_.stream = body_ = std::make_shared<BodyStream>();
    if (plan_.stream) hand_on();  // its reader begins before the last byte is here
    read_body();
  }

  void read_body() {
    if (parser_->is_done()) return end_body();
    if (piece_.empty()) piece_.resize(kPieceBytes);
    auto& body = parser_->get().body();
    body.data = piece_.data();
    body.size = piece_.size();
    body.more = true;
    beast_http::async_read(
        stream_, buffer_, *parser_,
        [self = self()](error_code error, std::size_t) { self->on_body(error); });
  }

  void on_body(error_code error) {
    if (error == beast_http::error::need_buffer) error = {};
    if (error) return on_body_error(error);
    const std::string_view piece(piece_.data(), piece_.size() - parser_->get().body().size);
    gathered_ += piece.size();
    if (gathered_ > plan_.bytes_max) {
      if (body_) {
        fail_stream(Error(Code::kInvalidArgument,
                          "the body is larger than " + std::to_string(plan_.bytes_max) + " bytes"));
        return;
      }
      return refuse_size();
    }
    if (!body_) {
      if (!request_.share->grow(piece.size())) {
        return refuse(503, "too many bodies are on their way already; try again");
      }
      request_.body += piece;
      return read_body();
    }
    lowest().expires_after(around_.options.body_timeout);
    if (waiting_response_ && (swallowed_ += piece.size()) > kSwallowBytesMax) {
      body_.reset();
      keep_alive_ = false;
      return respond(std::move(*std::exchange(waiting_response_, std::nullopt)));
    }
    const bool more = body_->put(piece, [self = self()] {
      asio::post(self->executor(), [self] {
        self->lowest().expires_after(self->around_.options.body_timeout);
        self->read_body();
      });
    });
    if (more) read_body();
  }

  // The reader of a streamed body hears of its end and answers.
  void fail_stream(Error error) {
    keep_alive_ = false;
    std::exchange(body_, nullptr)->fail(std::move(error));
    if (waiting_response_) respond(std::move(*std::exchange(waiting_response_, std::nullopt)));
  }

  void on_body_error(error_code error) {
    ++around_.counters.faults;
    if (body_) {
      static constexpr const char* kGone =
          "the client ended in the middle of the body, or fell silent";
      return fail_stream(breaks_http(error) ? Error(Code::kInvalidArgument, "the body is no HTTP")
                                            : Error(Code::kUnavailable, kGone));
    }
    if (breaks_http(error)) return refuse(400, "the body is no HTTP: " + error.message());
    close();
  }

  void end_body() {
    if (!plan_.stream) return hand_on();
    if (!body_) return;
    std::exchange(body_, nullptr)->end();
    if (waiting_response_) respond(std::move(*std::exchange(waiting_response_, std::nullopt)));
  }

  void hand_on() {
    lowest().expires_never();
    around_.handler.handle(std::move(request_), Reply(std::make_shared<Answer>(self())));
    if (plan_.stream) lowest().expires_after(around_.options.body_timeout);
  }

  // --- Writing ---

  void refuse(unsigned status, const std::string& reason) {
    ++around_.counters.faults;
    keep_alive_ = false;
    request_ = Request();  // nothing of its body is kept while the client is told
    respond(around_.handler.fault(status, reason));
  }

  void respond(Response response) {
    // A streamed body that has not come whole yet is read on first: a client that is still sending
    // would not listen.
    if (body_) {
      body_->abandon();
      waiting_response_ = std::move(response);
      return;
    }
    if (response.body.size() > kAnswerBytesFree && !head_only()) {
      out_share_ = std::make_unique<MemoryBudget::Share>(around_.answers);
      if (!out_share_->grow(response.body.size()) && !response.must_go) {
        response =
            around_.handler.fault(503, "too many large answers wait for their clients; try again");
      }
    }
    if (response.close) keep_alive_ = false;
    out_head_ = head_of(response, keep_alive_, false);
    if (!head_only()) out_body_ = std::move(response.body);
    lowest().expires_after(around_.options.write_timeout);
    const std::array<asio::const_buffer, 2> out{asio::buffer(out_head_), asio::buffer(out_body_)};
    asio::async_write(stream_, out, [self = self()](error_code error, std::size_t) {
      if (error) return self->close();
      self->out_head_ = self->out_body_ = std::string();  // a connection that idles keeps nothing
      self->out_share_.reset();
      if (self->keep_alive_) return self->wait_for_request();
      self->linger();
    });
  }

  bool head_only() const { return parser_ && parser_->get().method() == beast_http::verb::head; }

  void linger() {
    lowest().expires_after(kLinger);
    if constexpr (kSecure) {
      // Fails where the client is still sending; that it has been told is all that matters.
      stream_.async_shutdown([self = self()](error_code) { self->end_sending(); });
    } else {
      end_sending();
    }
  }

  void end_sending() {
    error_code ignored;
    lowest().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    lowest().expires_after(kLinger);
    lingered_ = 0;
    swallow();
  }

  // Of TLS, too, as the bytes come: nobody reads them any more.
  void swallow() {
    buffer_.consume(buffer_.size());
    lowest().async_read_some(buffer_.prepare(kPieceBytes / 8),
                             [self = self()](error_code error, std::size_t bytes) {
                               self->lingered_ += bytes;
                               if (error || self->lingered_ > kLingerBytesMax) return self->close();
                               self->swallow();
                             });
  }

  void close() {
    error_code ignored;
    lowest().socket().close(ignored);
  }

  // --- A stream of events ---

  std::shared_ptr<ResponseStream> start_stream(const Response& head) {
    auto sender = std::make_shared<EventSender<Stream>>(
        self(), stream_, around_.options.write_timeout, !version_1_0_);
    return sender->start(head_of(head, false, !version_1_0_), head.body,
                         around_.options.held_bytes_max);
  }

  class Answer final : public Reply::Target {
   public:
    explicit Answer(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
    void send(Response response) override {
      asio::dispatch(connection_->executor(),
                     [to = connection_, response = std::move(response)]() mutable {
                       to->respond(std::move(response));
                     });
    }
    std::shared_ptr<ResponseStream> start_stream(Response head) override {
      return connection_->start_stream(head);
    }

   private:
    const std::shared_ptr<Connection> connection_;
  };

  Surroundings& around_;
  Stream stream_;
  std::string peer_;
  std::string client_name_;
  beast::flat_buffer buffer_;
  std::size_t searched_ = 0;  // of the head under way
  bool idle_ = false;
  std::optional<beast_http::request_parser<beast_http::buffer_body>> parser_;
  Request request_;
  BodyPlan plan_;
  std::string piece_;
  std::uint64_t gathered_ = 0;
  std::uint64_t swallowed_ = 0;
  std::shared_ptr<BodyStream> body_;  // while it comes
  std::optional<Response> waiting_response_;
  bool keep_alive_ = false;
  bool version_1_0_ = false;
  std::string out_head_;
  std::string out_body_;
  std::unique_ptr<MemoryBudget::Share> out_share_;  // of a large body
  std::size_t lingered_ = 0;
};

}  // namespace

void start_connection(beast::tcp_stream stream, asio::ssl::context* tls, Surroundings& around) {
  if (tls) {
    using Secure = Connection<asio::ssl::stream<beast::tcp_stream>>;
    std::make_shared<Secure>(around, std::move(stream), *tls)->start();
  } else {
    using Plain = Connection<beast::tcp_stream>;
    std::make_shared<Plain>(around, std::move(stream))->start();
  }
}

}  // namespace weir::http
