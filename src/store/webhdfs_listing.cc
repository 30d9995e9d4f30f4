#include "store/webhdfs_listing.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace weir::store {
namespace {

using Json = nlohmann::json;

Error not_webhdfs(const std::string& path, std::string_view what) {
  return {Code::kIo, "the answer about " + path + " is not what WebHDFS says (" +
                         std::string(what) +
                         "); is that the web address of a NameNode (dfs.namenode.http-address)?"};
}

const Json* child(const Json* object, const char* key) {
  if (object == nullptr || !object->is_object()) return nullptr;
  const auto found = object->find(key);
  return found == object->end() ? nullptr : &*found;
}

// A whole number of 0 up to that of a signed 64-bit; nothing else.
std::optional<std::int64_t> count_at(const Json& object, const char* key) {
  const Json* field = child(&object, key);
  if (field == nullptr || !field->is_number_integer()) return std::nullopt;
  if (field->is_number_unsigned()) {
    const auto value = field->get<std::uint64_t>();
    if (value > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return std::nullopt;
    return static_cast<std::int64_t>(value);
  }
  const auto value = field->get<std::int64_t>();
  if (value < 0) return std::nullopt;
  return value;
}

Result<FileStatus> status_of(const Json& object, const std::string& path) {
  FileStatus status;
  status.name = base_name(path);
  status.path = path;
  const Json* type = child(&object, "type");
  const auto length = count_at(object, "length");
  const auto modified = count_at(object, "modificationTime");
  if (type == nullptr || !type->is_string() || !length || !modified) {
    return fail(not_webhdfs(path, "a FileStatus lacks its type, length or modificationTime"));
  }
  status.is_directory = *type == "DIRECTORY";
  status.length = status.is_directory ? 0 : static_cast<std::uint64_t>(*length);
  status.modified_ms = *modified;
  // Other servers of this protocol have none, or 0 for all files.
  const auto id = count_at(object, "fileId");
  if (id && *id > 0) status.file_id = std::to_string(*id);
  return status;
}

std::string text_at(const Json& object, const char* key) {
  const Json* field = child(&object, key);
  return field != nullptr && field->is_string() ? field->get<std::string>() : "";
}
bool is_set(const Json* field) {
  return field != nullptr && field->is_boolean() && field->get<bool>();
}

// Four lengths of nothing: HDFS's way to write down no token.
constexpr std::string_view kNoToken = "AAAAAA";

// It is sent as it is: bytes of somebody else's choice could be words of another protocol.
bool is_pool(std::string_view pool) {
  return !pool.empty() && pool.size() <= 255 &&
         pool.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-") == pool.npos;
}

std::optional<BlockPlace> block_of(const Json& located) {
  const Json* block = child(&located, "block");
  const Json* nodes = child(&located, "locations");
  const Json* token = child(&located, "blockToken");
  if (block == nullptr || nodes == nullptr || !nodes->is_array() || nodes->empty()) return {};
  if (token == nullptr || text_at(*token, "urlString") != kNoToken) return {};
  if (is_set(child(&located, "isCorrupt"))) return {};
  const auto offset = count_at(located, "startOffset");
  const auto bytes = count_at(*block, "numBytes");
  const auto id = count_at(*block, "blockId");
  const auto generation = count_at(*block, "generationStamp");
  const auto port = count_at(nodes->front(), "xferPort");
  if (!offset || !bytes || *bytes == 0 || !id || !generation) return {};
  if (!port || *port == 0 || *port > std::numeric_limits<std::uint16_t>::max()) return {};
  BlockPlace place;
  place.offset = static_cast<std::uint64_t>(*offset);
  place.bytes = static_cast<std::uint64_t>(*bytes);
  place.pool = text_at(*block, "blockPoolId");
  if (!is_pool(place.pool)) return {};
  place.id = static_cast<std::uint64_t>(*id);
  place.generation = static_cast<std::uint64_t>(*generation);
  place.data_node = {text_at(nodes->front(), "ipAddr"), static_cast<std::uint16_t>(*port)};
  return place;
}

}  // namespace

Result<FileStatus> parse_status(const std::string& json, const std::string& path) {
  const Json document = Json::parse(json, nullptr, false);
  const Json* status = child(&document, "FileStatus");
  if (status == nullptr) return fail(not_webhdfs(path, "no FileStatus in JSON"));
  return status_of(*status, path);
}

Result<ListingPage> parse_listing(const std::string& json, const std::string& path) {
  const Json document = Json::parse(json, nullptr, false);
  ListingPage page;
  const Json* partial = child(&document, "DirectoryListing");
  if (partial != nullptr) {
    const auto remaining = count_at(*partial, "remainingEntries");
    if (!remaining) return fail(not_webhdfs(path, "a listing without remainingEntries"));
    page.remaining = static_cast<std::uint64_t>(*remaining);
    partial = child(partial, "partialListing");
  } else {
    partial = &document;
  }
  const Json* entries = child(child(partial, "FileStatuses"), "FileStatus");
  if (entries == nullptr || !entries->is_array()) {
    return fail(not_webhdfs(path, "no list of FileStatus in JSON"));
  }
  for (const Json& entry : *entries) {
    const Json* suffix = child(&entry, "pathSuffix");
    if (suffix == nullptr || !suffix->is_string()) {
      return fail(not_webhdfs(path, "an entry without pathSuffix"));
    }
    const auto& name = suffix->get_ref<const std::string&>();
    if (name.empty() && entries->size() == 1) {
      return fail(Code::kNotFound, path + " is a file, not a folder");
    }
    const std::string entry_path = join_path(path, name);
    // A name that leads elsewhere is no name of an entry of this folder.
    if (name.find('/') != std::string::npos || !check_path(entry_path)) {
      return fail(not_webhdfs(path, "an entry with an impossible name"));
    }
    page.entries.push_back(WEIR_TRY(status_of(entry, entry_path)));
  }
  return page;
}

Result<bool> parse_under_construction(const std::string& json) {
  const Json document = Json::parse(json, nullptr, false);
  const Json* blocks = child(&document, "LocatedBlocks");
  const Json* value = blocks == nullptr ? nullptr : child(blocks, "isUnderConstruction");
  if (value == nullptr || !value->is_boolean()) {
    return fail(Code::kIo, "the NameNode's list of blocks does not say whether the file is open");
  }
  return value->get<bool>();
}

bool has_plain_blocks(const std::string& json) {
  const Json document = Json::parse(json, nullptr, false);
  const Json* status = child(&document, "FileStatus");
  return status != nullptr && !is_set(child(status, "encBit")) && !is_set(child(status, "ecBit"));
}

Result<std::vector<BlockPlace>> parse_block_places(const std::string& json) {
  const Json document = Json::parse(json, nullptr, false);
  const Json* all = child(&document, "LocatedBlocks");
  const Json* blocks = child(all, "locatedBlocks");
  const Json* open = child(all, "isUnderConstruction");
  const bool is_list = blocks != nullptr && blocks->is_array();
  if (!is_list || open == nullptr || !open->is_boolean() || open->get<bool>()) {
    return fail(Code::kUnsupported, "the NameNode does not list the blocks of a closed file");
  }
  std::vector<BlockPlace> places;
  for (const Json& located : *blocks) {
    auto place = block_of(located);
    if (!place) return fail(Code::kUnsupported, "a block is not to be had without more ado");
    places.push_back(std::move(*place));
  }
  return places;
}

std::optional<bool> parse_boolean(const std::string& json) {
  const Json document = Json::parse(json, nullptr, false);
  const Json* value = child(&document, "boolean");
  if (value == nullptr || !value->is_boolean()) return std::nullopt;
  return value->get<bool>();
}

}  // namespace weir::store
