// A small WebHDFS server inside the test process: NameNode and DataNode behind one port of
// 127.0.0.1, on top of a MemoryFileStore, that misbehaves on command.
//
// Several servers over one MemoryFileStore are the two NameNodes of a cluster.
//
// Owner: the test. Threads: its own for each connection; its functions from any thread.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "store/memory_file_store.h"

namespace weir::store {

struct Misbehaviour {
  enum Kind {
    kAnswer,     // this status, content type and body, instead of doing anything
    kCutBefore,  // closes the connection instead of doing anything
    kCutAfter,   // does it, and closes the connection without a reply
    kCutBody,    // OPEN data: sends `bytes` of what it promised; CREATE data: takes so many, and
                 // keeps them as a finished file, as a real DataNode does
    kShortBody,  // OPEN data: promises and sends `bytes` only
    kLongBody,   // OPEN data: promises and sends so many `bytes` too many
    kStall,      // says nothing until the client goes away
    kMeet,       // says nothing until so many requests (`bytes`) of the operation have come
  };
  Kind kind = kAnswer;
  std::uint64_t bytes = 0;
  int status = 500;
  std::string body;
  std::string content_type = "application/json";
  std::string location;

  // The JSON in which HDFS tells of a Java exception.
  static Misbehaviour exception(int status, const std::string& name, const std::string& message);
};

struct RecordedRequest {
  std::string method;
  std::string path;  // decoded, without /webhdfs/v1
  std::map<std::string, std::string> query;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string operation;  // "OPEN", or "OPEN data" for what a redirect led to
};

class FakeWebHdfsServer {
 public:
  explicit FakeWebHdfsServer(std::shared_ptr<MemoryFileStore> files);
  ~FakeWebHdfsServer();

  std::string address() const;  // "127.0.0.1:4711"
  std::string url() const { return "http://" + address(); }

  // The next `times` requests of this operation ("OPEN", "OPEN data"; "*" is any).
  void misbehave(const std::string& operation, Misbehaviour misbehaviour, int times = 1);
  void redirect_to(const std::string& origin);  // "http://127.0.0.1:4712"; default: itself
  void set_page_entries(std::size_t entries);   // of LISTSTATUS_BATCH; default 1000
  void set_only_data_node(bool only);           // refuses an OPEN that excludes a DataNode
  void set_old_rename(bool old);                // answers {"boolean": …}, ignores renameoptions
  std::vector<RecordedRequest> requests() const;
  std::size_t count(const std::string& operation) const;
  std::size_t connections() const { return accepted_; }

 private:
  struct Reply {
    int status = 200;
    std::string body;
    std::string content_type = "application/json";
    std::string location;
    std::uint64_t promised = 0;  // bytes, where more than are sent
    bool close = false;
  };
  struct Connection {
    int socket;
    std::jthread thread;
  };

  void accept_all();
  void serve(int socket);
  bool serve_one(int socket, std::string& buffered);
  bool read_body(int socket, std::string& buffered, RecordedRequest& request,
                 std::uint64_t bytes_max);
  std::optional<Misbehaviour> take_misbehaviour(const std::string& operation);
  static Reply json(std::string body);
  static Reply exception(const Misbehaviour& answer);
  Reply work(const RecordedRequest& request);
  Reply redirect(const RecordedRequest& request);
  Reply list_page(const RecordedRequest& request);
  Reply rename(const RecordedRequest& request);
  Reply open(const RecordedRequest& request);
  void send_reply(int socket, const Reply& reply);

  const std::shared_ptr<MemoryFileStore> files_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<std::size_t> accepted_{0};
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::condition_variable another_request_;
  std::list<Connection> connections_;  // guarded by mutex_, as all below
  std::deque<std::pair<std::string, Misbehaviour>> misbehaviours_;
  std::vector<RecordedRequest> requests_;
  std::string redirect_origin_;
  std::size_t page_entries_ = 1000;
  bool old_rename_ = false;
  bool only_data_node_ = false;
  std::jthread acceptor_;
};

}  // namespace weir::store
