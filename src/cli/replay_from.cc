#include "cli/replay_from.h"

#include <algorithm>

#include "base/moment.h"
#include "base/text.h"

namespace weir::cli {
namespace {

Error illegal(std::string_view text, const std::string& why) {
  return Error(Code::kInvalidArgument,
               "--from " + one_line(text.substr(0, 80)) + ": " + why +
                   "; legal are earliest, partition:offset as in 0:100,1:250, a time as in "
                   "2026-11-25T10:00:00Z, and a duration back as in 2h");
}

Result<stream::HistoryStart> parse_offsets(std::string_view text) {
  stream::HistoryStart start;
  std::string_view rest = text;
  for (;;) {
    const std::string_view entry = rest.substr(0, std::min(rest.find(','), rest.size()));
    const std::size_t colon = std::min(entry.find(':'), entry.size());
    const auto partition = parse_int64(entry.substr(0, colon));
    const auto offset =
        colon < entry.size() ? parse_int64(entry.substr(colon + 1)) : std::optional<std::int64_t>();
    if (!partition || !offset || *partition < 0 || *partition > INT32_MAX || *offset < 0) {
      return fail(illegal(text, "'" + one_line(entry) + "' is not a partition:offset"));
    }
    if (!start.offsets.emplace(static_cast<std::int32_t>(*partition), *offset).second) {
      return fail(illegal(text, "partition " + std::to_string(*partition) + " is given twice"));
    }
    if (entry.size() == rest.size()) return start;
    rest.remove_prefix(entry.size() + 1);
  }
}

}  // namespace

Result<stream::HistoryStart> parse_replay_from(std::string_view text, WallTime now) {
  if (text == "earliest") return stream::HistoryStart{};
  if (const auto time = text == "0" ? std::nullopt : parse_moment(text, now)) {
    if (time->time_since_epoch() < Millis{0}) return fail(illegal(text, "a time before 1970"));
    return stream::HistoryStart{time->time_since_epoch().count(), {}};
  }
  if (text.find(':') != std::string_view::npos && text.find_first_of("-Tt") == text.npos) {
    return parse_offsets(text);
  }
  return fail(illegal(text, "is none of what it may be"));
}

}  // namespace weir::cli
