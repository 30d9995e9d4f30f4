// Ed25519 signatures (RFC 8032) by OpenSSL, with keys in PEM as `openssl genpkey -algorithm
// ed25519` and `openssl pkey -pubout` write them.
//
// Owner: plain values that share what they hold. Threads: const members from any thread. Errors:
// kBadConfig where a text holds no such key; `source` names the text in the message.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct evp_pkey_st;

namespace weir {

inline constexpr std::size_t kEd25519SignatureBytes = 64;

class Ed25519PublicKey {
 public:
  // One or several, one after the other.
  static Result<std::vector<Ed25519PublicKey>> read_all(std::string_view pem,
                                                        const std::string& source);
  bool verifies(std::string_view message, std::string_view signature) const;
  bool operator==(const Ed25519PublicKey& other) const;

 private:
  friend class Ed25519PrivateKey;
  explicit Ed25519PublicKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

class Ed25519PrivateKey {
 public:
  static Result<Ed25519PrivateKey> read(std::string_view pem, const std::string& source);
  std::string sign(std::string_view message) const;  // kEd25519SignatureBytes, always the same
  Ed25519PublicKey public_key() const { return Ed25519PublicKey(key_); }

 private:
  explicit Ed25519PrivateKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace weir
