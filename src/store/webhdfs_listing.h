// WebHDFS's JSON about files, as FileStatus. What is not of the expected shape is refused (kIo).
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>

#include "store/block_reader.h"
#include "store/file_store.h"

namespace weir::store {

// {"FileStatus": {…}}, for the path.
Result<FileStatus> parse_status(const std::string& json, const std::string& path);

struct ListingPage {
  std::vector<FileStatus> entries;
  std::uint64_t remaining = 0;  // how many follow
};
// {"DirectoryListing": {…}} of LISTSTATUS_BATCH or {"FileStatuses": {…}} of LISTSTATUS. kNotFound
// where the path is a file.
Result<ListingPage> parse_listing(const std::string& json, const std::string& path);

// {"LocatedBlocks": {"isUnderConstruction": true, …}}.
Result<bool> parse_under_construction(const std::string& json);

// {"FileStatus": {…}}: whether the file's blocks hold its bytes as they are, neither encrypted nor
// spread over several DataNodes.
bool has_plain_blocks(const std::string& json);
// {"LocatedBlocks": {"locatedBlocks": […], …}}: the blocks of a file that nobody is writing, whole
// ones on DataNodes that want no token; kUnsupported where there are others.
Result<std::vector<BlockPlace>> parse_block_places(const std::string& json);

// {"boolean": true}; nothing where it is none.
std::optional<bool> parse_boolean(const std::string& json);

}  // namespace weir::store
