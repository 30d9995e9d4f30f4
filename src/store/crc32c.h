// CRC-32C (Castagnoli), the checksum that HDFS keeps of each few hundred bytes of a block.
//
// Threads: pure functions. Errors: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::store {

std::uint32_t crc32c(std::string_view bytes);

// Whether each `chunk_bytes` of `bytes` (the last may be shorter) has the checksum that `sums`
// holds of it, four bytes each, the highest first. False, too, where there are more or fewer of
// those.
bool has_crc32c(std::string_view bytes, std::size_t chunk_bytes, std::string_view sums);

namespace detail {
// What the two above come to on a processor without instructions for it; for tests.
std::uint32_t crc32c_by_table(std::string_view bytes);
}  // namespace detail

}  // namespace weir::store
