// A request as a handler sees it, and the answer that it gives.
//
// Threads: plain values. Errors: none; what is broken never becomes a Request.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/body_stream.h"
#include "http/memory_budget.h"

namespace weir::http {

using Fields = std::vector<std::pair<std::string, std::string>>;

// The value of the first field of this name, in any case of its letters.
std::optional<std::string_view> find_field(const Fields& fields, std::string_view name);

// In the place of all fields of this name.
void set_field(Fields& fields, std::string_view name, std::string value);

struct Request {
  std::string method;                 // "GET"
  std::string target;                 // as it came: "/v1/models/3?full=1"
  std::vector<std::string> segments;  // of the path, percent-decoded: {"v1", "models", "3"}
  Fields query;                       // percent-decoded, '+' is a space; in order
  Fields headers;
  std::string peer;         // "127.0.0.1:50312"
  std::string client_name;  // the common name of a verified client certificate, else empty
  bool secure = false;      // came over TLS
  std::string body;         // whole, where the plan was to gather it
  std::shared_ptr<BodyStream> stream;          // where the plan was to stream it
  std::shared_ptr<MemoryBudget::Share> share;  // what the body counts for, while it is kept

  std::optional<std::string_view> header(std::string_view name) const {
    return find_field(headers, name);
  }
  std::optional<std::string_view> parameter(std::string_view name) const;
};

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  Fields headers;
  std::string body;
  bool close = false;  // end the connection after it
  // It tells of something that was done: it goes out however many large answers are under way.
  bool must_go = false;
};

std::string_view status_text(unsigned status);

}  // namespace weir::http
