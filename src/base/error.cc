#include "base/error.h"

#include "base/text.h"

namespace weir {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::kInvalidArgument: return "invalid_argument";
    case Code::kBadConfig: return "bad_config";
    case Code::kBadData: return "bad_data";
    case Code::kNotFound: return "not_found";
    case Code::kAlreadyExists: return "already_exists";
    case Code::kPermissionDenied: return "permission_denied";
    case Code::kUnavailable: return "unavailable";
    case Code::kTimeout: return "timeout";
    case Code::kUnknownOutcome: return "unknown_outcome";
    case Code::kFenced: return "fenced";
    case Code::kExhausted: return "exhausted";
    case Code::kCorrupt: return "corrupt";
    case Code::kUnsupported: return "unsupported";
    case Code::kCancelled: return "cancelled";
    case Code::kIo: return "io";
    case Code::kInternal: return "internal";
  }
  return "internal";
}

std::string Error::message() const { return one_line(context_ + reason_); }

Error Error::while_doing(std::string_view what) && {
  context_ = "while " + std::string(what) + ": " + context_;
  return std::move(*this);
}

int Error::exit_code() const {
  switch (code_) {
    case Code::kBadConfig: return 78;
    case Code::kBadData:
    case Code::kCorrupt:
    case Code::kUnsupported: return 65;
    case Code::kUnavailable:
    case Code::kTimeout: return 69;
    case Code::kIo:
    case Code::kNotFound:
    case Code::kPermissionDenied:
    case Code::kExhausted: return 74;
    case Code::kInvalidArgument: return 2;
    default: return 1;
  }
}

}  // namespace weir
