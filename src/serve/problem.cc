#include "serve/problem.h"

#include <nlohmann/json.hpp>

namespace weir::serve {
namespace {

using Json = nlohmann::ordered_json;

http::Response make(unsigned status, const std::string& detail, std::string_view code) {
  Json body = {{"title", http::status_text(status)}, {"status", status}, {"detail", detail}};
  if (!code.empty()) body["code"] = code;
  http::Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (status == 503 || status == 429) {
    response.headers.emplace_back("Retry-After", std::to_string(kRetryAfterSeconds));
  }
  return response;
}

}  // namespace

http::Response problem(unsigned status, const std::string& detail) {
  return make(status, detail, "");
}

http::Response problem_of(const Error& error) {
  return make(status_of(error.code()), error.message(), code_name(error.code()));
}

unsigned status_of(Code code) {
  switch (code) {
    case Code::kInvalidArgument: return 400;
    case Code::kBadData: return 422;
    case Code::kNotFound: return 404;
    case Code::kAlreadyExists: return 409;
    case Code::kPermissionDenied: return 502;  // it is the gateway that a server has refused
    case Code::kUnavailable:
    case Code::kTimeout:
    case Code::kUnknownOutcome:
    case Code::kFenced:
    case Code::kCancelled: return 503;
    case Code::kExhausted: return 507;
    case Code::kBadConfig:
    case Code::kCorrupt:
    case Code::kUnsupported:
    case Code::kIo:
    case Code::kInternal: return 500;
  }
  return 500;
}

http::Response json_response(std::string body, unsigned status) {
  http::Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

}  // namespace weir::serve
