// The assembler reads the files: a compiler takes seconds over some ten thousand numbers, and may
// refuse a string literal of more than 64 kB. CMakeLists.txt says that this file depends on them;
// ccache sees .incbin and lets the compiler run.
#include "serve/assets.h"

// clang-format off
// WEIR_ASSETS is the folder of these files.
#define WEIR_EMBED(begin, end, file)                       \
  __asm__(".pushsection .rodata\n"                         \
          ".global " #begin ", " #end "\n"                 \
          #begin ": .incbin \"" WEIR_ASSETS "/" file "\"\n" \
          #end ": .byte 0\n"                               \
          ".popsection\n");                                \
  extern "C" const char begin[];                           \
  extern "C" const char end[]
// clang-format on

WEIR_EMBED(weir_openapi_begin, weir_openapi_end, "openapi.json");
WEIR_EMBED(weir_docs_begin, weir_docs_end, "docs.html");

namespace weir::serve {

std::string_view openapi_document() { return {weir_openapi_begin, weir_openapi_end}; }

std::string_view docs_page() { return {weir_docs_begin, weir_docs_end}; }

}  // namespace weir::serve
