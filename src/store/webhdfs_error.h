// What an answer of WebHDFS that is no success means, and whether to ask again.
//
// HDFS says "standby", "in safe mode", "starting up" and "permission denied" all as HTTP 403; the
// name of the JSON exception tells them apart.
//
// Threads: pure functions.
#pragma once

#include "base/error.h"
#include "store/http_client.h"

namespace weir::store {

enum class Retry {
  kNever,
  kSame,   // later, of the same NameNode
  kOther,  // of the other NameNode, where there is one, else later
};

struct Verdict {
  Error error;
  Retry retry;
};

// `what` begins the message: "OPEN http://host:9870/webhdfs/v1/a.csv".
Verdict judge(const HttpResponse& response, const std::string& what);
Verdict judge(HttpFailure failure);

// A file stands where a folder must be: to one who reads, nothing is there.
Error as_absence(Error error);

}  // namespace weir::store
