// How each call survives a server that fails in the middle of it:
//   list, status, make_directories, remove - may be repeated, so they are.
//   read   - of a large file first from its DataNodes directly; what they do not give, by WebHDFS:
//            goes on at the byte reached, at another DataNode if there is one, as long as the file
//            is still the one that it began with. Bytes handed on cannot be taken back, so a file
//            that was replaced meanwhile ends in kCorrupt.
//   create - is never repeated over something that is there: a cut upload is closed by the DataNode
//            under its final name, and looks finished. Repeated where nothing is there and the
//            source can be played again.
//   rename - a lost reply leaves open whether it happened. The file's id, taken before, is looked
//            for at both places.

#include "store/webhdfs_file_store.h"

#include <algorithm>
#include <system_error>
#include <thread>
#include <vector>

#include "base/text.h"
#include "store/replay_source.h"
#include "store/webhdfs_listing.h"

namespace weir::store {
namespace {

constexpr std::uint64_t kBlocksBytesMax = 1 << 20;
constexpr std::uint64_t kAllBlocksBytesMax = 16 << 20;

bool is_same_file(const FileStatus& a, const FileStatus& b) {
  return a.file_id == b.file_id && a.is_directory == b.is_directory && a.length == b.length &&
         a.modified_ms == b.modified_ms;
}

// A folder's modification time changes with what is in it, so ids alone count where there are any.
bool is_renamed(const FileStatus& before, const FileStatus& after) {
  if (!before.file_id.empty()) return before.file_id == after.file_id;
  return is_same_file(before, after);
}

template <typename T>
Result<T> reading(Result<T>&& result) {
  if (!result) return fail(as_absence(std::move(result.error())));
  return std::move(result);
}

Status check_hdfs_path(const std::string& path) {
  WEIR_TRY(check_path(path));
  return check_hdfs_name(path);
}

tl::unexpected<AttemptFailure> failed(AttemptFailure failure) {
  return tl::unexpected<AttemptFailure>(std::move(failure));
}

}  // namespace

// What is still to be read of a file.
struct WebHdfsFileStore::Range {
  std::uint64_t position;
  std::uint64_t end;
  bool plain_blocks;
};

Result<std::shared_ptr<WebHdfsFileStore>> WebHdfsFileStore::make(const WebHdfsOptions& options) {
  std::string root = options.root;
  while (root.size() > 1 && root.ends_with('/')) root.pop_back();
  if (root.empty()) root = "/";
  WEIR_TRY(check_hdfs_path(root));
  auto client = WEIR_TRY(WebHdfsClient::make(options));
  std::string shown_as = options.shown_as.empty() ? options.name_nodes.front() : options.shown_as;
  if (root == "/") root.clear();
  return std::shared_ptr<WebHdfsFileStore>(
      new WebHdfsFileStore(std::move(root), std::move(shown_as), options, std::move(client)));
}

// What is asked for by https or with Kerberos is not to go over the wire in the clear.
WebHdfsFileStore::WebHdfsFileStore(std::string root, std::string shown_as,
                                   const WebHdfsOptions& options,
                                   std::unique_ptr<WebHdfsClient> client)
    : root_(std::move(root)),
      shown_as_(std::move(shown_as)),
      client_(std::move(client)),
      direct_(options.direct_reads && options.auth == HttpAuth::kNone &&
                  std::all_of(options.name_nodes.begin(), options.name_nodes.end(),
                              [](const std::string& node) { return node.starts_with("http:"); }),
              {std::min(options.http.connect_timeout, BlockReaderOptions().connect_timeout),
               options.http.stall_timeout, options.http.clock},
              *options.clock) {}

std::string WebHdfsFileStore::in_hdfs(const std::string& path) const {
  return path == "/" && !root_.empty() ? root_ : root_ + path;
}

std::string WebHdfsFileStore::url(const std::string& path) const {
  return shown_as_ + in_hdfs(path);
}

NameNodeCall WebHdfsFileStore::call(const char* method, const std::string& path,
                                    UrlParameters parameters) const {
  NameNodeCall made;
  made.method = method;
  made.path = in_hdfs(path);
  made.parameters = std::move(parameters);
  return made;
}

Result<FileStatus> WebHdfsFileStore::status(const std::string& path) {
  WEIR_TRY(check_hdfs_path(path));
  const Answer answer =
      WEIR_TRY(reading(client_->ask(call("GET", path, {{"op", "GETFILESTATUS"}}))));
  return parse_status(answer.response.body, path);
}

// The list of blocks says whether the file is still open. HttpFS has no such operation.
Result<bool> WebHdfsFileStore::is_being_written(const std::string& path) {
  WEIR_TRY(check_hdfs_path(path));
  NameNodeCall blocks =
      call("GET", path, {{"op", "GET_BLOCK_LOCATIONS"}, {"offset", "0"}, {"length", "1"}});
  blocks.answer_bytes_max = kBlocksBytesMax;
  auto answer = reading(client_->ask(blocks));
  if (answer) return parse_under_construction(answer->response.body);
  const bool is_unknown = answer.error().code() == Code::kUnsupported ||
                          answer.error().reason().find("Invalid value") != std::string::npos;
  // Without lists of blocks: an empty file may still be on its way.
  if (is_unknown) return WEIR_TRY(status(path)).length == 0;
  return fail(std::move(answer.error()));
}

Result<bool> WebHdfsFileStore::exists(const std::string& path) {
  auto found = status(path);
  if (found) return true;
  if (found.error().code() == Code::kNotFound) return false;
  return fail(std::move(found.error()));
}

// LISTSTATUS_BATCH is of Hadoop 2.8; what is older, or only speaks the protocol, lists all at once.
Result<HttpResponse> WebHdfsFileStore::list_page(const std::string& path,
                                                 const std::string& after) {
  if (lists_in_pages_) {
    NameNodeCall page = call("GET", path, {{"op", "LISTSTATUS_BATCH"}});
    if (!after.empty()) page.parameters.emplace_back("startAfter", after);
    page.answer_bytes_max = kListingBytesMax;
    auto answer = client_->ask(page);
    if (answer) return std::move(answer->response);
    const bool is_unknown = answer.error().reason().find("LISTSTATUS_BATCH") != std::string::npos &&
                            (answer.error().reason().find("Invalid value") != std::string::npos ||
                             answer.error().code() == Code::kUnsupported);
    if (!is_unknown || !after.empty()) return reading(Result<HttpResponse>(fail(answer.error())));
    lists_in_pages_ = false;
  }
  NameNodeCall whole = call("GET", path, {{"op", "LISTSTATUS"}});
  whole.answer_bytes_max = kListingBytesMax;
  Answer answer = WEIR_TRY(reading(client_->ask(whole)));
  return std::move(answer.response);
}

Result<std::vector<FileStatus>> WebHdfsFileStore::list(const std::string& path) {
  WEIR_TRY(check_hdfs_path(path));
  std::vector<FileStatus> entries;
  std::string after;
  while (true) {
    const HttpResponse response = WEIR_TRY(list_page(path, after));
    ListingPage page = WEIR_TRY(parse_listing(response.body, path));
    const bool is_last = page.remaining == 0;
    if (!is_last && (page.entries.empty() || page.entries.back().name == after)) {
      return fail(Code::kIo, url(path) + ": the listing does not go on, at '" + after + "'");
    }
    if (!page.entries.empty()) after = page.entries.back().name;
    std::move(page.entries.begin(), page.entries.end(), std::back_inserter(entries));
    if (entries.size() > kListEntriesMax) {
      return fail(Code::kExhausted,
                  url(path) + " has more than " + std::to_string(kListEntriesMax) + " entries");
    }
    if (is_last) break;
  }
  // HDFS sorts by signed bytes: "ü" before "a".
  std::sort(entries.begin(), entries.end(),
            [](const FileStatus& a, const FileStatus& b) { return a.name < b.name; });
  return entries;
}

Status WebHdfsFileStore::check_unchanged(const std::string& path, const FileStatus& before) {
  const auto after = status(path);
  if (after && is_same_file(before, *after)) return {};
  if (!after && after.error().code() != Code::kNotFound) return fail(after.error());
  return fail(Code::kCorrupt, url(path) + " was changed, replaced or removed while it was read");
}

tl::expected<void, AttemptFailure> WebHdfsFileStore::open_once(const std::string& path,
                                                               const Range& range,
                                                               const ByteSink& sink,
                                                               const std::string& excluded) {
  NameNodeCall open = call("GET", path,
                           {{"op", "OPEN"},
                            {"offset", std::to_string(range.position)},
                            {"length", std::to_string(range.end - range.position)}});
  if (!excluded.empty()) open.parameters.emplace_back("excludedatanodes", excluded);
  open.sink = &sink;
  open.may_redirect = true;
  auto answer = client_->ask_once(open);
  if (!answer) return failed(std::move(answer.error()));
  if (answer->response.status < 300) return {};  // it gave the bytes itself
  auto data = client_->follow(*answer, {"GET", "OPEN", nullptr, &sink});
  if (data) return {};
  AttemptFailure failure = std::move(data.error());
  // A DataNode says "IOException" of whatever it cannot read; another one may hold a good replica.
  const bool by_server = !failure.data_node.empty() && failure.verdict.error.code() == Code::kIo;
  if (by_server && failure.verdict.retry == Retry::kNever) failure.verdict.retry = Retry::kSame;
  return failed(std::move(failure));
}

Status WebHdfsFileStore::read_range(const std::string& path, const FileStatus& before, Range& range,
                                    const ByteSink& sink) {
  std::optional<Error> stop;  // what the reader said, or what makes going on pointless
  const ByteSink counted = [&](std::string_view bytes) -> Status {
    Status taken;
    if (bytes.size() > range.end - range.position) {
      taken = fail(Code::kCorrupt, url(path) + ": HDFS sends more bytes than the file has");
    } else {
      taken = sink(bytes);
    }
    if (taken) range.position += bytes.size();
    if (!taken) stop = taken.error();
    return taken;
  };
  if (range.plain_blocks && direct_.is_worth_trying(range.end - range.position)) {
    read_directly(path, range, counted);
    if (stop) return fail(std::move(*stop));
    if (range.position == range.end) return {};
    WEIR_TRY(check_unchanged(path, before));
  }
  WebHdfsClient::Attempts attempts(*client_);
  std::string excluded;
  while (true) {
    const std::uint64_t begin = range.position;
    auto opened = open_once(path, range, counted, excluded);
    if (stop) return fail(std::move(*stop));
    if (range.position == range.end) return {};
    if (range.position > begin) attempts.reset();
    if (opened) {
      const std::string reason = url(path) + " ended at byte " + std::to_string(range.position) +
                                 " instead of " + std::to_string(range.end);
      opened = failed({{Error(Code::kCorrupt, reason), Retry::kSame}, 0, ""});
    }
    AttemptFailure failure = std::move(opened.error());
    if (!excluded.empty() && failure.data_node.empty() && attempts.again_at_once()) {
      excluded.clear();  // no other DataNode has it
      continue;
    }
    excluded = failure.data_node;
    if (!attempts.again(failure)) return fail(attempts.give_up(std::move(failure)));
    WEIR_TRY(check_unchanged(path, before));
  }
}

// Why it ended before the range's end is of no interest: what is left is read by WebHDFS.
void WebHdfsFileStore::read_directly(const std::string& path, const Range& range,
                                     const ByteSink& sink) {
  const DirectRead::Locate locate = [&](std::uint64_t offset,
                                        std::uint64_t length) -> Result<std::vector<BlockPlace>> {
    NameNodeCall blocks = call("GET", path,
                               {{"op", "GET_BLOCK_LOCATIONS"},
                                {"offset", std::to_string(offset)},
                                {"length", std::to_string(length)}});
    blocks.answer_bytes_max = kAllBlocksBytesMax;
    auto answer = client_->ask_once(blocks);
    if (!answer) return fail(std::move(answer.error().verdict.error));
    return parse_block_places(answer->response.body);
  };
  static_cast<void>(direct_.read(locate, range.position, range.end, sink));
}

Status WebHdfsFileStore::read(const std::string& path, std::uint64_t offset, std::uint64_t length,
                              const ByteSink& sink) {
  WEIR_TRY(check_hdfs_path(path));
  const Answer answer =
      WEIR_TRY(reading(client_->ask(call("GET", path, {{"op", "GETFILESTATUS"}}))));
  const FileStatus before = WEIR_TRY(parse_status(answer.response.body, path));
  if (before.is_directory) return fail(Code::kNotFound, url(path) + " is a folder, not a file");
  const std::uint64_t there = before.length - std::min(offset, before.length);
  if (offset > before.length || (length != kToEnd && length > there)) {
    return fail(Code::kCorrupt, url(path) + " has only " + std::to_string(before.length) +
                                    " bytes; more were to be read");
  }
  const std::uint64_t wanted = std::min(length, there);
  if (wanted == 0) return {};
  Range range{offset, offset + wanted, has_plain_blocks(answer.response.body)};
  WEIR_TRY(during(read_range(path, before, range, sink),
                  "reading " + url(path) + " from byte " + std::to_string(offset)));
  return check_unchanged(path, before);
}

tl::expected<void, AttemptFailure> WebHdfsFileStore::create_once(const std::string& path,
                                                                 const ByteSource& source,
                                                                 const std::string& excluded) {
  NameNodeCall create = call("PUT", path, {{"op", "CREATE"}, {"overwrite", "false"}});
  if (!excluded.empty()) create.parameters.emplace_back("excludedatanodes", excluded);
  create.may_redirect = true;
  auto answer = client_->ask_once(create);
  if (!answer) return failed(std::move(answer.error()));
  if (answer->response.status < 300) {
    return failed({{Error(Code::kIo, url(path) + ": the server took a file without its bytes; it "
                                                 "does not speak WebHDFS"),
                    Retry::kNever},
                   0,
                   ""});
  }
  auto data = client_->follow(*answer, {"PUT", "CREATE", &source, nullptr});
  if (!data) return failed(std::move(data.error()));
  return {};
}

// A file that has all its bytes and whose DataNode died before it was closed stays open for as long
// as HDFS keeps the dead one's lease, which is minutes. Until then nobody takes it for a data set.
Status WebHdfsFileStore::await_closed(const std::string& path, WebHdfsClient::Attempts& attempts,
                                      const AttemptFailure& failure) {
  while (true) {
    const auto open = is_being_written(path);
    if (open && !*open) return {};
    if (attempts.again(failure)) continue;
    Error error = attempts.give_up(failure);
    return fail(error.code(), url(path) +
                                  " was sent, but HDFS has it still open, as its DataNode " +
                                  "was lost before it closed it: " + error.reason());
  }
}

Status WebHdfsFileStore::create(const std::string& path, const ByteSource& source) {
  WEIR_TRY(check_path_below_root(path));
  if (WEIR_TRY(exists(path))) return fail(Code::kAlreadyExists, url(path) + " is already there");
  ReplaySource replay(source, kReplayBytesMax);
  std::optional<Error> stop;
  const ByteSource filled = [&](std::span<char> buffer) {
    auto count = replay.fill(buffer);
    if (!count) stop = count.error();
    return count;
  };
  WebHdfsClient::Attempts attempts(*client_);
  std::string excluded;
  while (true) {
    auto created = create_once(path, filled, excluded);
    if (stop) return fail(std::move(*stop));
    if (created) break;
    AttemptFailure failure = std::move(created.error());
    if (failure.verdict.retry == Retry::kNever) return fail(std::move(failure.verdict.error));
    if (replay.taken() > 0 || replay.is_at_end()) {
      const auto there = status(path);
      // All was sent and all is there: only the reply was lost.
      if (there && replay.is_at_end() && there->length == replay.taken()) {
        return await_closed(path, attempts, failure);
      }
      const bool is_free = !there && there.error().code() == Code::kNotFound;
      if (!is_free || !replay.rewind()) return fail(attempts.give_up(std::move(failure)));
    }
    if (!excluded.empty() && failure.data_node.empty() && attempts.again_at_once()) {
      excluded.clear();
      continue;
    }
    excluded = failure.data_node;
    if (!attempts.again(failure)) return fail(attempts.give_up(std::move(failure)));
  }
  const FileStatus there = WEIR_TRY(status(path));
  if (there.length == replay.taken()) return {};
  return fail(Code::kCorrupt, url(path) + " has " + std::to_string(there.length) + " bytes after " +
                                  std::to_string(replay.taken()) + " were written");
}

Status WebHdfsFileStore::create_all(std::span<const NewFile> files) {
  const std::size_t lanes = std::min(files.size(), kFilesAtOnceMax);
  std::vector<Status> ended(lanes);
  const auto write_lane = [&](std::size_t lane) {
    for (std::size_t i = lane; i < files.size() && ended[lane]; i += lanes) {
      ended[lane] = create_from(*this, files[i].path, files[i].bytes);
    }
  };
  {
    std::vector<std::jthread> others;
    std::size_t started = 1;
    try {
      for (; started < lanes; ++started) others.emplace_back(write_lane, started);
    } catch (const std::system_error&) {
      // No more threads are to be had: the calling one writes what they would have.
    }
    // Here too, so that who watches the calling thread sees it come round.
    if (lanes > 0) write_lane(0);
    for (std::size_t lane = started; lane < lanes; ++lane) write_lane(lane);
  }
  for (Status& lane : ended) WEIR_TRY(std::move(lane));
  return {};
}

Status WebHdfsFileStore::make_directories(const std::string& path) {
  WEIR_TRY(check_hdfs_path(path));
  const Answer answer = WEIR_TRY(client_->ask(call("PUT", path, {{"op", "MKDIRS"}})));
  if (parse_boolean(answer.response.body) == true) return {};
  return fail(Code::kIo, url(path) + ": HDFS did not make the folder");
}

// Looks where the file is after a rename that failed, or may have. `error` is what is returned
// where nothing happened.
Status WebHdfsFileStore::find_out_rename(const std::string& to, const FileStatus& moved,
                                         Error error) {
  const auto unknown = [&](const Error& look) {
    return fail(Code::kUnknownOutcome,
                error.reason() + "; whether it was done cannot be seen: " + look.reason());
  };
  const auto there = status(to);
  if (there && is_renamed(moved, *there)) return {};
  if (there) return fail(Code::kAlreadyExists, url(to) + " is already there");
  if (there.error().code() != Code::kNotFound) return unknown(there.error());
  const auto still = status(moved.path);
  if (still) return fail(std::move(error));
  if (still.error().code() != Code::kNotFound) return unknown(still.error());
  return fail(Code::kNotFound, url(moved.path) + " has gone elsewhere");
}

Status WebHdfsFileStore::rename(const std::string& from, const std::string& to) {
  WEIR_TRY(check_rename(from, to));
  WEIR_TRY(check_hdfs_name(to));
  const FileStatus moved = WEIR_TRY(status(from));
  // A server that does not know renameoptions moves a file *into* a folder that has the new name.
  if (WEIR_TRY(exists(to))) return fail(Code::kAlreadyExists, url(to) + " is already there");
  const std::string what = "renaming " + url(from) + " to " + url(to);
  const auto answer = client_->ask(call(
      "PUT", from, {{"op", "RENAME"}, {"destination", in_hdfs(to)}, {"renameoptions", "NONE"}}));
  if (!answer) {
    const Error& error = answer.error();
    if (error.code() == Code::kPermissionDenied || error.code() == Code::kInvalidArgument ||
        error.code() == Code::kExhausted) {
      return fail(error);
    }
    return during(find_out_rename(to, moved, error), what);
  }
  // With renameoptions nothing is said of a rename that went well; without, a boolean that may be
  // false. Of that, and of anything else, only a look tells what happened.
  if (answer->response.body.empty()) return {};
  Error refused(Code::kNotFound, "HDFS refused; is the folder " + url(parent_path(to)) + " there?");
  return during(find_out_rename(to, moved, std::move(refused)), what);
}

Status WebHdfsFileStore::remove(const std::string& path) {
  WEIR_TRY(check_path_below_root(path));
  WEIR_TRY(check_hdfs_name(path));
  auto answer =
      reading(client_->ask(call("DELETE", path, {{"op", "DELETE"}, {"recursive", "true"}})));
  if (!answer && answer.error().code() == Code::kNotFound) return {};
  if (!answer) return fail(std::move(answer.error()));
  if (parse_boolean(answer->response.body)) return {};
  return fail(Code::kIo, url(path) +
                             ": the answer to DELETE is not what WebHDFS says; is that the "
                             "web address of a NameNode?");
}

}  // namespace weir::store
