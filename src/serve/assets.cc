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
WEIR_EMBED(weir_page_index_begin, weir_page_index_end, "page/index.html");
WEIR_EMBED(weir_page_style_begin, weir_page_style_end, "page/style.css");
WEIR_EMBED(weir_page_icon_begin, weir_page_icon_end, "page/icon.svg");
WEIR_EMBED(weir_page_main_begin, weir_page_main_end, "page/main.js");
WEIR_EMBED(weir_page_server_begin, weir_page_server_end, "page/server.js");
WEIR_EMBED(weir_page_elements_begin, weir_page_elements_end, "page/elements.js");
WEIR_EMBED(weir_page_words_begin, weir_page_words_end, "page/words.js");
WEIR_EMBED(weir_page_charts_begin, weir_page_charts_end, "page/charts.js");
WEIR_EMBED(weir_page_gate_begin, weir_page_gate_end, "page/gate.js");
WEIR_EMBED(weir_page_flow_begin, weir_page_flow_end, "page/flow.js");
WEIR_EMBED(weir_page_predictions_begin, weir_page_predictions_end, "page/predictions.js");
WEIR_EMBED(weir_page_models_begin, weir_page_models_end, "page/models.js");
WEIR_EMBED(weir_page_datasets_begin, weir_page_datasets_end, "page/datasets.js");
WEIR_EMBED(weir_page_health_begin, weir_page_health_end, "page/health.js");

namespace weir::serve {

std::string_view openapi_document() { return {weir_openapi_begin, weir_openapi_end}; }

std::string_view docs_page() { return {weir_docs_begin, weir_docs_end}; }

std::span<const PageFile> page_files() {
  static const PageFile kFiles[] = {
      {"index.html", {weir_page_index_begin, weir_page_index_end}},
      {"style.css", {weir_page_style_begin, weir_page_style_end}},
      {"icon.svg", {weir_page_icon_begin, weir_page_icon_end}},
      {"main.js", {weir_page_main_begin, weir_page_main_end}},
      {"server.js", {weir_page_server_begin, weir_page_server_end}},
      {"elements.js", {weir_page_elements_begin, weir_page_elements_end}},
      {"words.js", {weir_page_words_begin, weir_page_words_end}},
      {"charts.js", {weir_page_charts_begin, weir_page_charts_end}},
      {"gate.js", {weir_page_gate_begin, weir_page_gate_end}},
      {"flow.js", {weir_page_flow_begin, weir_page_flow_end}},
      {"predictions.js", {weir_page_predictions_begin, weir_page_predictions_end}},
      {"models.js", {weir_page_models_begin, weir_page_models_end}},
      {"datasets.js", {weir_page_datasets_begin, weir_page_datasets_end}},
      {"health.js", {weir_page_health_begin, weir_page_health_end}},
  };
  return kFiles;
}

}  // namespace weir::serve
