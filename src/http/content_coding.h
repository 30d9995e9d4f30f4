// Bodies that come or go compressed: gzip (RFC 1952), by zlib.
//
// Threads: pure functions. Errors: kBadData for what is no whole gzip, kExhausted where it would
// become larger than allowed: a few bytes can stand for gigabytes.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::http {

Result<std::string> gunzip(std::string_view bytes, std::size_t bytes_max);
std::string gzip(std::string_view bytes);

}  // namespace weir::http
