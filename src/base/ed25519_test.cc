#include "base/ed25519.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace weir {
namespace {

// RFC 8032, section 7.1, test 2: its secret key in PEM, its public key, its message and signature.
const std::string kPrivatePem =
    "-----BEGIN "
    "PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"
    "-----END PRIVATE KEY-----\n";
const std::string kPublicPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=\n"
    "-----END PUBLIC KEY-----\n";
// Of test 1 of the same section.
const std::string kOtherPublicPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
    "-----END PUBLIC KEY-----\n";
const std::string kMessage = "r";
const std::string kSignatureHex =
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

Ed25519PrivateKey private_key() {
  auto key = Ed25519PrivateKey::read(kPrivatePem, "key");
  EXPECT_TRUE(key) << key.error().message();
  return std::move(*key);
}

TEST(Ed25519, signs_as_the_standard_says) {
  EXPECT_EQ(to_hex(private_key().sign(kMessage)), kSignatureHex);
}

TEST(Ed25519, verifies_what_was_signed_and_nothing_else) {
  const auto keys = Ed25519PublicKey::read_all(kPublicPem + "\n" + kOtherPublicPem, "keys");
  ASSERT_TRUE(keys) << keys.error().message();
  ASSERT_EQ(keys->size(), 2u);
  const std::string signature = private_key().sign(kMessage);
  EXPECT_TRUE((*keys)[0].verifies(kMessage, signature));
  EXPECT_FALSE((*keys)[1].verifies(kMessage, signature));
  EXPECT_FALSE((*keys)[0].verifies("s", signature));
  EXPECT_FALSE((*keys)[0].verifies("", signature));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    std::string changed = signature;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE((*keys)[0].verifies(kMessage, changed)) << i;
    EXPECT_FALSE((*keys)[0].verifies(kMessage, signature.substr(0, i))) << i;
  }
}

TEST(Ed25519, knows_the_public_key_of_a_private_one) {
  const auto keys = Ed25519PublicKey::read_all(kPublicPem + kOtherPublicPem, "keys");
  ASSERT_TRUE(keys);
  EXPECT_TRUE(private_key().public_key() == (*keys)[0]);
  EXPECT_FALSE(private_key().public_key() == (*keys)[1]);
}

TEST(Ed25519, refuses_texts_that_hold_no_such_key_by_their_source) {
  const std::string rsa =
      "-----BEGIN PUBLIC KEY-----\n"
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n"
      "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n"
      "-----END PUBLIC KEY-----\n";
  for (const std::string& text :
       {std::string(), std::string("no key"), kPrivatePem, rsa, kPublicPem.substr(0, 60),
        kPublicPem + "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}) {
    const auto keys = Ed25519PublicKey::read_all(text, "keys.pem");
    ASSERT_FALSE(keys) << text;
    EXPECT_EQ(keys.error().code(), Code::kBadConfig);
    EXPECT_TRUE(keys.error().message().starts_with("keys.pem")) << keys.error().message();
  }
  for (const std::string& text : {std::string(), std::string("no key"), kPublicPem}) {
    const auto key = Ed25519PrivateKey::read(text, "key.pem");
    ASSERT_FALSE(key) << text;
    EXPECT_EQ(key.error().code(), Code::kBadConfig);
    EXPECT_NE(key.error().message().find("openssl genpkey"), std::string::npos);
  }
}

}  // namespace
}  // namespace weir
