// The partition that a Java producer would choose for a key: murmur2 of the key, sign bit dropped,
// modulo the number of partitions. Everything that writes keyed records must agree on it, or equal
// keys land in different partitions.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::stream {

std::uint32_t murmur2(std::string_view bytes);
std::int32_t murmur2_partition(std::string_view key, std::int32_t partitions);

}  // namespace weir::stream
