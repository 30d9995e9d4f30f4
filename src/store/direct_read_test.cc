#include "store/direct_read.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include "base/simulated_clock.h"
#include "store/crc32c.h"
#include "store/fake_webhdfs_server_test.h"
#include "store/result_matchers_test.h"
#include "store/webhdfs_file_store.h"
#include "store/webhdfs_listing.h"

namespace weir::store {
namespace {

using testing::Each;
using testing::HasSubstr;

constexpr std::size_t kBlockBytes = std::size_t{2} << 20;
constexpr std::size_t kChecksumOf = 512;

// The data transfer port of a DataNode that has the blocks of one file, numbered from 1. It serves
// one packet after the other as a real one does, and misbehaves on command.
class FakeDataNode {
 public:
  enum Fault {
    kNone,
    kRefuses,
    kCuts,
    kFlipsABit,
    kSpeaksHttp,
    kSkipsAPacket,
    kOtherSums,
    kHuge,
    kTrickles
  };

  explicit FakeDataNode(std::string file) : file_(std::move(file)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { accept_all(); });
  }
  ~FakeDataNode() { stop(); }

  void stop() {
    if (listener_ < 0) return;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(std::exchange(listener_, -1));
    connections_.clear();
  }
  int port() const { return port_; }
  void set_fault(Fault fault) { fault_ = fault; }
  // Of kTrickles, before each byte.
  void set_pause(std::function<void()> pause) { pause_ = std::move(pause); }
  int connections() const { return accepted_; }
  int goodbyes() const { return goodbyes_; }

