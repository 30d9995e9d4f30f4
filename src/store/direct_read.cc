#include "store/direct_read.h"

#include <algorithm>
#include <optional>

#include "base/log.h"

namespace weir::store {
namespace {

// The part of a block that lies in [position, end).
struct Piece {
  const BlockPlace* block;
  std::uint64_t offset;  // in the block
  std::uint64_t length;
};

// Nothing where the blocks do not hold this range, one behind the other.
std::optional<std::vector<Piece>> pieces_of(const std::vector<BlockPlace>& blocks,
                                            std::uint64_t position, std::uint64_t end) {
  std::vector<Piece> pieces;
  for (const BlockPlace& block : blocks) {
    if (position == end) break;
    if (block.offset > position) return std::nullopt;
    if (position - block.offset >= block.bytes) continue;  // before the range
    const std::uint64_t offset = position - block.offset;
    const std::uint64_t length = std::min(block.bytes - offset, end - position);
    pieces.push_back({&block, offset, length});
    position += length;
  }
  if (position != end) return std::nullopt;
  return pieces;
}

}  // namespace

bool DirectRead::is_worth_trying(std::uint64_t bytes) const {
  return allowed_ && bytes >= kDirectReadBytesMin && clock_.steady() >= not_before_.load();
}

Status DirectRead::read(const Locate& locate, std::uint64_t position, std::uint64_t end,
                        const ByteSink& sink) {
  bool by_sink = false;
  const ByteSink watched = [&](std::string_view bytes) {
    Status taken = sink(bytes);
    by_sink = !taken;
    return taken;
  };
  Status read = read_range(locate, position, end, watched);
  if (!read && !by_sink) {
    log::debug("HDFS is read by WebHDFS, not from its DataNodes' data transfer ports",
               {{"reason", read.error()}});
    if (read.error().code() != Code::kCorrupt) {
      not_before_.store(clock_.steady() + kDirectReadPause);
    }
  }
  return read;
}

Status DirectRead::read_range(const Locate& locate, std::uint64_t position, std::uint64_t end,
                              const ByteSink& sink) const {
  while (position < end) {
    const std::uint64_t until = position + std::min(kLocatedBytes, end - position);
    const std::vector<BlockPlace> blocks = WEIR_TRY(locate(position, until - position));
    const auto pieces = pieces_of(blocks, position, until);
    if (!pieces) return fail(Code::kUnsupported, "the blocks are not those of the file's bytes");
    const auto open = [&](const Piece& piece) {
      return BlockReader::open(*piece.block, piece.offset, piece.length, options_);
    };
    std::optional<Result<BlockReader>> next;
    for (std::size_t i = 0; i < pieces->size(); ++i) {
      BlockReader reader = WEIR_TRY(next ? std::move(*next) : open((*pieces)[i]));
      next.reset();
      if (i + 1 < pieces->size()) next.emplace(open((*pieces)[i + 1]));
      WEIR_TRY(reader.read(sink));
    }
    position = until;
  }
  return {};
}

}  // namespace weir::store
