// weir-worker: `weir stats` and `weir merge` alone, as one static program that starts on whatever
// distribution a cluster has (docs/decisions/static-worker.md).
#include <nss.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "cli/split_work.h"
#include "cli/version.h"

namespace {

constexpr int kExitUsage = 2;
constexpr const char* kUsage =
    "usage: weir-worker stats [--base64] [LINE...]\n"
    "       weir-worker merge [--base64] [--ignore-duplicates] [FILE...]\n"
    "Lines of 'weir plan' or files of states, from stdin where none is named; states to stdout.\n";

struct Arguments {
  std::string_view command;
  bool base64 = false;
  bool ignore_duplicates = false;
  std::vector<std::string> inputs;
};

bool parse(int argc, char** argv, Arguments& given) {
  if (argc < 2) return false;
  given.command = argv[1];
  const bool merges = given.command == "merge";
  if (!merges && given.command != "stats") return false;
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--base64") {
      given.base64 = true;
    } else if (merges && word == "--ignore-duplicates") {
      given.ignore_duplicates = true;
    } else if (word.starts_with("--")) {
      return false;
    } else {
      given.inputs.emplace_back(word);
    }
  }
  return true;
}

weir::Status run(const Arguments& given) {
  using namespace weir;
  if (given.command == "merge") {
    return cli::merge_files(
        given.inputs,
        given.ignore_duplicates ? train::Duplicates::kIgnore : train::Duplicates::kRefuse,
        given.base64);
  }
  return given.inputs.empty() ? cli::read_splits_of_stdin(given.base64)
                              : cli::read_splits(given.inputs, given.base64);
}

}  // namespace

int main(int argc, char** argv) {
  // Other sources of names are shared libraries of another C library's version: a static program
  // that loads them crashes. These two are part of it.
  __nss_configure_lookup("hosts", "files dns");
  __nss_configure_lookup("passwd", "files");
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    std::printf("weir-worker %s\n", weir::cli::kProgramVersion);
    return 0;
  }
  Arguments given;
  if (!parse(argc, argv, given)) {
    std::fputs(kUsage, stderr);
    return kExitUsage;
  }
  weir::log::configure({weir::log::Level::kWarn, weir::log::Shape::kText, false});
  const weir::Status done = run(given);
  if (done) return 0;
  std::fprintf(stderr, "weir: %s\n", done.error().message().c_str());
  return done.error().exit_code();
}
