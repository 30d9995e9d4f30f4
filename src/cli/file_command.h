// What the commands on single files have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/context.h"

namespace weir::cli {

inline constexpr std::size_t kRecordBytesMax = 16 << 20;

struct FileOptions {
  CommonOptions common;
  std::string file;
  std::string name;            // drop
  std::uint64_t version = 0;   // predict; 0: the one in force
  bool contributions = false;  // predict
};

// `run` answers with the number of items that failed: any makes the exit code 1.
void add_file_command(CLI::App& app, Action& action, const char* name, const char* about,
                      Result<std::uint64_t> (*run)(const FileOptions&),
                      const std::function<void(CLI::App&, FileOptions&)>& declare);

}  // namespace weir::cli
