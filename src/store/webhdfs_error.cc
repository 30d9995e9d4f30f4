#include "store/webhdfs_error.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace weir::store {
namespace {

struct RemoteException {
  std::string name;     // "StandbyException"
  std::string message;  // its first line
};

struct Meaning {
  std::string_view name;
  Code code;
  Retry retry;
};

constexpr std::array kByName = {
    Meaning{"StandbyException", Code::kUnavailable, Retry::kOther},
    Meaning{"ObserverRetryOnActiveException", Code::kUnavailable, Retry::kOther},
    Meaning{"SafeModeException", Code::kUnavailable, Retry::kOther},
    Meaning{"RetriableException", Code::kUnavailable, Retry::kOther},
    Meaning{"ConnectException", Code::kUnavailable, Retry::kOther},
    Meaning{"SocketTimeoutException", Code::kUnavailable, Retry::kOther},
    Meaning{"NoRouteToHostException", Code::kUnavailable, Retry::kOther},
    Meaning{"NotReplicatedYetException", Code::kUnavailable, Retry::kSame},
    Meaning{"BlockMissingException", Code::kUnavailable, Retry::kSame},
    Meaning{"AccessControlException", Code::kPermissionDenied, Retry::kNever},
    Meaning{"AuthorizationException", Code::kPermissionDenied, Retry::kNever},
    Meaning{"AuthenticationException", Code::kPermissionDenied, Retry::kNever},
    Meaning{"SecurityException", Code::kPermissionDenied, Retry::kNever},
    Meaning{"InvalidToken", Code::kPermissionDenied, Retry::kNever},
    Meaning{"FileNotFoundException", Code::kNotFound, Retry::kNever},
    Meaning{"FileAlreadyExistsException", Code::kAlreadyExists, Retry::kNever},
    Meaning{"AlreadyBeingCreatedException", Code::kAlreadyExists, Retry::kNever},
    Meaning{"ParentNotDirectoryException", Code::kInvalidArgument, Retry::kNever},
    Meaning{"PathIsNotDirectoryException", Code::kInvalidArgument, Retry::kNever},
    Meaning{"InvalidPathException", Code::kInvalidArgument, Retry::kNever},
    Meaning{"PathComponentTooLongException", Code::kInvalidArgument, Retry::kNever},
    Meaning{"IllegalArgumentException", Code::kInvalidArgument, Retry::kNever},
    Meaning{"UnsupportedOperationException", Code::kUnsupported, Retry::kNever},
    Meaning{"QuotaExceededException", Code::kExhausted, Retry::kNever},
    Meaning{"NSQuotaExceededException", Code::kExhausted, Retry::kNever},
    Meaning{"DSQuotaExceededException", Code::kExhausted, Retry::kNever},
    Meaning{"QuotaByStorageTypeExceededException", Code::kExhausted, Retry::kNever},
    Meaning{"MaxDirectoryItemsExceededException", Code::kExhausted, Retry::kNever},
    Meaning{"DiskOutOfSpaceException", Code::kExhausted, Retry::kNever},
};

// What HDFS wraps in an exception of another, general name, and says in the message alone.
constexpr std::array kByMessage = {
    Meaning{"(is not a directory)", Code::kInvalidArgument, Retry::kNever},
    Meaning{"StandbyException", Code::kUnavailable, Retry::kOther},
    Meaning{"is in startup mode", Code::kUnavailable, Retry::kOther},
    Meaning{"Name node is in safe mode", Code::kUnavailable, Retry::kOther},
    Meaning{"There are 0 datanode(s) running", Code::kUnavailable, Retry::kSame},
    Meaning{"No active nodes contain this block", Code::kUnavailable, Retry::kSame},
    Meaning{"Failed to find datanode", Code::kUnavailable, Retry::kSame},
    Meaning{"could only be written to 0 of the", Code::kExhausted, Retry::kNever},
    Meaning{"could only be replicated to 0 nodes", Code::kExhausted, Retry::kNever},
    Meaning{"No space left on device", Code::kExhausted, Retry::kNever},
};

std::string text_at(const nlohmann::json& object, const char* key) {
  const auto field = object.find(key);
  return field != object.end() && field->is_string() ? field->get<std::string>() : "";
}

// Nothing where the body is no JSON of that shape.
RemoteException parse_exception(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return {};
  const auto exception = json.find("RemoteException");
  if (exception == json.end() || !exception->is_object()) return {};
  std::string message = text_at(*exception, "message");
  message.resize(std::min(message.find('\n'), message.size()));  // below it stands a stack trace
  return {text_at(*exception, "exception"), std::move(message)};
}

std::string_view advice(Code code) {
  switch (code) {
    case Code::kPermissionDenied: return "; give the user access there, or act as another one";
    case Code::kExhausted: return "; free space or raise the quota";
    case Code::kUnavailable: return "; HDFS may still be starting: look at its NameNode's page";
    default: return "";
  }
}

Verdict judge_exception(const RemoteException& exception, const std::string& what) {
  Meaning meaning{"", Code::kIo, Retry::kNever};
  const auto by_message =
      std::find_if(kByMessage.begin(), kByMessage.end(), [&](const Meaning& known) {
        return exception.message.find(known.name) != std::string::npos;
      });
  const auto by_name = std::find_if(kByName.begin(), kByName.end(), [&](const Meaning& known) {
    return known.name == exception.name;
  });
  // A message may quote a path, hence anything: it counts for the general names only.
  const bool is_general = by_name == kByName.end() || by_name->code == Code::kPermissionDenied;
  if (by_name != kByName.end()) meaning = *by_name;
  if (is_general && by_message != kByMessage.end()) meaning = *by_message;
  std::string reason = what + ": " + exception.name + ": " + exception.message;
  reason += advice(meaning.code);
  return {Error(meaning.code, std::move(reason)), meaning.retry};
}

}  // namespace

Verdict judge(const HttpResponse& response, const std::string& what) {
  const RemoteException exception = parse_exception(response.body);
  if (!exception.name.empty()) return judge_exception(exception, what);
  const std::string reason = what + ": HTTP status " + std::to_string(response.status);
  switch (response.status) {
    case 401:
      return {Error(Code::kPermissionDenied,
                    reason + "; the server wants a Kerberos login: set auth to kerberos and get a "
                             "ticket with kinit"),
              Retry::kNever};
    case 403: return {Error(Code::kPermissionDenied, reason), Retry::kNever};
    case 408:
    case 429:
    case 502:
    case 503:
    case 504: return {Error(Code::kUnavailable, reason), Retry::kOther};
    default:
      return {Error(Code::kIo, reason +
                                   " without WebHDFS's JSON; is that the web address of a NameNode "
                                   "(dfs.namenode.http-address in hdfs-site.xml)?"),
              Retry::kNever};
  }
}

Verdict judge(HttpFailure failure) {
  const bool retryable = !failure.from_caller && failure.error.retryable();
  return {std::move(failure.error), retryable ? Retry::kOther : Retry::kNever};
}

Error as_absence(Error error) {
  if (error.code() != Code::kInvalidArgument) return error;
  return {Code::kNotFound, error.reason()};
}

}  // namespace weir::store
