#include "cli/control_keys.h"

#include <sys/stat.h>

#include "base/local_file.h"
#include "base/log.h"

namespace weir::cli {
namespace {

constexpr std::size_t kFileBytesMax = 1'000'000;

Result<std::string> read_keys(const std::string& path, const std::string& setting) {
  auto text = read_local_file(path, kFileBytesMax + 1);
  if (!text) return fail(Code::kBadConfig, setting + " " + text.error().reason());
  if (text->size() > kFileBytesMax) {
    return fail(Code::kBadConfig, setting + " " + path + " is larger than any file of keys");
  }
  return std::move(*text);
}

}  // namespace

Result<record::ControlKeys> read_control_keys(const config::ControlSettings& settings) {
  record::ControlKeys keys;
  keys.unsigned_epochs = static_cast<std::uint64_t>(settings.unsigned_epochs);
  if (!settings.signing_key.empty()) {
    const std::string setting = "control.signing_key";
    const std::string text = WEIR_TRY(read_keys(settings.signing_key, setting));
    keys.signing = WEIR_TRY(Ed25519PrivateKey::read(text, setting + " " + settings.signing_key));
    struct stat about {};
    if (stat(settings.signing_key.c_str(), &about) == 0 && (about.st_mode & 077) != 0) {
      log::warn("others on this machine can read the key that signs control records",
                {{"file", settings.signing_key}, {"instead", "chmod 600"}});
    }
    keys.trusted = {keys.signing->public_key()};
  }
  if (!settings.trusted_keys.empty()) {
    const std::string setting = "control.trusted_keys";
    const std::string text = WEIR_TRY(read_keys(settings.trusted_keys, setting));
    keys.trusted =
        WEIR_TRY(Ed25519PublicKey::read_all(text, setting + " " + settings.trusted_keys));
  }
  return keys;
}

}  // namespace weir::cli
