#include "store/fake_webhdfs_server_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/text.h"

namespace weir::store {
namespace {

using Json = nlohmann::json;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

void parse_target(std::string_view target, RecordedRequest& request) {
  constexpr std::string_view kPrefix = "/webhdfs/v1";
  const std::size_t question = std::min(target.find('?'), target.size());
  request.path = decode(target.substr(0, question), false);
  if (request.path.starts_with(kPrefix)) request.path.erase(0, kPrefix.size());
  if (request.path.empty()) request.path = "/";
  std::string_view query = target.substr(std::min(question + 1, target.size()));
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    request.query[decode(pair.substr(0, equals), true)] =
        decode(pair.substr(std::min(equals + 1, pair.size())), true);
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
  }
  request.operation = request.query["op"] + (request.query.contains("data") ? " data" : "");
}

RecordedRequest parse_head(std::string_view head) {
  RecordedRequest request;
  std::size_t line_end = head.find("\r\n");
  const std::string_view first = head.substr(0, line_end);
  const std::size_t method_end = first.find(' ');
  request.method = std::string(first.substr(0, method_end));
  parse_target(first.substr(method_end + 1, first.rfind(' ') - method_end - 1), request);
  while (line_end != std::string_view::npos && line_end + 2 < head.size()) {
    head.remove_prefix(line_end + 2);
    line_end = head.find("\r\n");
    const std::string_view line = head.substr(0, line_end);
    const std::size_t colon = std::min(line.find(':'), line.size());
    std::string_view value = line.substr(std::min(colon + 1, line.size()));
    while (value.starts_with(' ')) value.remove_prefix(1);
    request.headers[lower(std::string(line.substr(0, colon)))] = std::string(value);
  }
  return request;
}

// More of the stream into the buffer; false at its end.
bool receive(int socket, std::string& buffered) {
  char bytes[64 * 1024];
  const ssize_t count = ::recv(socket, bytes, sizeof bytes, 0);
  if (count <= 0) return false;
  buffered.append(bytes, static_cast<std::size_t>(count));
  return true;
}

void send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

Misbehaviour exception_of(const Error& error) {
  switch (error.code()) {
    case Code::kNotFound:
      return Misbehaviour::exception(404, "FileNotFoundException", error.reason());
    case Code::kAlreadyExists:
      return Misbehaviour::exception(403, "FileAlreadyExistsException", error.reason());
    case Code::kInvalidArgument:
      return Misbehaviour::exception(403, "ParentNotDirectoryException",
                                     error.reason() + " (is not a directory)");
    case Code::kPermissionDenied:
      return Misbehaviour::exception(403, "AccessControlException", error.reason());
    default: return Misbehaviour::exception(403, "IOException", error.reason());
  }
}

Json json_of(const FileStatus& status, const std::string& suffix) {
  return {{"pathSuffix", suffix},
          {"type", status.is_directory ? "DIRECTORY" : "FILE"},
          {"length", status.length},
          {"modificationTime", status.modified_ms},
          {"fileId", std::stoull(status.file_id)}};
}

// As Java compares bytes, and so HDFS lists them.
bool signed_less(const FileStatus& a, const FileStatus& b) {
  return std::lexicographical_compare(
      a.name.begin(), a.name.end(), b.name.begin(), b.name.end(),
      [](char x, char y) { return static_cast<signed char>(x) < static_cast<signed char>(y); });
}

}  // namespace

Misbehaviour Misbehaviour::exception(int status, const std::string& name,
                                     const std::string& message) {
  Misbehaviour made;
  made.status = status;
  made.body = Json{{"RemoteException",
                    {{"exception", name}, {"javaClassName", "x." + name}, {"message", message}}}}
                  .dump(-1, ' ', false, Json::error_handler_t::replace);
  return made;
}

FakeWebHdfsServer::FakeWebHdfsServer(std::shared_ptr<MemoryFileStore> files)
    : files_(std::move(files)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<::sockaddr*>(&address);
  WEIR_CHECK(listener_ >= 0 && ::bind(listener_, generic, size) == 0);
  WEIR_CHECK(::listen(listener_, 64) == 0 && ::getsockname(listener_, generic, &size) == 0);
  port_ = ntohs(address.sin_port);
  redirect_origin_ = url();
  acceptor_ = std::jthread([this] { accept_all(); });
}

