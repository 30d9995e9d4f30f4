// weir models import: a model that was trained elsewhere, into the drop folder.
//
// Owner, threads: one call, one thread. Errors: read_foreign_model's and model_from_foreign's;
// kInvalidArgument where what was asked for does not go together; those of files and of the store.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"
#include "cli/context.h"

namespace weir::cli {

struct ImportOptions {
  CommonOptions common;
  std::string file;
  std::string target;    // empty: dataset.target
  std::string features;  // names as a line of CSV; empty: those of the document
  bool features_of_live = false;
  std::string evaluate_on;  // a CSV file; empty: none
  std::string to;           // where to write the document, in the place of dropping it
  std::string name;         // in the drop folder; empty: made of the file's
  bool dry_run = false;
};

Status import_model(const ImportOptions& options);

}  // namespace weir::cli
