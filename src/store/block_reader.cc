// The protocol (Hadoop's datatransfer.proto, version 28), of which this is the part for reading:
//
//   we:   28 (2 bytes)  81 (READ_BLOCK)  length  OpReadBlockProto
//   it:   length  BlockOpResponseProto, with the kind of checksums and where the first one begins
//   it:   packets: length (4)  length of header (2)  PacketHeaderProto  checksums  bytes
//         the last one has no bytes
//   we:   length  ClientReadStatusProto, so that it knows that all was well
//
// Few messages of few fields, so they are written and read by hand.

#include "store/block_reader.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/pulse.h"
#include "base/value_text.h"
#include "store/crc32c.h"

namespace weir::store {
namespace {

constexpr char kVersion = 28;
constexpr char kReadBlock = 81;
constexpr std::uint64_t kCrc32c = 2;
constexpr std::uint64_t kChecksumOk = 6;
constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 10;
constexpr std::size_t kBufferBytes = std::size_t{256} << 10;  // stays in the processor's cache
constexpr std::size_t kChecksumBytesMax = std::size_t{1} << 20;

// ---- Protocol Buffers ----

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out += static_cast<char>(value);
}
std::string number_field(unsigned field, std::uint64_t value) {
  return varint(field << 3) + varint(value);
}
std::string bytes_field(unsigned field, const std::string& bytes) {
  return varint(field << 3 | 2) + varint(bytes.size()) + bytes;
}

std::optional<std::uint64_t> take_varint(std::string_view& from) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !from.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(from.front());
    from.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> take_fixed(std::string_view& from, std::size_t bytes) {
  if (from.size() < bytes) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(from[i]);
  }
  from.remove_prefix(bytes);
  return value;
}

struct Field {
  std::uint64_t number = 0;
  std::uint64_t value = 0;  // of what is no bytes
  std::string_view bytes;
};

std::optional<Field> take_field(std::string_view& from) {
  const auto key = take_varint(from);
  if (!key) return std::nullopt;
  Field field{*key >> 3, 0, {}};
  std::optional<std::uint64_t> value;
  switch (*key & 7) {
    case 0: value = take_varint(from); break;
    case 1: value = take_fixed(from, 8); break;
    case 2: value = take_varint(from); break;
    case 5: value = take_fixed(from, 4); break;
    default: break;
  }
  if (!value) return std::nullopt;
  if ((*key & 7) != 2) {
    field.value = *value;
    return field;
  }
  if (*value > from.size()) return std::nullopt;
  field.bytes = from.substr(0, *value);
  from.remove_prefix(*value);
  return field;
}

// Calls `see` for each field; false where the message is none.
template <typename See>
bool read_message(std::string_view message, const See& see) {
  while (!message.empty()) {
    const auto field = take_field(message);
    if (!field) return false;
    see(*field);
  }
  return true;
}

std::string request_for(const BlockPlace& block, std::uint64_t offset, std::uint64_t length) {
  const std::string no_token =
      bytes_field(1, "") + bytes_field(2, "") + bytes_field(3, "") + bytes_field(4, "");
  const std::string place = bytes_field(1, block.pool) + number_field(2, block.id) +
                            number_field(3, block.generation) + number_field(4, block.bytes);
  const std::string header =
      bytes_field(1, bytes_field(1, place) + bytes_field(2, no_token)) + bytes_field(2, "weir");
  const std::string message =
      bytes_field(1, header) + number_field(2, offset) + number_field(3, length);
  return std::string{'\0', kVersion, kReadBlock} + varint(message.size()) + message;
}

// ---- Sockets ----

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

std::optional<SocketAddress> address_of(const DataNodeAddress& node) {
  SocketAddress address;
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, node.ip.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(node.port);
    address.length = sizeof *v4;
  } else if (inet_pton(AF_INET6, node.ip.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(node.port);
    address.length = sizeof *v6;
  } else {
    return std::nullopt;
  }
  return address;
}