FakeWebHdfsServer::~FakeWebHdfsServer() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  std::list<Connection> connections;
  {
    const std::lock_guard lock(mutex_);
    connections = std::move(connections_);
  }
  for (Connection& connection : connections) ::shutdown(connection.socket, SHUT_RDWR);
  for (Connection& connection : connections) {
    connection.thread.join();
    ::close(connection.socket);
  }
}

std::string FakeWebHdfsServer::address() const { return "127.0.0.1:" + std::to_string(port_); }

void FakeWebHdfsServer::misbehave(const std::string& operation, Misbehaviour misbehaviour,
                                  int times) {
  const std::lock_guard lock(mutex_);
  for (int i = 0; i < times; ++i) misbehaviours_.emplace_back(operation, misbehaviour);
}

void FakeWebHdfsServer::redirect_to(const std::string& origin) {
  const std::lock_guard lock(mutex_);
  redirect_origin_ = origin;
}

void FakeWebHdfsServer::set_page_entries(std::size_t entries) {
  const std::lock_guard lock(mutex_);
  page_entries_ = entries;
}

void FakeWebHdfsServer::set_only_data_node(bool only) {
  const std::lock_guard lock(mutex_);
  only_data_node_ = only;
}

void FakeWebHdfsServer::set_old_rename(bool old) {
  const std::lock_guard lock(mutex_);
  old_rename_ = old;
}

std::vector<RecordedRequest> FakeWebHdfsServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t FakeWebHdfsServer::count(const std::string& operation) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(requests_.begin(), requests_.end(),
                    [&](const RecordedRequest& r) { return r.operation == operation; }));
}

void FakeWebHdfsServer::accept_all() {
  while (!stopping_) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    ++accepted_;
    const std::lock_guard lock(mutex_);
    connections_.push_back({socket, std::jthread([this, socket] { serve(socket); })});
  }
}

void FakeWebHdfsServer::serve(int socket) {
  std::string buffered;
  while (!stopping_ && serve_one(socket, buffered)) {
  }
  ::shutdown(socket, SHUT_RDWR);
}

std::optional<Misbehaviour> FakeWebHdfsServer::take_misbehaviour(const std::string& operation) {
  const std::lock_guard lock(mutex_);
  const auto due =
      std::find_if(misbehaviours_.begin(), misbehaviours_.end(), [&](const auto& candidate) {
        return candidate.first == "*" || candidate.first == operation;
      });
  if (due == misbehaviours_.end()) return std::nullopt;
  Misbehaviour taken = std::move(due->second);
  misbehaviours_.erase(due);
  return taken;
}

// Takes the body off the stream, up to bytes_max of it; false where the client went away.
bool FakeWebHdfsServer::read_body(int socket, std::string& buffered, RecordedRequest& request,
                                  std::uint64_t bytes_max) {
  const auto expect = request.headers.find("expect");
  if (expect != request.headers.end()) send_all(socket, "HTTP/1.1 100 Continue\r\n\r\n");
  const bool is_chunked = lower(request.headers["transfer-encoding"]) == "chunked";
  while (request.body.size() < bytes_max) {
    std::size_t wanted = 0;
    if (is_chunked) {
      std::size_t line_end;
      while ((line_end = buffered.find("\r\n")) == std::string::npos) {
        if (!receive(socket, buffered)) return false;
      }
      wanted = std::stoul(buffered.substr(0, line_end), nullptr, 16);
      buffered.erase(0, line_end + 2);
    } else {
      wanted = std::stoul("0" + request.headers["content-length"]);
    }
    const std::size_t framing = is_chunked ? 2 : 0;
    while (buffered.size() < wanted + framing) {
      if (!receive(socket, buffered)) return false;
    }
    request.body.append(buffered, 0, wanted);
    buffered.erase(0, wanted + framing);
    if (!is_chunked || wanted == 0) return true;
  }
  request.body.resize(bytes_max);
  return true;
}

