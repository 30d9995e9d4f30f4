// The two halves of a WebHDFS call: ask a NameNode, and go where it sends us for the bytes.
//
// Of two NameNodes one is active; who answered last is asked first, and when it is on standby, in
// safe mode or away, the other one. Credentials go to NameNodes only: the address of a DataNode
// holds what it needs (the user's name or a delegation token), which is why such addresses are
// shown without their query.
//
// Owner: a WebHdfsFileStore. Threads: from any thread at once; Attempts belongs to one call.
#pragma once

#include <atomic>
#include <optional>

#include "store/http_client.h"
#include "store/retry.h"
#include "store/webhdfs_error.h"
#include "store/webhdfs_url.h"

namespace weir::store {

struct WebHdfsOptions {
  std::vector<std::string> name_nodes;  // "http://host:9870"; at least one
  std::string root = "/";               // the folder in HDFS that is the store's "/"
  std::string shown_as;                 // "hdfs://host:8020", for url(); empty: the first NameNode
  std::string user;                     // where auth is kNone (Hadoop's "simple"); may be empty
  HttpAuth auth = HttpAuth::kNone;
  bool direct_reads = true;  // where they are possible (direct_read.h)
  HttpOptions http;
  RetryPolicy retry;
  Clock* clock = &system_clock();  // of the pauses between attempts; outlives the store
};

struct NameNodeCall {
  std::string method;
  std::string path;  // in HDFS, not yet encoded
  UrlParameters parameters;
  std::uint64_t answer_bytes_max = kErrorBytesMax;
  const ByteSink* sink = nullptr;  // for a server that answers OPEN itself (HttpFS)
  bool may_redirect = false;
};

struct Answer {
  HttpResponse response;
  UrlOrigin name_node;  // who gave it
};

// Why one attempt failed.
struct AttemptFailure {
  Verdict verdict;
  std::size_t name_node = 0;  // which one was asked
  std::string data_node;      // its IP address, where it was the one that failed
};

class WebHdfsClient {
 public:
  // kInvalidArgument where an address is no http or https URL.
  static Result<std::unique_ptr<WebHdfsClient>> make(const WebHdfsOptions& options);

  // The tries of one call, over time and over the NameNodes.
  class Attempts {
   public:
    explicit Attempts(WebHdfsClient& client);
    // After a failure: waits as need be; false where it is final.
    bool again(const AttemptFailure& failure);
    bool again_at_once() { return backoff_.go_on(); }
    void reset();
    // The failure's error, with how often it was tried.
    Error give_up(AttemptFailure failure) const;

   private:
    WebHdfsClient& client_;
    Backoff backoff_;
    std::size_t in_turn_ = 1;  // how many NameNodes were asked since the last pause
  };

  // One attempt at the NameNode that is thought to be active.
  tl::expected<Answer, AttemptFailure> ask_once(const NameNodeCall& call);
  // With all attempts that the policy allows: for calls that may be repeated.
  Result<Answer> ask(const NameNodeCall& call);

  // The second half, at the DataNode that the first one's redirect names. A second redirect, or one
  // from https to http, is refused.
  struct DataCall {
    std::string method;
    std::string what;  // "OPEN"
    const ByteSource* source = nullptr;
    const ByteSink* sink = nullptr;
  };
  tl::expected<HttpResponse, AttemptFailure> follow(const Answer& redirect, const DataCall& call);

 private:
  WebHdfsClient(const WebHdfsOptions& options, std::vector<UrlOrigin> name_nodes);
  void pass_on(std::size_t from);

  const WebHdfsOptions options_;
  const std::vector<UrlOrigin> name_nodes_;
  HttpClient http_;
  std::atomic<std::size_t> active_{0};
};

}  // namespace weir::store
