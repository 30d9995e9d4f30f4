// libFuzzer: whatever the bytes, the quick CSV readers agree with the plain one, and the cuts do
// not depend on how the bytes were fed.

#include <cstdio>
#include <cstdlib>

#include "format/csv_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const weir::format::CsvChunkerOptions options{.chunk_bytes = std::size_t{data[0]} * 4 + 1,
                                                .record_bytes_max = std::size_t{data[1]} * 8 + 1};
  const std::string_view text(reinterpret_cast<const char*>(data) + 3, size - 3);
  const std::string differs =
      weir::format::oracle::compare_with_oracle(text, options, std::size_t{data[2]} + 1);
  if (!differs.empty()) {
    std::fprintf(stderr, "differs: %s\n", differs.c_str());
    std::abort();
  }
  return 0;
}
