// Where a page of a list ended: the order of lists, as text and back.
//
// Threads: pure functions. Errors: kInvalidArgument for what is no cursor.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/error.h"
#include "predictions/prediction_store.h"

namespace weir::predictions {

// Lists go down this order, which no two records share and which stays for a record once it is
// applied.
struct ListPoint {
  std::int64_t arrived_ms = 0;
  Place place;
  auto operator<=>(const ListPoint&) const = default;
};

std::string cursor_after(const ListPoint& last);
Result<ListPoint> parse_cursor(std::string_view cursor);

// The limits of a query that any store holds it to.
Status check(const ListQuery& query);

// The least byte string above all that begin with `prefix`; empty where there is none.
std::string after_prefix(std::string_view prefix);

}  // namespace weir::predictions