  // What the NameNode says of the blocks.
  std::string locations(const std::string& token = "AAAAAA") const {
    std::string blocks;
    for (std::size_t at = 0; at < file_.size(); at += kBlockBytes) {
      blocks += (at > 0 ? "," : "") + std::string(R"({"startOffset":)") + std::to_string(at) +
                R"(,"isCorrupt":false,"blockToken":{"urlString":")" + token +
                R"("},"block":{"blockPoolId":"BP-1","generationStamp":1001,"blockId":)" +
                std::to_string(1 + at / kBlockBytes) + R"(,"numBytes":)" +
                std::to_string(std::min(kBlockBytes, file_.size() - at)) +
                R"(},"locations":[{"ipAddr":"127.0.0.1","xferPort":)" + std::to_string(port_) +
                "}]}";
    }
    return R"({"LocatedBlocks":{"isUnderConstruction":false,"locatedBlocks":[)" + blocks + "]}}";
  }

 private:
  static constexpr std::size_t kPacketBytes = 64 * kChecksumOf;

  static std::string read_some(int socket) {
    char buffer[4096];
    const ssize_t count = ::recv(socket, buffer, sizeof buffer, 0);
    return std::string(buffer, count > 0 ? static_cast<std::size_t>(count) : 0);
  }
  static std::string big_endian(std::uint64_t value, int bytes) {
    std::string out;
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
    return out;
  }
  static std::string little_endian(std::uint64_t value, int bytes) {
    std::string out = big_endian(value, bytes);
    return {out.rbegin(), out.rend()};
  }
  static std::string varint(std::uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    return out += static_cast<char>(value);
  }
  static std::uint64_t varint_at(const std::string& text, std::size_t& at) {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(text.at(at++));
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
  }
  static std::string packet(std::uint64_t offset, std::string_view bytes, bool last) {
    std::string sums;
    for (std::size_t at = 0; at < bytes.size(); at += kChecksumOf) {
      sums += big_endian(crc32c(bytes.substr(at, kChecksumOf)), 4);
    }
    const std::string header = "\x09" + little_endian(offset, 8) + "\x11" + little_endian(0, 8) +
                               "\x18" + std::string(1, last ? '\1' : '\0') + "\x25" +
                               little_endian(bytes.size(), 4);
    return big_endian(4 + sums.size() + bytes.size(), 4) + big_endian(header.size(), 2) + header +
           sums + std::string(bytes);
  }

  void accept_all() {
    for (int socket = 0; (socket = ::accept(listener_, nullptr, nullptr)) >= 0;) {
      ++accepted_;
      connections_.emplace_back([this, socket] {
        serve(socket);
        ::close(socket);
      });
    }
  }
  void serve(int socket) {
    const std::string request = read_some(socket);
    if (request.size() < 20 || request.substr(0, 3) != std::string("\0\x1c\x51", 3)) return;
    // The block's number follows its pool's name; offset and length are the last two fields.
    std::size_t at = request.find("BP-1") + 5;
    const std::uint64_t block = varint_at(request, at);
    at = request.find("weir") + 5;
    const std::uint64_t offset = varint_at(request, at);
    const std::uint64_t length = varint_at(request, ++at);
    const std::string bytes = file_.substr((block - 1) * kBlockBytes, kBlockBytes);
    std::string reply = reply_of(bytes, offset, offset + length);
    if (fault_ == kTrickles && !trickle(socket, reply)) return;
    while (!reply.empty()) {
      const ssize_t sent = ::send(socket, reply.data(), reply.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      reply.erase(0, static_cast<std::size_t>(sent));
    }
    if (fault_ == kCuts || fault_ == kSpeaksHttp) return;
    if (read_some(socket) == "\x02\x08\x06") ++goodbyes_;
  }
  // So few bytes that they are too few however they come together; then it waits for its client to
  // lose patience, but not for ever. False where that has happened.
  bool trickle(int socket, std::string& reply) {
    for (const char byte : reply.substr(0, kStallBytesMin - 1)) {
      pause_();
      if (::send(socket, &byte, 1, MSG_NOSIGNAL) != 1) return false;
    }
    reply.erase(0, kStallBytesMin - 1);
    const timeval patience{5, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    char byte = 0;
    return ::recv(socket, &byte, 1, 0) < 0 && errno == EAGAIN;
  }
  std::string reply_of(const std::string& bytes, std::uint64_t begin, std::uint64_t end) const {
    const std::uint64_t first = begin / kChecksumOf * kChecksumOf;
    if (fault_ == kSpeaksHttp) return "HTTP/1.1 400 Bad Request\r\n\r\n";
    if (fault_ == kRefuses) return std::string("\x05\x08\x01\x2a\x01!", 6);
    const std::string type(1, fault_ == kOtherSums ? '\1' : '\2');
    const std::string checksum =
        "\x0a\x05\x08" + type + "\x10" + varint(kChecksumOf) + "\x10" + varint(first);
    const std::string answer =
        std::string("\x08\0\x22", 3) + static_cast<char>(checksum.size()) + checksum;
    std::string reply = static_cast<char>(answer.size()) + answer;
    if (fault_ == kHuge) return reply + big_endian(0x7fffffff, 4) + big_endian(25, 2);
    const std::uint64_t until =
        std::min<std::uint64_t>(bytes.size(), (end + kChecksumOf - 1) / kChecksumOf * kChecksumOf);
    for (std::uint64_t at = first; at < until; at += kPacketBytes) {
      const std::size_t count = std::min<std::uint64_t>(kPacketBytes, until - at);
      const bool middle = at <= first + 3 * kPacketBytes && first + 3 * kPacketBytes < at + count;
      if (middle && fault_ == kSkipsAPacket) continue;
      reply += packet(at, std::string_view(bytes).substr(at, count), false);
      if (middle && fault_ == kFlipsABit) reply.back() = static_cast<char>(reply.back() ^ 4);
      if (middle && fault_ == kCuts) return reply.substr(0, reply.size() - 100);
    }
    return reply + packet(until, "", true);
  }

  const std::string file_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<Fault> fault_{kNone};
  std::function<void()> pause_;
  std::atomic<int> accepted_{0};
  std::atomic<int> goodbyes_{0};
  std::list<std::jthread> connections_;  // the acceptor's, until it has ended
  std::jthread acceptor_;
};

std::string some_file(std::size_t bytes) {
  std::string file(bytes, '\0');
  std::uint32_t state = 1;
  for (char& byte : file)
    byte = static_cast<char>((state = state * 1'664'525 + 1'013'904'223) >> 24);
  return file;
}

class DirectReading : public testing::Test {
 protected:
  DirectReading() { files_->put("/a.csv", file_); }

  std::shared_ptr<WebHdfsFileStore> open() {
    WebHdfsOptions options;
    options.name_nodes = {server_.url()};
    options.user = "weir";
    options.http.clock = &clock_;
    options.direct_reads = direct_reads_;
    return WebHdfsFileStore::make(options).value();
  }
  void tell_blocks(const std::string& json, int times = 1) {
    Misbehaviour answer;
    answer.status = 200;
    answer.body = json;
    server_.misbehave("GET_BLOCK_LOCATIONS", answer, times);
  }
  std::string read(WebHdfsFileStore& store, std::uint64_t offset = 0,
                   std::uint64_t length = kToEnd) {
    std::string bytes;
    EXPECT_OK(store.read("/a.csv", offset, length, [&](std::string_view piece) -> Status {
      EXPECT_LE(piece.size(), kReadPieceBytesMax);
      bytes += piece;
      return {};
    }));
    return bytes;
  }
  void expect_webhdfs_does_it(const std::string& blocks) {
    tell_blocks(blocks);
    const auto store = open();
    EXPECT_EQ(read(*store) == file_, true);
    EXPECT_EQ(server_.count("OPEN data"), 1U);
  }

  bool direct_reads_ = true;
  SimulatedClock clock_;  // of what is slow
  const std::string file_ = some_file(3 * kBlockBytes + 12'345);
  std::shared_ptr<MemoryFileStore> files_ = std::make_shared<MemoryFileStore>();
  FakeWebHdfsServer server_{files_};
  FakeDataNode node_{file_};
};

TEST_F(DirectReading, takes_large_files_from_their_data_nodes_alone) {
  tell_blocks(node_.locations());
  const auto store = open();
  EXPECT_EQ(read(*store) == file_, true);
  EXPECT_EQ(node_.connections(), 4);
  EXPECT_EQ(server_.count("OPEN"), 0U);
  node_.stop();
  EXPECT_EQ(node_.goodbyes(), 4);
}

TEST_F(DirectReading, takes_any_range) {
  const auto store = open();
  for (const std::uint64_t offset : {std::uint64_t{1}, std::uint64_t{511}, std::uint64_t{70'000},
                                     std::uint64_t{kBlockBytes}, std::uint64_t{kBlockBytes + 13}}) {
    for (const std::uint64_t length : {kDirectReadBytesMin, kDirectReadBytesMin + 777}) {
      tell_blocks(node_.locations());
      EXPECT_EQ(read(*store, offset, length) == file_.substr(offset, length), true) << offset;
    }
  }
  EXPECT_EQ(server_.count("OPEN"), 0U);
}

TEST_F(DirectReading, leaves_small_reads_to_webhdfs) {
  const auto store = open();
  EXPECT_EQ(read(*store, 5, 1'000), file_.substr(5, 1'000));
  EXPECT_EQ(server_.count("GET_BLOCK_LOCATIONS"), 0U);
  EXPECT_EQ(node_.connections(), 0);
}

TEST_F(DirectReading, makes_no_connection_where_it_is_turned_off) {
  direct_reads_ = false;
  expect_webhdfs_does_it(node_.locations());
  EXPECT_EQ(node_.connections(), 0);
  EXPECT_EQ(server_.count("GET_BLOCK_LOCATIONS"), 0U);
}

TEST_F(DirectReading, goes_on_by_webhdfs_where_a_data_node_fails) {
  for (const auto fault : {FakeDataNode::kRefuses, FakeDataNode::kCuts, FakeDataNode::kFlipsABit,
                           FakeDataNode::kSpeaksHttp, FakeDataNode::kSkipsAPacket,
                           FakeDataNode::kOtherSums, FakeDataNode::kHuge}) {
    node_.set_fault(fault);
    tell_blocks(node_.locations());
    const auto store = open();
    const std::size_t before = server_.count("OPEN data");
    EXPECT_EQ(read(*store) == file_, true) << fault;
    EXPECT_EQ(server_.count("OPEN data"), before + 1) << fault;
    const std::string offset = server_.requests().back().operation == "GETFILESTATUS"
                                   ? server_.requests().rbegin()[1].query.at("offset")
                                   : "";
    const bool broke_off = fault == FakeDataNode::kCuts || fault == FakeDataNode::kFlipsABit ||
                           fault == FakeDataNode::kSkipsAPacket;
    EXPECT_EQ(offset != "0", broke_off) << fault << " at " << offset;
  }
}

TEST_F(DirectReading, goes_on_by_webhdfs_where_a_data_node_trickles) {
  node_.set_fault(FakeDataNode::kTrickles);
  node_.set_pause([this] { clock_.advance(HttpOptions().stall_timeout / 100); });
  expect_webhdfs_does_it(node_.locations());
}

TEST_F(DirectReading, does_not_blame_the_data_node_for_a_slow_reader) {
  tell_blocks(node_.locations());
  const auto store = open();
  EXPECT_OK(store->read("/a.csv", 0, kToEnd, [&](std::string_view) -> Status {
    clock_.advance(HttpOptions().stall_timeout * 2);
    return {};
  }));
  EXPECT_EQ(server_.count("OPEN"), 0U);
}

TEST_F(DirectReading, says_where_too_little_came) {
  node_.set_fault(FakeDataNode::kTrickles);
  node_.set_pause([this] { clock_.advance(Millis(1'000)); });
  const BlockPlace block{0, kBlockBytes, "BP-1",
                         2, 1001,        {"127.0.0.1", std::uint16_t(node_.port())}};
  BlockReaderOptions options;
  options.clock = &clock_;
  const Status status =
      BlockReader::open(block, 0, kBlockBytes, options)->read([](std::string_view) -> Status {
        return {};
      });
  EXPECT_CODE(kTimeout, status);
  EXPECT_EQ(status.error().message(), "block 2 at 127.0.0.1:" + std::to_string(node_.port()) +
                                          ": fewer than 4096 bytes came in 30s");
}

TEST_F(DirectReading, tries_no_data_node_again_soon_that_could_not_be_reached) {
  const std::string blocks = node_.locations();
  node_.stop();
  tell_blocks(blocks);
  const auto store = open();
  EXPECT_EQ(read(*store) == file_, true);
  EXPECT_EQ(read(*store) == file_, true);
  EXPECT_EQ(server_.count("GET_BLOCK_LOCATIONS"), 1U);
  EXPECT_EQ(server_.count("OPEN data"), 2U);
}

TEST_F(DirectReading, wants_no_blocks_with_tokens) {
  expect_webhdfs_does_it(node_.locations("BQA"));
}

TEST_F(DirectReading, wants_no_list_that_leaves_a_gap) {
  std::string blocks = node_.locations();
  const std::size_t second = blocks.find(R"({"startOffset":2097152)");
  blocks.erase(second, blocks.find(R"({"startOffset":4194304)") - second);
  expect_webhdfs_does_it(blocks);
  EXPECT_EQ(node_.connections(), 0);
}

TEST_F(DirectReading, passes_the_readers_own_error_on) {
  tell_blocks(node_.locations());
  std::uint64_t taken = 0;
  const Status status = open()->read("/a.csv", 0, kToEnd, [&](std::string_view piece) -> Status {
    taken += piece.size();
    if (taken > 1'000'000) return fail(Code::kCancelled, "enough");
    return {};
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kCancelled);
  EXPECT_EQ(server_.count("OPEN"), 0U);
}

TEST(HasPlainBlocks, knows_files_that_are_encrypted_or_erasure_coded) {
  EXPECT_TRUE(has_plain_blocks(R"({"FileStatus": {"length": 1}})"));
  EXPECT_TRUE(has_plain_blocks(R"({"FileStatus": {"encBit": false}})"));
  EXPECT_FALSE(has_plain_blocks(R"({"FileStatus": {"encBit": true}})"));
  EXPECT_FALSE(has_plain_blocks(R"({"FileStatus": {"ecBit": true}})"));
  EXPECT_FALSE(has_plain_blocks("no JSON"));
}

}  // namespace
}  // namespace weir::store
