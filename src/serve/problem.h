// What the gateway answers where it cannot do as asked: application/problem+json (RFC 9457), with
// the reason, and what to do, in words.
//
//   {"title":"Unprocessable Content","status":422,"detail":"record 3: …","code":"bad_data"}
//
// Threads: pure functions. Errors: none.
#pragma once

#include <string>

#include "base/error.h"
#include "http/message.h"

namespace weir::serve {

http::Response problem(unsigned status, const std::string& detail);
// With the status that stands for the error's code; a Retry-After where trying again may help.
http::Response problem_of(const Error& error);
unsigned status_of(Code code);

// A body of JSON with status 200, or another one.
http::Response json_response(std::string body, unsigned status = 200);

inline constexpr int kRetryAfterSeconds = 2;

}  // namespace weir::serve
