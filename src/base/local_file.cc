#include "base/local_file.h"

#include <cerrno>
#include <fstream>
#include <system_error>

namespace weir {

Result<std::string> read_local_file(const std::string& path, std::size_t bytes_max) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const int error_number = errno;
    return fail(error_number == EACCES ? Code::kPermissionDenied : Code::kNotFound,
                path + ": " + std::generic_category().message(error_number));
  }
  std::string text(bytes_max, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail(Code::kIo, path + ": it cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace weir
