#include "http/head_check.h"

#include <algorithm>

namespace weir::http {
namespace {

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool equal_ignoring_case(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(), [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y;
  });
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<HeadFault> check_request_line(std::string_view line, bool& version_1_0) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == line.npos || first == last) {
    return HeadFault{400, "the request line is not METHOD TARGET HTTP/1.1"};
  }
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(line.substr(0, first))) return HeadFault{400, "the method is no token"};
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return HeadFault{505, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
  }
  version_1_0 = version == "HTTP/1.0";
  if (target.empty() || target.front() != '/') {
    return HeadFault{400, "the target does not begin with /"};
  }
  for (const char c : target) {
    if (c <= 0x20 || c >= 0x7f) return HeadFault{400, "the target holds a byte that it may not"};
  }
  return std::nullopt;
}

// What the fields say about the length of the body, and for whom the request is.
struct Framing {
  std::size_t lengths = 0;
  std::size_t encodings = 0;
  std::size_t hosts = 0;
};

std::optional<HeadFault> check_field(std::string_view line, Framing& framing) {
  if (line.front() == ' ' || line.front() == '\t') {
    return HeadFault{400, "a header field is folded over two lines"};
  }
  const std::size_t colon = line.find(':');
  if (colon == line.npos || !is_token(line.substr(0, colon))) {
    return HeadFault{400, "a header field is not NAME: VALUE"};
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = without_blanks(line.substr(colon + 1));
  for (const char c : value) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) {
      return HeadFault{400, "a header field holds a control character"};
    }
  }
  if (equal_ignoring_case(name, "content-length")) {
    ++framing.lengths;
    const bool digits =
        !value.empty() && value.size() <= 18 && value.find_first_not_of("0123456789") == value.npos;
    if (!digits) return HeadFault{400, "Content-Length is no number"};
  } else if (equal_ignoring_case(name, "transfer-encoding")) {
    ++framing.encodings;
    if (!equal_ignoring_case(value, "chunked")) {
      return HeadFault{501, "Transfer-Encoding: only chunked is understood"};
    }
  } else if (equal_ignoring_case(name, "host")) {
    ++framing.hosts;
    if (value.empty()) return HeadFault{400, "Host is empty"};
  }
  return std::nullopt;
}

}  // namespace

std::size_t head_length(std::string_view bytes, std::size_t searched_before) {
  std::size_t at = searched_before;
  for (;;) {
    at = bytes.find('\n', at);
    if (at == bytes.npos) return 0;
    const bool bare = at == 0 || bytes[at - 1] != '\r';
    const bool empty_line = at >= 3 && bytes.substr(at - 3, 3) == "\r\n\r";
    if (bare || empty_line || at == 1) return at + 1;
    ++at;
  }
}

std::optional<HeadFault> check_head(std::string_view head) {
  bool first = true;
  bool version_1_0 = false;
  std::size_t fields = 0;
  Framing framing;
  while (!head.empty()) {
    const std::size_t end = head.find('\n');
    if (end == head.npos || end == 0 || head[end - 1] != '\r') {
      return HeadFault{400, "a line does not end in CR LF"};
    }
    const std::string_view line = head.substr(0, end - 1);
    head.remove_prefix(end + 1);
    if (line.find('\r') != line.npos) return HeadFault{400, "a CR stands in the middle of a line"};
    if (line.empty()) {
      if (first) return HeadFault{400, "the request begins with an empty line"};
      break;
    }
    auto fault = first ? check_request_line(line, version_1_0) : check_field(line, framing);
    if (fault) return fault;
    if (!first && ++fields > kHeadFieldsMax) return HeadFault{431, "too many header fields"};
    first = false;
  }
  if (framing.lengths + framing.encodings > 1) {
    return HeadFault{400, "the length of the body is told more than once"};
  }
  if (framing.encodings > 0 && version_1_0) {
    return HeadFault{400, "HTTP/1.0 has no Transfer-Encoding"};
  }
  if (framing.hosts > 1 || (framing.hosts == 0 && !version_1_0)) {
    return HeadFault{400, "a request names exactly one Host"};
  }
  return std::nullopt;
}

}  // namespace weir::http
