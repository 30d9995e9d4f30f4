// libFuzzer: whatever a DataNode sends, BlockReader hands on no more bytes than were asked for,
// ends, and takes bounded memory. Each input is tried as all that is sent, and once more behind an
// answer that is as it should be, with the checksums put right, so that the search gets to the
// packets.

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "store/block_reader.h"
#include "store/crc32c.h"

namespace {

constexpr std::uint64_t kOffset = 3;
constexpr std::uint64_t kLength = 2'000;

void try_bytes(std::string_view bytes) {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::abort();
  // All of it fits into the socket's buffer.
  if (::send(ends[0], bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) std::abort();
  ::shutdown(ends[0], SHUT_WR);
  auto reader = weir::store::BlockReader::over(weir::store::FileHandle(ends[1]), kOffset, kLength);
  std::uint64_t taken = 0;
  const weir::Status status = reader.read([&](std::string_view piece) -> weir::Status {
    taken += piece.size();
    return {};
  });
  if (taken > kLength || (status && taken != kLength)) std::abort();
  ::close(ends[0]);
}

std::string big_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data),
                               std::min<std::size_t>(size, 60'000));
  try_bytes(input);
  // A good answer with checksums of 512 bytes, then packets with what the input says of them: a
  // byte for the length of the header, the header, a byte for the length of the data by tens, the
  // data.
  std::string sent("\x0d\x08\0\x22\x09\x0a\x05\x08\x02\x10\x80\x04\x10\0", 14);
  for (std::string_view rest = input; !rest.empty();) {
    const auto take = [&](std::size_t scale) {
      const std::size_t count = static_cast<unsigned char>(rest.front()) * scale;
      rest.remove_prefix(1);
      const std::string_view taken = rest.substr(0, count);
      rest.remove_prefix(taken.size());
      return taken;
    };
    const std::string_view header = take(1);
    const std::string_view bytes = rest.empty() ? rest : take(10);
    std::string sums;
    for (std::size_t at = 0; at < bytes.size(); at += 512) {
      sums += big_endian(weir::store::crc32c(bytes.substr(at, 512)), 4);
    }
    sent += big_endian(4 + sums.size() + bytes.size(), 4) + big_endian(header.size(), 2);
    sent.append(header).append(sums).append(bytes);
  }
  try_bytes(std::string_view(sent).substr(0, 90'000));
  return 0;
}
