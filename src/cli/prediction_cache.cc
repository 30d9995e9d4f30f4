#include "cli/prediction_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <random>

#include "base/local_file.h"
#include "base/log.h"
#include "base/sha256.h"
#include "cache/redis_entries.h"
#include "cli/build_identity.h"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSecretBytesMin = 32;
constexpr std::size_t kSecretBytesMax = 10'000;
// What is asked for at once comes to some 60 kB: more is not from us.
constexpr std::size_t kReplyBytesMax = 4'000'000;

Result<std::string> read_secret(const std::string& path) {
  std::string text = WEIR_TRY(read_local_file(path, kSecretBytesMax + 1));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.size() < kSecretBytesMin || text.size() > kSecretBytesMax) {
    return fail(Code::kBadConfig,
                path + " holds no key of 32 bytes or more; make one: openssl rand -hex 32");
  }
  struct stat about {};
  if (stat(path.c_str(), &about) == 0 && (about.st_mode & 077) != 0) {
    log::warn("others on this machine can read the key of the cache",
              {{"file", path}, {"instead", "chmod 600"}});
  }
  return text;
}

std::string new_secret() {
  std::random_device source;
  std::string bytes;
  for (int i = 0; i < 16; ++i) bytes += std::to_string(source()) + ' ';
  return sha256_hex(bytes);
}

Error system_error(const std::string& doing) {
  return Error(Code::kIo, doing + ": " + std::strerror(errno));
}

// Whole or not at all, readable by us alone; where another process was faster, its own counts.
Status make_secret(const std::string& path) {
  std::string temporary = path + ".XXXXXX";
  const int file = ::mkostemp(temporary.data(), O_CLOEXEC);  // 0600
  if (file < 0) return fail(system_error("making " + temporary));
  const std::string text = new_secret() + "\n";
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool closed = ::close(file) == 0;
  Status made;
  if (!written || !closed || (::link(temporary.c_str(), path.c_str()) != 0 && errno != EEXIST)) {
    made = fail(system_error("making " + path));
  }
  ::unlink(temporary.c_str());
  return made;
}

// The key that this machine's processes share, made where it is missing.
Result<std::string> secret_of_this_machine(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(Code::kIo, "making " + folder + ": " + error.message());
  const std::string path = folder + "/cache.key";
  if (!fs::exists(path, error)) WEIR_TRY(make_secret(path));
  return read_secret(path);
}

struct Shared {
  std::unique_ptr<cache::SharedEntries> entries;
  std::string secret;
  std::string why_not;
};

Result<Shared> open_shared(const config::Settings& own, const std::string& build) {
  const auto without = [](std::string why) { return Shared{nullptr, "", std::move(why)}; };
  if (own.redis.url.empty()) return without("there is no Redis (redis.url)");
  if (!own.cache.redis) return without("it is switched off (cache.redis)");
  if (build.empty()) {
    return without(
        "this program was linked without a build id, so that it could not tell its "
        "own predictions from those of another build");
  }
  Shared shared;
  if (!own.cache.key_file.empty()) {
    auto secret = read_secret(own.cache.key_file);
    if (!secret) return fail(Code::kBadConfig, "cache.key_file: " + secret.error().message());
    shared.secret = std::move(*secret);
  } else {
    auto secret = secret_of_this_machine(own.serve.state_dir);
    if (!secret) {
      log::warn("predictions are not shared in Redis: there is no key for them",
                {{"reason", secret.error()}, {"instead", "set cache.key_file or serve.state_dir"}});
      return without("there is no key: " + secret.error().message());
    }
    shared.secret = std::move(*secret);
  }
  redis::ClientOptions client = WEIR_TRY(redis_client_options(own.redis));
  client.reply_bytes_max = kReplyBytesMax;
  // It has a judgement of its own on whom to ask, and when.
  client.failures_max = std::numeric_limits<int>::max();
  cache::RedisEntriesOptions options;
  options.ttl = own.cache.ttl;
  options.patience = own.redis.timeout;
  shared.entries = std::make_unique<cache::RedisEntries>(std::move(client), options);
  return shared;
}

}  // namespace

Result<redis::ClientOptions> redis_client_options(const config::RedisSettings& settings) {
  redis::ClientOptions options;
  options.address = WEIR_TRY(redis::parse_address(settings.url));
  if (!settings.auth_file.empty()) options.login = WEIR_TRY(redis::read_login(settings.auth_file));
  options.timeout = settings.timeout;
  return options;
}

Result<std::unique_ptr<cache::PredictionCache>> open_prediction_cache(
    const config::Settings& settings, Clock& clock) {
  if (!settings.cache.enabled) return std::unique_ptr<cache::PredictionCache>();
  cache::PredictionCacheOptions options;
  options.memory_bytes_max = static_cast<std::size_t>(settings.cache.memory);
  options.shared_timeout = settings.cache.redis_timeout;
  options.build = build_identity();
  Shared shared = WEIR_TRY(open_shared(settings, options.build));
  options.secret = std::move(shared.secret);
  options.why_not_shared = std::move(shared.why_not);
  return std::make_unique<cache::PredictionCache>(std::move(options), clock,
                                                  std::move(shared.entries));
}

}  // namespace weir::cli
