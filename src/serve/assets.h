// The gateway's own documents, as bytes of the program: it needs no file beside it.
//
// Threads: any; the bytes are there for as long as the program. Errors: none.
#pragma once

#include <span>
#include <string_view>

namespace weir::serve {

std::string_view openapi_document();  // openapi.json
std::string_view docs_page();         // docs.html

// What the page at / is made of: the files of page/, index.html among them.
struct PageFile {
  std::string_view name;
  std::string_view bytes;
};
std::span<const PageFile> page_files();

}  // namespace weir::serve
