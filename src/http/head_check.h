// What a request's head must hold to before anything looks into it: the ways in which two servers
// may understand the same bytes differently are refused (RFC 9112, 2.2, 3.2, 5.1, 5.2, 6.3).
//
// Threads: a pure function. Errors: the status to answer with, and why; the connection must then be
// closed, as nobody knows where the next request begins.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::http {

inline constexpr std::size_t kHeadBytesMax = 16 * 1024;
inline constexpr std::size_t kHeadFieldsMax = 100;

struct HeadFault {
  unsigned status = 400;
  std::string reason;
};

// `head`: from the first byte of the request line to the empty line, both CRLFs included.
std::optional<HeadFault> check_head(std::string_view head);

// The length of the head at the beginning of `bytes`, 0 where its end has not come. A line that
// ends in a bare LF counts as an end, for check_head to refuse: else a client that sends nothing
// else would be waited for.
std::size_t head_length(std::string_view bytes, std::size_t searched_before);

}  // namespace weir::http