bool FakeWebHdfsServer::serve_one(int socket, std::string& buffered) {
  std::size_t head_end;
  while ((head_end = buffered.find("\r\n\r\n")) == std::string::npos) {
    if (!receive(socket, buffered)) return false;
  }
  RecordedRequest request = parse_head(std::string_view(buffered).substr(0, head_end + 2));
  buffered.erase(0, head_end + 4);
  const auto trouble = take_misbehaviour(request.operation);
  const auto is = [&](Misbehaviour::Kind kind) { return trouble && trouble->kind == kind; };
  bool whole = true;
  if (!is(Misbehaviour::kAnswer) && !is(Misbehaviour::kStall)) {
    const std::uint64_t most = is(Misbehaviour::kCutBody) ? trouble->bytes : kToEnd;
    whole = read_body(socket, buffered, request, most);
  }
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  another_request_.notify_all();
  if (is(Misbehaviour::kMeet)) {
    while (count(request.operation) < trouble->bytes && !stopping_) {
      std::unique_lock lock(mutex_);
      another_request_.wait_for(lock, std::chrono::milliseconds(20));
    }
  }
  if (is(Misbehaviour::kCutBefore)) return false;
  if (is(Misbehaviour::kStall)) {
    while (receive(socket, buffered)) {
    }
    return false;
  }
  if (is(Misbehaviour::kAnswer)) {
    send_reply(socket,
               {trouble->status, trouble->body, trouble->content_type, trouble->location, 0, true});
    return false;
  }
  Reply reply = work(request);
  if (!whole || is(Misbehaviour::kCutAfter)) return false;
  if (is(Misbehaviour::kCutBody)) {
    if (request.method == "PUT") return false;
    reply.promised = reply.body.size();
    reply.body.resize(std::min<std::size_t>(trouble->bytes, reply.body.size()));
    reply.close = true;
  }
  if (is(Misbehaviour::kShortBody)) reply.body.resize(trouble->bytes);
  if (is(Misbehaviour::kLongBody)) reply.body.append(trouble->bytes, 'x');
  send_reply(socket, reply);
  return !reply.close;
}

void FakeWebHdfsServer::send_reply(int socket, const Reply& reply) {
  std::string head = "HTTP/1.1 ";
  head += std::to_string(reply.status);
  head += " X\r\nContent-Type: " + reply.content_type;
  if (!reply.location.empty()) head += "\r\nLocation: " + reply.location;
  if (reply.close) head += "\r\nConnection: close";
  const std::uint64_t promised = std::max<std::uint64_t>(reply.promised, reply.body.size());
  head += "\r\nContent-Length: " + std::to_string(promised) + "\r\n\r\n";
  send_all(socket, head + reply.body);
}

FakeWebHdfsServer::Reply FakeWebHdfsServer::json(std::string body) {
  Reply reply;
  reply.body = std::move(body);
  return reply;
}

FakeWebHdfsServer::Reply FakeWebHdfsServer::exception(const Misbehaviour& answer) {
  Reply reply = json(answer.body);
  reply.status = answer.status;
  return reply;
}

FakeWebHdfsServer::Reply FakeWebHdfsServer::redirect(const RecordedRequest& request) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string target;
  for (const char c : request.path) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/') {
      target += c;
    } else {
      target += '%';
      target += kDigits[static_cast<unsigned char>(c) >> 4];
      target += kDigits[static_cast<unsigned char>(c) & 15];
    }
  }
  std::string query = "?data=true";
  for (const auto& [name, value] : request.query) {
    query += '&';
    query += name;
    query += '=';
    query += value;
  }
  const std::lock_guard lock(mutex_);
  if (only_data_node_ && request.query.contains("excludedatanodes")) {
    return exception(
        Misbehaviour::exception(403, "IOException", "No active nodes contain this block"));
  }
  Reply reply{307, "", "application/octet-stream", redirect_origin_, 0, false};
  reply.location += "/webhdfs/v1" + target + query;
  return reply;
}

