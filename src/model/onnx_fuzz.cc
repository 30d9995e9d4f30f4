// libFuzzer: ONNX files; begin with the documents in testdata/onnx.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/foreign_model_check.h"
#include "model/onnx_document.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view document(reinterpret_cast<const char*>(data), size);
  weir::model::try_foreign_model(weir::model::read_onnx(document));
  return 0;
}
