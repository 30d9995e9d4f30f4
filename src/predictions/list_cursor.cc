#include "predictions/list_cursor.h"

#include <algorithm>

#include "base/text.h"

namespace weir::predictions {
namespace {

constexpr std::size_t kCursorBytesMax = 64;
constexpr std::size_t kPrefixBytesMax = 1'000;

}  // namespace

std::string cursor_after(const ListPoint& last) {
  return std::to_string(last.arrived_ms) + "." + std::to_string(last.place.partition) + "." +
         std::to_string(last.place.offset);
}

Result<ListPoint> parse_cursor(std::string_view cursor) {
  const auto refused = [&] {
    return fail(Code::kInvalidArgument,
                "'" + one_line(cursor.substr(0, kCursorBytesMax)) +
                    "' is no cursor; give one back as it came with the page before");
  };
  const std::size_t first = cursor.find('.');
  const std::size_t second = first == cursor.npos ? first : cursor.find('.', first + 1);
  if (cursor.size() > kCursorBytesMax || second == cursor.npos) return refused();
  const auto arrived = parse_int64(cursor.substr(0, first));
  const auto partition = parse_int64(cursor.substr(first + 1, second - first - 1));
  const auto offset = parse_int64(cursor.substr(second + 1));
  if (!arrived || !partition || !offset || *partition < 0 || *partition > INT32_MAX) {
    return refused();
  }
  const ListPoint point{*arrived, {static_cast<std::int32_t>(*partition), *offset}};
  // No other spelling of the same: a cursor is not to be made by hand.
  if (cursor_after(point) != cursor) return refused();
  return point;
}

Status check(const ListQuery& query) {
  if (query.limit < 1 || query.limit > kListLimitMax) {
    return fail(Code::kInvalidArgument, "a page of " + std::to_string(query.limit) +
                                            " cannot be; 1 to " + std::to_string(kListLimitMax));
  }
  if (query.id_prefix && query.id_prefix->size() > kPrefixBytesMax) {
    return fail(Code::kInvalidArgument, "the beginning of an id is of " +
                                            std::to_string(kPrefixBytesMax) + " bytes at most");
  }
  if (!query.cursor.empty()) WEIR_TRY(parse_cursor(query.cursor));
  return {};
}

bool PageBuilder::add(const ListPoint& point, Kept kept) {
  if (page_.items.size() == limit_ || bytes_ >= kPageBytesMax) {
    page_.next = cursor_after(last_);
    return false;
  }
  bytes_ += kept.features ? kept.features->size() : 0;
  last_ = point;
  page_.items.push_back(std::move(kept));
  return true;
}

std::string after_prefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

}  // namespace weir::predictions
