// weir models export: a version as a file of ONNX, or as a folder that MLflow loads.
//
// Owner, threads: one call, one thread. Errors: those of the models folder; kAlreadyExists where
// there is something at the place already; kUnsupported of to_onnx; kIo of the file system.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "cli/context.h"

namespace weir::cli {

struct ExportOptions {
  CommonOptions common;
  std::uint64_t version = 0;
  std::string format;  // onnx, mlflow
  std::string to;
};

Status export_model(const ExportOptions& options);

}  // namespace weir::cli