FakeWebHdfsServer::Reply FakeWebHdfsServer::list_page(const RecordedRequest& request) {
  std::vector<FileStatus> all;
  const bool in_pages = request.query.at("op") == "LISTSTATUS_BATCH";
  const auto status = files_->status(request.path);
  Json entries = Json::array();
  std::size_t remaining = 0;
  if (status && !status->is_directory) {
    entries.push_back(json_of(*status, ""));
  } else {
    auto listed = files_->list(request.path);
    if (!listed) {
      return exception(exception_of(listed.error()));
    }
    all = std::move(*listed);
    std::sort(all.begin(), all.end(), signed_less);
    const auto after = request.query.find("startAfter");
    FileStatus last;
    if (after != request.query.end()) last.name = after->second;
    const std::lock_guard lock(mutex_);
    for (const FileStatus& entry : all) {
      if (after != request.query.end() && !signed_less(last, entry)) continue;
      if (in_pages && entries.size() == page_entries_) {
        ++remaining;
      } else {
        entries.push_back(json_of(entry, entry.name));
      }
    }
  }
  const Json whole = {{"FileStatuses", {{"FileStatus", entries}}}};
  const Json page = {
      {"DirectoryListing", {{"partialListing", whole}, {"remainingEntries", remaining}}}};
  return json((in_pages ? page : whole).dump());
}

FakeWebHdfsServer::Reply FakeWebHdfsServer::rename(const RecordedRequest& request) {
  bool old = false;
  {
    const std::lock_guard lock(mutex_);
    old = old_rename_;
  }
  const Status done = files_->rename(request.path, request.query.at("destination"));
  if (old) return json(done ? R"({"boolean":true})" : R"({"boolean":false})");
  if (done) return json("");
  return exception(exception_of(done.error()));
}

FakeWebHdfsServer::Reply FakeWebHdfsServer::open(const RecordedRequest& request) {
  const auto status = files_->status(request.path);
  Reply reply{200, "", "application/octet-stream", "", 0, true};
  const std::uint64_t offset = std::stoull(request.query.at("offset"));
  const std::uint64_t length = std::stoull(request.query.at("length"));
  const std::uint64_t there = status ? status->length - std::min(offset, status->length) : 0;
  const ByteSink sink = [&](std::string_view bytes) -> Status {
    reply.body += bytes;
    return {};
  };
  const Status read = files_->read(request.path, offset, std::min(length, there), sink);
  if (read) return reply;
  return exception(exception_of(read.error()));
}

FakeWebHdfsServer::Reply FakeWebHdfsServer::work(const RecordedRequest& request) {
  const auto reply_of = [](const Status& status, const std::string& body) -> Reply {
    if (status) return json(body);
    return exception(exception_of(status.error()));
  };
  const std::string& operation = request.operation;
  if (operation == "GETFILESTATUS") {
    const auto status = files_->status(request.path);
    if (!status) return reply_of(fail(status.error()), "");
    return json(Json{{"FileStatus", json_of(*status, "")}}.dump());
  }
  if (operation == "GET_BLOCK_LOCATIONS") {
    const auto status = files_->status(request.path);
    return reply_of(status ? Status{} : Status(fail(status.error())),
                    R"({"LocatedBlocks":{"isUnderConstruction":false,"locatedBlocks":[]}})");
  }
  if (operation == "LISTSTATUS" || operation == "LISTSTATUS_BATCH") return list_page(request);
  if (operation == "MKDIRS") {
    return reply_of(files_->make_directories(request.path), R"({"boolean":true})");
  }
  if (operation == "RENAME") return rename(request);
  if (operation == "DELETE") {
    const bool was_there = files_->status(request.path).has_value();
    return reply_of(files_->remove(request.path),
                    was_there ? R"({"boolean":true})" : R"({"boolean":false})");
  }
  if (operation == "OPEN" || operation == "CREATE") return redirect(request);
  if (operation == "OPEN data") return open(request);
  if (operation == "CREATE data") {
    Reply reply = reply_of(create_from(*files_, request.path, request.body), "");
    if (reply.status == 200) reply.status = 201;
    reply.close = true;
    return reply;
  }
  const Misbehaviour unknown = Misbehaviour::exception(
      400, "IllegalArgumentException", "Invalid value for webhdfs parameter \"op\": " + operation);
  return exception(unknown);
}

}  // namespace weir::store
