#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace weir::detail {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "weir: bug: %s does not hold at %s:%d; please report it\n", condition, file,
               line);
  std::abort();
}

}  // namespace weir::detail
