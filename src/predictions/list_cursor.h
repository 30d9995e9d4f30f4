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

// Fills a page up to its limits.
class PageBuilder {
 public:
  explicit PageBuilder(std::size_t limit) : limit_(limit) {}
  // False where the page is full and the list goes on with this one.
  bool add(const ListPoint& point, Kept kept);
  Page take() { return std::move(page_); }

 private:
  const std::size_t limit_;
  std::size_t bytes_ = 0;
  ListPoint last_;
  Page page_;
};

// The least byte string above all that begin with `prefix`; empty where there is none.
std::string after_prefix(std::string_view prefix);

}  // namespace weir::predictions
