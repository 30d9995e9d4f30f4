#include "base/ed25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/check.h"

namespace weir {
namespace {

struct BioCloser {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioCloser>;

struct ContextCloser {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<EVP_MD_CTX, ContextCloser>;

using KeyPtr = std::shared_ptr<EVP_PKEY>;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

BioPtr reader_of(std::string_view text) {
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  WEIR_CHECK(bio != nullptr);
  return bio;
}

// A key with a passphrase is refused: without this OpenSSL asks the terminal for it.
int no_passphrase(char*, int, int, void*) { return -1; }

Status be_ed25519(const EVP_PKEY* key, const std::string& source) {
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) return {};
  return fail(Code::kBadConfig, source + " holds a key of another kind than Ed25519");
}

}  // namespace

Result<std::vector<Ed25519PublicKey>> Ed25519PublicKey::read_all(std::string_view pem,
                                                                 const std::string& source) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  std::vector<Ed25519PublicKey> keys;
  // Each block by itself, so that one that cannot be read is no end of the text.
  for (std::size_t at = pem.find(kBegin); at != std::string_view::npos;) {
    const std::size_t next = pem.find(kBegin, at + kBegin.size());
    const BioPtr bio = reader_of(pem.substr(at, next - at));
    at = next;
    KeyPtr key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free);
    ERR_clear_error();
    if (!key) {
      return fail(Code::kBadConfig, source + ": key " + std::to_string(keys.size() + 1) +
                                        " is no public key in PEM; 'openssl pkey -in KEY -pubout' "
                                        "writes one");
    }
    WEIR_TRY(be_ed25519(key.get(), source));
    keys.push_back(Ed25519PublicKey(std::move(key)));
  }
  if (keys.empty()) {
    return fail(Code::kBadConfig,
                source + " holds no public key; 'openssl pkey -in KEY -pubout' writes one");
  }
  return keys;
}

bool Ed25519PublicKey::verifies(std::string_view message, std::string_view signature) const {
  const ContextPtr context(EVP_MD_CTX_new());
  WEIR_CHECK(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1);
  const bool holds = EVP_DigestVerify(context.get(), bytes(signature), signature.size(),
                                      bytes(message), message.size()) == 1;
  ERR_clear_error();
  return holds;
}

bool Ed25519PublicKey::operator==(const Ed25519PublicKey& other) const {
  return EVP_PKEY_eq(key_.get(), other.key_.get()) == 1;
}

Result<Ed25519PrivateKey> Ed25519PrivateKey::read(std::string_view pem, const std::string& source) {
  const BioPtr bio = reader_of(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free);
  ERR_clear_error();
  if (!key) {
    return fail(Code::kBadConfig, source +
                                      " holds no private key without a passphrase; 'openssl "
                                      "genpkey -algorithm ed25519 -out FILE' makes one");
  }
  WEIR_TRY(be_ed25519(key.get(), source));
  return Ed25519PrivateKey(std::move(key));
}

std::string Ed25519PrivateKey::sign(std::string_view message) const {
  const ContextPtr context(EVP_MD_CTX_new());
  WEIR_CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1);
  std::string signature(kEd25519SignatureBytes, '\0');
  std::size_t length = signature.size();
  WEIR_CHECK(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()),
                            &length, bytes(message), message.size()) == 1);
  WEIR_CHECK(length == signature.size());
  return signature;
}

}  // namespace weir