constexpr Millis kGoodbyeMax{1'000};  // all bytes are there by then

void set_timeout(int socket, int option, Millis timeout) {
  const timeval time{timeout.count() / 1'000, timeout.count() % 1'000 * 1'000};
  setsockopt(socket, SOL_SOCKET, option, &time, sizeof time);
}

Error socket_error(const std::string& what) {
  if (errno == EAGAIN || errno == EINPROGRESS) return {Code::kTimeout, what + ": nothing came"};
  return {Code::kUnavailable, what + ": " + std::strerror(errno)};
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

struct BlockReader::Packet {
  std::uint64_t offset = 0;  // in the block
  bool is_last = false;
  std::string_view sums;
  std::string_view bytes;
};

BlockReader::BlockReader(FileHandle socket, std::string what, std::uint64_t offset,
                         std::uint64_t length, const BlockReaderOptions& options)
    : socket_(std::move(socket)),
      what_(std::move(what)),
      clock_(options.clock),
      stall_timeout_(options.stall_timeout),
      at_(offset),
      end_(offset + length),
      buffer_(kBufferBytes) {}

Result<BlockReader> BlockReader::open(const BlockPlace& block, std::uint64_t offset,
                                      std::uint64_t length, const BlockReaderOptions& options) {
  const Inside call("connecting to a DataNode");
  const std::string what = "block " + std::to_string(block.id) + " at " + block.data_node.ip + ":" +
                           std::to_string(block.data_node.port);
  const auto address = address_of(block.data_node);
  if (!address) return fail(Code::kUnsupported, what + ": that is no address");
  FileHandle socket(::socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.descriptor() < 0) return fail(socket_error(what));
  set_timeout(socket.descriptor(), SO_SNDTIMEO, options.connect_timeout);
  set_timeout(socket.descriptor(), SO_RCVTIMEO, options.stall_timeout);
  if (::connect(socket.descriptor(), reinterpret_cast<const sockaddr*>(&address->storage),
                address->length) != 0 ||
      !send_all(socket.descriptor(), request_for(block, offset, length))) {
    return fail(socket_error(what));
  }
  return BlockReader(std::move(socket), what, offset, length, options);
}

BlockReader BlockReader::over(FileHandle socket, std::uint64_t offset, std::uint64_t length) {
  return {std::move(socket), "a block", offset, length, {}};
}

tl::unexpected<Error> BlockReader::unknown(const std::string& why) const {
  return fail(Code::kUnsupported, what_ + ": " + why);
}

void BlockReader::watch_from_now(Millis limit) {
  watch_.emplace(limit, kStallBytesMin, clock_->steady());
}

// The socket's own timeout begins anew with each byte that comes.
Status BlockReader::check_headway(std::size_t bytes) {
  const SteadyTime now = clock_->steady();
  watch_->moved(bytes, now);
  if (!watch_->is_stalled(now)) return {};
  return fail(Code::kTimeout, what_ + ": fewer than " + std::to_string(kStallBytesMin) +
                                  " bytes came in " + format_duration(watch_->limit()));
}

// Receives until so many bytes wait.
Status BlockReader::fill(std::size_t bytes) {
  if (begin_ == filled_) begin_ = filled_ = 0;
  if (buffer_.size() - begin_ < bytes) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, filled_ - begin_);
    filled_ -= begin_;
    begin_ = 0;
    if (buffer_.size() < bytes) buffer_.resize(bytes);
  }
  while (filled_ - begin_ < bytes) {
    const ssize_t count =
        ::recv(socket_.descriptor(), buffer_.data() + filled_, buffer_.size() - filled_, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(socket_error(what_));
    if (count == 0) return fail(Code::kUnavailable, what_ + ": the DataNode ended the connection");
    filled_ += static_cast<std::size_t>(count);
    Pulse::beat_own();
    WEIR_TRY(check_headway(static_cast<std::size_t>(count)));
  }
  return {};
}

Result<std::string_view> BlockReader::take(std::size_t bytes) {
  WEIR_TRY(fill(bytes));
  const std::string_view taken(buffer_.data() + begin_, bytes);
  begin_ += bytes;
  return taken;
}

Status BlockReader::read_answer() {
  std::size_t length = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(WEIR_TRY(take(1)).front());
    length |= std::size_t{byte & 0x7fU} << shift;
    if (byte < 0x80) break;
    if (shift > 21) return unknown("its answer is not that of a DataNode");
  }
  if (length > kAnswerBytesMax) return unknown("its answer is not that of a DataNode");
  std::optional<std::uint64_t> status;
  std::uint64_t type = 0;
  std::uint64_t first = 0;
  std::string message;
  const auto see_checksum = [&](const Field& field) {
    if (field.number == 1) type = field.value;
    if (field.number == 2) checksum_bytes_ = std::min<std::uint64_t>(field.value, kBufferBytes * 8);
  };
  const auto see_info = [&](const Field& field) {
    if (field.number == 1) read_message(field.bytes, see_checksum);
    if (field.number == 2) first = field.value;
  };
  const bool is_message = read_message(WEIR_TRY(take(length)), [&](const Field& field) {
    if (field.number == 1) status = field.value;
    if (field.number == 4) read_message(field.bytes, see_info);
    if (field.number == 5) message = field.bytes;
  });
  if (!is_message || !status) return unknown("its answer is not that of a DataNode");
  if (*status != 0) return unknown("refused: " + message);
  if (type != kCrc32c || checksum_bytes_ == 0 || checksum_bytes_ > kChecksumBytesMax) {
    return unknown("its checksums are of another kind");
  }
  if (first > at_ || at_ - first >= checksum_bytes_) return unknown("it sends other bytes");
  expected_ = first;
  return {};
}

Result<BlockReader::Packet> BlockReader::next_packet() {
  const std::string_view lengths = WEIR_TRY(take(6));
  std::uint64_t packet_length = 0;
  for (int i = 0; i < 4; ++i) {
    packet_length = packet_length << 8 | static_cast<unsigned char>(lengths[i]);
  }
  const std::size_t header_length = std::size_t{static_cast<unsigned char>(lengths[4])} << 8 |
                                    static_cast<unsigned char>(lengths[5]);
  if (packet_length < 4 || packet_length > kPacketBytesMax) {
    return unknown("a packet of " + std::to_string(packet_length) + " bytes");
  }
  const std::string_view text = WEIR_TRY(take(header_length + packet_length - 4));
  Packet packet;
  std::uint64_t data_length = 0;
  const bool is_header = read_message(text.substr(0, header_length), [&](const Field& field) {
    if (field.number == 1) packet.offset = field.value;
    if (field.number == 3) packet.is_last = field.value != 0;
    if (field.number == 4) data_length = field.value;
  });
  const std::string_view rest = text.substr(header_length);
  if (!is_header || data_length > rest.size()) return unknown("a packet that is none");
  packet.sums = rest.substr(0, rest.size() - data_length);
  packet.bytes = rest.substr(rest.size() - data_length);
  return packet;
}

Status BlockReader::hand_on(const Packet& packet, const ByteSink& sink) {
  if (packet.offset != expected_) return unknown("a packet from another place");
  if (!has_crc32c(packet.bytes, checksum_bytes_, packet.sums)) {
    return fail(Code::kCorrupt, what_ + ": bytes from " + std::to_string(packet.offset) +
                                    " on do not have the checksum that HDFS keeps of them");
  }
  expected_ += packet.bytes.size();
  if (expected_ <= at_) return {};
  const std::string_view wanted =
      packet.bytes.substr(packet.bytes.size() - (expected_ - at_)).substr(0, end_ - at_);
  if (wanted.empty()) return {};
  const SteadyTime begin = clock_->steady();
  WEIR_TRY(sink(wanted));
  watch_->take_out(clock_->steady() - begin);
  at_ += wanted.size();
  return {};
}

// Nothing depends on it but the DataNode's log and its count of clients that broke off.
void BlockReader::say_goodbye() {
  set_timeout(socket_.descriptor(), SO_RCVTIMEO, kGoodbyeMax);
  watch_from_now(kGoodbyeMax);
  const std::string status = number_field(1, kChecksumOk);
  const auto last = next_packet();
  if (last && last->is_last) send_all(socket_.descriptor(), varint(status.size()) + status);
}

Status BlockReader::read(const ByteSink& sink) {
  const Inside call("reading a block of HDFS");
  // Not from when it was asked for: the answer lay there while the block before was read.
  watch_from_now(stall_timeout_);
  WEIR_TRY(read_answer());
  while (at_ < end_) {
    const Packet packet = WEIR_TRY(next_packet());
    if (packet.bytes.empty()) return unknown("it ended before the block does");
    WEIR_TRY(hand_on(packet, sink));
  }
  say_goodbye();
  return {};
}

}  // namespace weir::store
