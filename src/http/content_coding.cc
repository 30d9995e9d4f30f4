#include "http/content_coding.h"

#include <zlib.h>

#include <algorithm>

#include "base/check.h"

namespace weir::http {
namespace {

constexpr int kGzip = 16 + MAX_WBITS;  // zlib's way to ask for gzip's header and trailer
constexpr std::size_t kPieceBytes = 64 * 1024;

Bytef* unconst(std::string_view bytes) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}

}  // namespace

Result<std::string> gunzip(std::string_view bytes, std::size_t bytes_max) {
  z_stream stream{};
  WEIR_CHECK(inflateInit2(&stream, kGzip) == Z_OK);  // else there is no memory
  stream.next_in = unconst(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int answer = Z_OK;
  while (answer == Z_OK && out.size() <= bytes_max) {
    const std::size_t before = out.size();
    out.resize(before + std::min(kPieceBytes, bytes_max + 1 - before));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(out.size() - before);
    answer = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  const bool rest = stream.avail_in > 0;
  inflateEnd(&stream);
  if (out.size() > bytes_max) {
    return fail(Code::kExhausted, "uncompressed it is larger than " + std::to_string(bytes_max) +
                                      " bytes, the limit here");
  }
  if (answer != Z_STREAM_END) return fail(Code::kBadData, "it is no gzip, or was cut short");
  if (rest) return fail(Code::kBadData, "bytes follow the end of the gzip");
  return out;
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  WEIR_CHECK(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzip, 9, Z_DEFAULT_STRATEGY) ==
             Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = unconst(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  WEIR_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace weir::http
