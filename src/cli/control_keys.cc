#include "cli/control_keys.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/log.h"
#include "base/text.h"

namespace weir::cli {
namespace {

constexpr std::size_t kFileBytesMax = 1'000'000;

Result<std::string> read_file(const std::string& path, const std::string& source) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::kBadConfig, source + ": " + std::strerror(errno));
  std::string text(kFileBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail(Code::kBadConfig, source + " cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kFileBytesMax) {
    return fail(Code::kBadConfig, source + " is larger than any file of keys");
  }
  return text;
}

}  // namespace

Result<record::ControlKeys> read_control_keys(const config::ControlSettings& settings) {
  record::ControlKeys keys;
  keys.unsigned_epochs = static_cast<std::uint64_t>(settings.unsigned_epochs);
  if (!settings.signing_key.empty()) {
    const std::string source = "control.signing_key " + one_line(settings.signing_key);
    keys.signing = WEIR_TRY(
        Ed25519PrivateKey::read(WEIR_TRY(read_file(settings.signing_key, source)), source));
    struct stat about {};
    if (stat(settings.signing_key.c_str(), &about) == 0 && (about.st_mode & 077) != 0) {
      log::warn("others on this machine can read the key that signs control records",
                {{"file", settings.signing_key}, {"instead", "chmod 600"}});
    }
    keys.trusted = {keys.signing->public_key()};
  }
  if (!settings.trusted_keys.empty()) {
    const std::string source = "control.trusted_keys " + one_line(settings.trusted_keys);
    keys.trusted = WEIR_TRY(
        Ed25519PublicKey::read_all(WEIR_TRY(read_file(settings.trusted_keys, source)), source));
  }
  return keys;
}

}  // namespace weir::cli
