// Who may do what at the gateway: bearer tokens (RFC 6750) with a role each.
//
// A file of tokens has a line for each, ROLE TOKEN; # begins a comment:
//   read  3f0c…        looks at predictions, models, data sets, metrics
//   push  9a41…        reads, and pushes messages and true values
//   admin 77de…        all of it: uploads, rollbacks, trainings
// A token has 16 to 512 characters. Kept are the tokens' SHA-256 digests alone, and each request is
// compared with all of them in a time that does not depend on which one it is.
//
// Threads: const members from any thread. Errors: kBadConfig with the line, never with the token.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/message.h"

namespace weir::serve {

enum class Permission { kOpen, kRead, kPush, kAdmin };  // each includes those before it
std::string_view permission_name(Permission permission);
// read, push or admin: what a token or a certificate can be given.
std::optional<Permission> permission_named(std::string_view name);

struct Denial {
  bool known = false;  // the token is, and its role is too small
  std::string reason;
};

class AccessList {
 public:
  // Without any token everybody may do everything.
  AccessList() = default;
  // As a file or a variable of the environment has them; ';' may stand for an end of line.
  static Result<AccessList> parse(std::string_view text);

  // Whether anything is asked for at all.
  bool guards() const { return !tokens_.empty() || certificates_; }
  // A verified client certificate counts as this much; absent: nothing by itself.
  void let_certificates(Permission permission) { certificates_ = permission; }

  // nullopt: the request may. Else the answer: 401 without a token that is known, 403 where the
  // token is known and its role too small.
  std::optional<http::Response> refusal(const http::Request& request, Permission needed) const;
  // The same of whatever brings an Authorization and the name of a verified client certificate.
  std::optional<Denial> denial(std::string_view authorization, std::string_view client_name,
                               Permission needed) const;

 private:
  struct Token {
    std::string digest;
    Permission permission;
  };
  std::optional<Permission> permission_of(std::string_view token) const;

  std::vector<Token> tokens_;
  std::optional<Permission> certificates_;
};

}  // namespace weir::serve
