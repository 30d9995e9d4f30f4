// The body of a request that brings records: which shape it has, and what it is unpacked.
//
// Threads: pure functions. Errors: kUnsupported for a type or coding that is not understood,
// kBadData for what is no gzip, kExhausted over the limit; body_problem() gives these their status.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "format/message_batch.h"
#include "http/message.h"

namespace weir::serve {

Result<format::BatchKind> batch_kind_of(const http::Request& request);
// What is returned stands in the request, or in `unpacked`.
Result<std::string_view> body_of(const http::Request& request, std::uint64_t bytes_max,
                                 std::string& unpacked);
http::Response body_problem(const Error& error);

}  // namespace weir::serve
