#include "serve/request_body.h"

#include "base/text.h"
#include "http/content_coding.h"
#include "serve/problem.h"

namespace weir::serve {

Result<format::BatchKind> batch_kind_of(const http::Request& request) {
  std::string_view type = request.header("content-type").value_or("application/json");
  type = type.substr(0, std::min(type.find(';'), type.size()));
  while (type.ends_with(' ')) type.remove_suffix(1);
  // The second is what curl -d says of whatever it sends.
  if (type == "application/json" || type == "application/x-www-form-urlencoded") {
    return format::BatchKind::kJson;
  }
  if (type == "application/x-ndjson" || type == "application/jsonl") {
    return format::BatchKind::kJsonLines;
  }
  if (type == "text/csv") return format::BatchKind::kCsv;
  return fail(Code::kUnsupported,
              "records come as application/json, application/x-ndjson or "
              "text/csv, not as " +
                  one_line(type.substr(0, 100)));
}

Result<std::string_view> body_of(const http::Request& request, std::uint64_t bytes_max,
                                 std::string& unpacked) {
  const auto coding = request.header("content-encoding");
  if (!coding || *coding == "identity") return std::string_view(request.body);
  if (*coding != "gzip") {
    return fail(Code::kUnsupported, "Content-Encoding: only gzip is understood");
  }
  unpacked = WEIR_TRY(during(http::gunzip(request.body, bytes_max), "unpacking the body"));
  return std::string_view(unpacked);
}

http::Response body_problem(const Error& error) {
  if (error.code() == Code::kUnsupported) return problem(415, error.message());
  if (error.code() == Code::kExhausted) return problem(413, error.message());
  return problem_of(error);
}

}  // namespace weir::serve
