// The gateway's own documents, as bytes of the program: it needs no file beside it.
//
// Threads: any; the bytes are there for as long as the program. Errors: none.
#pragma once

#include <string_view>

namespace weir::serve {

std::string_view openapi_document();  // openapi.json
std::string_view docs_page();         // docs.html

}  // namespace weir::serve
