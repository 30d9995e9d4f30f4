// The control topic: its name, and whose word in it counts.
//
// Where there are trusted keys, a record counts only with a signature by one of them; the value of
// a signed record is the JSON of the record with the signature as its last member:
//
//   {"type":"halt","epoch":3, … ,"signature":"<128 hexadecimal digits>"}
//
// Signed (Ed25519, RFC 8032) is "weirkeeper control record\n", the topic's name, a newline and the
// bytes of the JSON as it was without that member: a record of one pipeline is none of another's.
// What keeps a record from being repeated is ControlState: no epoch comes twice.
//
// Owner: plain values. Threads: const members from any thread. Errors: as said at each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ed25519.h"
#include "base/error.h"
#include "record/control.h"

namespace weir::record {

// Without trusted keys nothing is checked, and without a signing key nothing is signed.
struct ControlKeys {
  std::vector<Ed25519PublicKey> trusted;
  std::optional<Ed25519PrivateKey> signing;
  // Records of epochs up to this one need no signature: they are older than the keys.
  std::uint64_t unsigned_epochs = 0;
};

class ControlTopic {
 public:
  // Implicit: a topic where everybody's word counts is its name.
  ControlTopic(std::string name = "") : name_(std::move(name)) {}
  ControlTopic(const char* name) : name_(name) {}
  ControlTopic(std::string name, ControlKeys keys)
      : name_(std::move(name)), keys_(std::move(keys)) {}

  const std::string& name() const { return name_; }
  // kBadConfig where a trusted key is asked for and the one to sign with is absent or not trusted.
  Status check_can_write() const;
  // As it goes into the topic.
  std::string to_value(const ControlRecord& record) const;
  // kPermissionDenied: the signature is missing or is none of a trusted key. Else as
  // ControlRecord::parse, which is not asked about a record that nobody vouches for.
  Result<ControlRecord> read(std::string_view value) const;

 private:
  Status check_signature(std::string_view value) const;
  std::string signed_message(std::string_view json) const;

  std::string name_;
  ControlKeys keys_;
};

}  // namespace weir::record
