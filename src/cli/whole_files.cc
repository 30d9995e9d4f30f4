#include "cli/whole_files.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;

Status write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (file) return {};
  return fail(Code::kIo, one_line(path.string()) + ": it cannot be written");
}

}  // namespace

Status put_whole(const std::string& place,
                 const std::vector<std::pair<std::string, std::string>>& files, Form form) {
  const fs::path to = place;
  const bool as_folder = form == Form::kFolder;
  std::error_code error;
  if (fs::exists(to, error)) {
    return fail(Code::kAlreadyExists, one_line(place) + " is there already; name another place");
  }
  const fs::path temporary = to.string() + "." + std::to_string(getpid()) + ".tmp";
  const auto attempt = [&]() -> Status {
    for (const auto& [name, bytes] : files) {
      const fs::path path = as_folder ? temporary / name : temporary;
      if (as_folder) fs::create_directories(path.parent_path(), error);
      if (error)
        return fail(Code::kIo, one_line(path.parent_path().string()) + ": " + error.message());
      WEIR_TRY(write_file(path, bytes));
    }
    fs::rename(temporary, to, error);
    if (error) return fail(Code::kIo, one_line(place) + ": " + error.message());
    return {};
  };
  Status done = attempt();
  if (!done) fs::remove_all(temporary, error);
  return done;
}

}  // namespace weir::cli
