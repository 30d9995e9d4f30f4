// Keys for tests: those of RFC 8032, section 7.1, tests 2 and 1, which are no secret.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "record/control_topic.h"

namespace weir::record {

inline const std::string kTrainerKey =
    "-----BEGIN "
    "PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"
    "-----END PRIVATE KEY-----\n";
inline const std::string kStrangerKey =
    "-----BEGIN "
    "PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

inline Ed25519PrivateKey key_of(const std::string& pem) {
  auto key = Ed25519PrivateKey::read(pem, "a key for tests");
  EXPECT_TRUE(key);
  return std::move(*key);
}

// As the trainer has it, as the others have it, and as one has it who only believes himself.
inline ControlTopic trainers_topic(const std::string& name, std::uint64_t unsigned_epochs = 0) {
  const Ed25519PrivateKey key = key_of(kTrainerKey);
  return {name, ControlKeys{{key.public_key()}, key, unsigned_epochs}};
}
inline ControlTopic readers_topic(const std::string& name, std::uint64_t unsigned_epochs = 0) {
  return {name, ControlKeys{{key_of(kTrainerKey).public_key()}, std::nullopt, unsigned_epochs}};
}
inline ControlTopic strangers_topic(const std::string& name) {
  const Ed25519PrivateKey key = key_of(kStrangerKey);
  return {name, ControlKeys{{key.public_key()}, key, 0}};
}

}  // namespace weir::record
