#include "store/memory_file_store.h"

#include <algorithm>

#include "base/check.h"

namespace weir::store {
namespace {

Status not_found(const std::string& url, std::string_view what = "no such file or folder") {
  return fail(Code::kNotFound, url + ": " + std::string(what));
}

}  // namespace

MemoryFileStore::MemoryFileStore(Clock& clock) : clock_(clock) {
  nodes_.emplace("/", make_node(true));
}

MemoryFileStore::Node MemoryFileStore::make_node(bool is_directory) {
  Node node;
  node.is_directory = is_directory;
  node.modified_ms = clock_.wall().time_since_epoch().count();
  node.id = next_id_++;
  return node;
}

Result<std::optional<Error>> MemoryFileStore::enter(Operation operation, const std::string& path) {
  Hook hook;
  {
    const std::lock_guard lock(mutex_);
    ++calls_[operation];
    hook = hook_;
  }
  if (hook) WEIR_TRY(hook(operation, path));
  const std::lock_guard lock(mutex_);
  const auto due = std::find_if(failures_.begin(), failures_.end(),
                                [&](const Failure& f) { return f.operation == operation; });
  if (due == failures_.end() || due->calls_before-- > 0) return std::optional<Error>();
  Failure failure = std::move(*due);
  failures_.erase(due);
  if (failure.after_the_work) return std::optional<Error>(std::move(failure.error));
  return fail(std::move(failure.error));
}

FileStatus MemoryFileStore::status_of(const std::string& path, const Node& node) const {
  FileStatus status;
  status.name = base_name(path);
  status.path = path;
  status.is_directory = node.is_directory;
  status.length = node.bytes ? node.bytes->size() : 0;
  status.modified_ms = node.modified_ms;
  status.file_id = std::to_string(node.id);
  return status;
}

// What lies below a folder, without the folder itself.
std::pair<MemoryFileStore::Nodes::iterator, MemoryFileStore::Nodes::iterator>
MemoryFileStore::subtree(const std::string& path) {
  const std::string first = join_path(path, "");
  std::string end = first;
  end.back() = '/' + 1;
  // "/" itself begins with first, where first is "/".
  return {path == "/" ? nodes_.upper_bound(first) : nodes_.lower_bound(first),
          nodes_.lower_bound(end)};
}

Result<std::vector<FileStatus>> MemoryFileStore::list(const std::string& path) {
  WEIR_TRY(check_path(path));
  std::optional<Error> lost = WEIR_TRY(enter(Operation::kList, path));
  const std::lock_guard lock(mutex_);
  const auto folder = nodes_.find(path);
  if (folder == nodes_.end() || !folder->second.is_directory) {
    return fail(not_found(url(path), "no such folder").error());
  }
  std::vector<FileStatus> entries;
  const auto [begin, end] = subtree(path);
  const std::size_t prefix = join_path(path, "").size();
  for (auto node = begin; node != end; ++node) {
    if (node->first.find('/', prefix) != std::string::npos) continue;
    entries.push_back(status_of(node->first, node->second));
  }
  if (lost) return fail(std::move(*lost));
  std::sort(entries.begin(), entries.end(),
            [](const FileStatus& a, const FileStatus& b) { return a.name < b.name; });
  return entries;
}

Result<FileStatus> MemoryFileStore::status(const std::string& path) {
  WEIR_TRY(check_path(path));
  std::optional<Error> lost = WEIR_TRY(enter(Operation::kStatus, path));
  const std::lock_guard lock(mutex_);
  const auto node = nodes_.find(path);
  if (node == nodes_.end()) return fail(not_found(url(path)).error());
  if (lost) return fail(std::move(*lost));
  return status_of(path, node->second);
}

Status MemoryFileStore::read(const std::string& path, std::uint64_t offset, std::uint64_t length,
                             const ByteSink& sink) {
  WEIR_TRY(check_path(path));
  std::optional<Error> lost = WEIR_TRY(enter(Operation::kRead, path));
  std::shared_ptr<const std::string> bytes;
  {
    const std::lock_guard lock(mutex_);
    const auto node = nodes_.find(path);
    if (node == nodes_.end()) return not_found(url(path));
    if (node->second.is_directory) return not_found(url(path), "is a folder, not a file");
    bytes = node->second.bytes;
  }
  const std::uint64_t there = bytes->size() - std::min<std::uint64_t>(offset, bytes->size());
  std::string_view rest = std::string_view(*bytes).substr(bytes->size() - there);
  const bool short_of = offset > bytes->size() || (length != kToEnd && length > there);
  rest = rest.substr(0, std::min(length, there));
  while (!rest.empty()) {
    // Smaller than what the contract allows, so that every reader is tested with torn pieces.
    const std::string_view piece = rest.substr(0, 64 * 1024);
    WEIR_TRY(sink(piece));
    rest.remove_prefix(piece.size());
  }
  if (short_of) {
    return fail(Code::kCorrupt, url(path) + " has only " + std::to_string(bytes->size()) +
                                    " bytes; more were to be read");
  }
  if (lost) return fail(std::move(*lost));
  return {};
}

Status MemoryFileStore::add_directories(const std::string& path) {
  for (std::size_t end = 1; end != std::string::npos && end < path.size();) {
    end = path.find('/', end);
    const std::string folder = path.substr(0, end);
    const auto [node, is_new] = nodes_.try_emplace(folder);
    if (is_new) node->second = make_node(true);
    if (!node->second.is_directory) {
      return fail(Code::kInvalidArgument, url(folder) + " is a file, not a folder");
    }
    if (end != std::string::npos) ++end;
  }
  return {};
}

void MemoryFileStore::add_file(const std::string& path, std::string bytes) {
  Node node = make_node(false);
  node.bytes = std::make_shared<const std::string>(std::move(bytes));
  nodes_[path] = std::move(node);
}

Status MemoryFileStore::create(const std::string& path, const ByteSource& source) {
  WEIR_TRY(check_path_below_root(path));
  auto entered = enter(Operation::kCreate, path);
  // Room for the file is taken first, so that of two creators exactly one goes on.
  {
    const std::lock_guard lock(mutex_);
    if (nodes_.contains(path)) return fail(Code::kAlreadyExists, url(path) + " is already there");
    WEIR_TRY(add_directories(parent_path(path)));
    add_file(path, "");
  }
  std::string bytes;
  Status source_status;
  std::string buffer(64 * 1024, '\0');
  while (true) {
    const Result<std::size_t> count = source(buffer);
    if (!count) source_status = fail(count.error());
    if (!count || *count == 0) break;
    WEIR_CHECK(*count <= buffer.size());
    bytes.append(buffer, 0, *count);
  }
  if (!entered) bytes.resize(bytes.size() / 2);
  {
    const std::lock_guard lock(mutex_);
    const auto node = nodes_.find(path);
    if (node == nodes_.end()) return not_found(url(path), "was removed while it was written");
    node->second.bytes = std::make_shared<const std::string>(std::move(bytes));
    node->second.modified_ms = clock_.wall().time_since_epoch().count();
  }
  if (!source_status) return source_status;
  if (!entered) return fail(std::move(entered.error()));
  if (*entered) return fail(std::move(**entered));
  return {};
}

Status MemoryFileStore::make_directories(const std::string& path) {
  WEIR_TRY(check_path(path));
  std::optional<Error> lost = WEIR_TRY(enter(Operation::kMakeDirectories, path));
  const std::lock_guard lock(mutex_);
  const auto node = nodes_.find(path);
  if (node != nodes_.end() && !node->second.is_directory) {
    return fail(Code::kAlreadyExists, url(path) + " is a file, not a folder");
  }
  WEIR_TRY(add_directories(path));
  if (lost) return fail(std::move(*lost));
  return {};
}

Status MemoryFileStore::rename(const std::string& from, const std::string& to) {
  WEIR_TRY(check_rename(from, to));
  std::optional<Error> lost = WEIR_TRY(enter(Operation::kRename, from));
  const std::lock_guard lock(mutex_);
  if (!nodes_.contains(from)) return not_found(url(from));
  if (nodes_.contains(to)) return fail(Code::kAlreadyExists, url(to) + " is already there");
  const auto parent = nodes_.find(parent_path(to));
  if (parent == nodes_.end()) return not_found(url(parent_path(to)), "no such folder");
  if (!parent->second.is_directory) {
    return fail(Code::kInvalidArgument, url(parent_path(to)) + " is a file, not a folder");
  }
  std::vector<std::string> moved{from};
  const auto [begin, end] = subtree(from);
  for (auto node = begin; node != end; ++node) moved.push_back(node->first);
  for (const std::string& path : moved) {
    auto node = nodes_.extract(path);
    node.key() = to + path.substr(from.size());
    nodes_.insert(std::move(node));
  }
  if (lost) return fail(std::move(*lost));
  return {};
}

Status MemoryFileStore::remove(const std::string& path) {
  WEIR_TRY(check_path_below_root(path));
  std::optional<Error> lost = WEIR_TRY(enter(Operation::kRemove, path));
  const std::lock_guard lock(mutex_);
  const auto [begin, end] = subtree(path);
  nodes_.erase(begin, end);
  nodes_.erase(path);
  if (lost) return fail(std::move(*lost));
  return {};
}

std::string MemoryFileStore::url(const std::string& path) const { return "memory://" + path; }

void MemoryFileStore::fail_next(Operation operation, Error error, int calls_before) {
  const std::lock_guard lock(mutex_);
  failures_.push_back({operation, std::move(error), calls_before, false});
}

void MemoryFileStore::lose_reply_of_next(Operation operation, Error error, int calls_before) {
  const std::lock_guard lock(mutex_);
  failures_.push_back({operation, std::move(error), calls_before, true});
}

void MemoryFileStore::before_each(Hook hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

void MemoryFileStore::put(const std::string& path, std::string bytes) {
  WEIR_CHECK(check_path_below_root(path).has_value());
  const std::lock_guard lock(mutex_);
  WEIR_CHECK(add_directories(parent_path(path)).has_value());
  add_file(path, std::move(bytes));
}

void MemoryFileStore::append(const std::string& path, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  const auto node = nodes_.find(path);
  WEIR_CHECK(node != nodes_.end() && !node->second.is_directory);
  node->second.bytes =
      std::make_shared<const std::string>(*node->second.bytes + std::string(bytes));
  node->second.modified_ms = clock_.wall().time_since_epoch().count();
}

std::uint64_t MemoryFileStore::calls(Operation operation) const {
  const std::lock_guard lock(mutex_);
  const auto count = calls_.find(operation);
  return count == calls_.end() ? 0 : count->second;
}

}  // namespace weir::store
