#include "serve/access.h"

#include "base/sha256.h"
#include "serve/problem.h"

namespace weir::serve {
namespace {

constexpr std::size_t kTokenCharsMin = 16;
constexpr std::size_t kTokenCharsMax = 512;
constexpr std::size_t kTokensMax = 1'000;

std::string_view next_word(std::string_view& line) {
  const auto begin = std::min(line.find_first_not_of(" \t\r"), line.size());
  line.remove_prefix(begin);
  const auto end = std::min(line.find_first_of(" \t\r"), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  unsigned char difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
  }
  return difference == 0;
}

// The token of "Bearer TOKEN"; the scheme in any case.
std::string_view bearer_token(std::string_view value) {
  const std::string_view scheme = next_word(value);
  static constexpr std::string_view kBearer = "bearer";
  if (scheme.size() != kBearer.size()) return {};
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    if ((scheme[i] | 0x20) != kBearer[i]) return {};
  }
  return next_word(value);
}

}  // namespace

std::string_view permission_name(Permission permission) {
  switch (permission) {
    case Permission::kOpen: return "open";
    case Permission::kRead: return "read";
    case Permission::kPush: return "push";
    case Permission::kAdmin: return "admin";
  }
  return "";
}

std::optional<Permission> permission_named(std::string_view name) {
  for (const auto permission : {Permission::kRead, Permission::kPush, Permission::kAdmin}) {
    if (permission_name(permission) == name) return permission;
  }
  return std::nullopt;
}

Result<AccessList> AccessList::parse(std::string_view text) {
  AccessList list;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\n;"), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    const std::string_view role = next_word(line);
    if (role.empty() || role.front() == '#') continue;
    const std::string_view token = next_word(line);
    const auto permission = permission_named(role);
    const auto refuse = [&](const std::string& why) {
      return fail(Code::kBadConfig, "line " + std::to_string(number) + ": " + why);
    };
    if (!permission) return refuse("a line begins with read, push or admin");
    if (token.size() < kTokenCharsMin || token.size() > kTokenCharsMax) {
      return refuse("a token has " + std::to_string(kTokenCharsMin) + " to " +
                    std::to_string(kTokenCharsMax) + " characters");
    }
    if (const auto more = next_word(line); !more.empty() && more.front() != '#') {
      return refuse("something follows the token");
    }
    if (list.permission_of(token)) return refuse("the token stands in an earlier line, too");
    if (list.tokens_.size() == kTokensMax) return refuse("too many tokens");
    list.tokens_.push_back({sha256_hex(token), *permission});
  }
  return list;
}

std::optional<Permission> AccessList::permission_of(std::string_view token) const {
  const std::string digest = sha256_hex(token);
  std::optional<Permission> found;
  for (const Token& known : tokens_) {
    if (equal_in_constant_time(known.digest, digest)) found = known.permission;
  }
  return found;
}

std::optional<Denial> AccessList::denial(std::string_view authorization,
                                         std::string_view client_name, Permission needed) const {
  if (needed == Permission::kOpen || !guards()) return std::nullopt;
  const std::string_view token = bearer_token(authorization);
  auto granted = token.empty() ? std::nullopt : permission_of(token);
  if (!granted && certificates_ && !client_name.empty()) granted = certificates_;
  if (granted && *granted >= needed) return std::nullopt;
  if (granted) {
    return Denial{true, "this token's role is " + std::string(permission_name(*granted)) +
                            "; this needs " + std::string(permission_name(needed))};
  }
  return Denial{false, token.empty() ? "a token is needed: Authorization: Bearer TOKEN"
                                     : "the token is not known here"};
}

std::optional<http::Response> AccessList::refusal(const http::Request& request,
                                                  Permission needed) const {
  const auto denied =
      denial(request.header("authorization").value_or(""), request.client_name, needed);
  if (!denied) return std::nullopt;
  http::Response response = problem(denied->known ? 403 : 401, denied->reason);
  if (!denied->known) response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"weir\"");
  return response;
}

}  // namespace weir::serve
