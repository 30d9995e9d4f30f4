#include "cli/state_stream.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/base64.h"
#include "base/text.h"
#include "train/split_state_file.h"

namespace weir::cli {
namespace {

Status take_binary(std::string_view bytes, std::vector<train::SplitState>& states) {
  while (!bytes.empty()) states.push_back(WEIR_TRY(train::take_state(bytes)));
  return {};
}

Status take_lines(std::string_view text, std::vector<train::SplitState>& states) {
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const std::string what = "line " + std::to_string(number);
    const auto bytes = from_base64(line);
    if (!bytes) {
      return fail(Error(Code::kCorrupt, "neither a state of splits nor one in base64")
                      .while_doing("reading " + what));
    }
    WEIR_TRY(during(take_binary(*bytes, states), "reading " + what));
  }
  return {};
}

}  // namespace

Result<std::string> read_input(const std::string& path) {
  using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  const bool is_stdin = path == "-";
  const File file = is_stdin ? File(stdin, [](std::FILE*) { return 0; })
                             : File(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) {
    return fail(errno == ENOENT ? Code::kNotFound : Code::kIo,
                one_line(path) + ": " + std::strerror(errno));
  }
  std::string bytes;
  std::vector<char> buffer(1 << 18);
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    bytes.append(buffer.data(), got);
  }
  if (std::ferror(file.get()) != 0) {
    return fail(Code::kIo, (is_stdin ? "stdin" : one_line(path)) + ": " + std::strerror(errno));
  }
  return bytes;
}

Result<std::vector<train::SplitState>> read_states(const std::vector<std::string>& paths) {
  std::vector<train::SplitState> states;
  for (const std::string& path : paths.empty() ? std::vector<std::string>{"-"} : paths) {
    const std::string bytes = WEIR_TRY(read_input(path));
    WEIR_TRY(during(bytes.starts_with(train::kStateMagic) ? take_binary(bytes, states)
                                                          : take_lines(bytes, states),
                    "reading states from " + (path == "-" ? "stdin" : one_line(path))));
  }
  return states;
}

Status write_state(const train::SplitState& state, bool base64) {
  std::string bytes = WEIR_TRY(train::state_file(state));
  if (base64) bytes = base64_of(bytes) + "\n";
  // Out at once: what is said on stderr later never stands in the middle of a state where both go
  // into one pipe.
  const bool whole = std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
  if (std::fflush(stdout) == 0 && whole) return {};
  return fail(Code::kIo, std::string("cannot write to stdout: ") + std::strerror(errno));
}

}  // namespace weir::cli
