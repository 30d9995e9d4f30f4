#include "record/control_topic.h"

#include <algorithm>

#include "base/text.h"

namespace weir::record {
namespace {

constexpr std::string_view kBeforeSignature = ",\"signature\":\"";
constexpr std::string_view kAfterSignature = "\"}";
constexpr std::size_t kDigits = 2 * kEd25519SignatureBytes;

// A value in its two parts; nullopt where it does not end as a signed one does.
struct SignedValue {
  std::string json;       // as it was before it was signed
  std::string signature;  // bytes
};

std::optional<SignedValue> take_apart(std::string_view value) {
  if (!value.ends_with(kAfterSignature)) return std::nullopt;
  value.remove_suffix(kAfterSignature.size());
  if (value.size() < kDigits) return std::nullopt;
  const auto signature = from_hex(value.substr(value.size() - kDigits));
  value.remove_suffix(kDigits);
  if (!signature || !value.ends_with(kBeforeSignature)) return std::nullopt;
  value.remove_suffix(kBeforeSignature.size());
  return SignedValue{std::string(value) + "}", *signature};
}

}  // namespace

Status ControlTopic::check_can_write() const {
  if (keys_.trusted.empty()) return {};
  if (!keys_.signing) {
    return fail(Code::kBadConfig,
                "records of " + name_ +
                    " have to be signed, as control.trusted_keys is set, and there is no key to "
                    "sign them with: set control.signing_key");
  }
  if (std::find(keys_.trusted.begin(), keys_.trusted.end(), keys_.signing->public_key()) ==
      keys_.trusted.end()) {
    return fail(Code::kBadConfig,
                "control.trusted_keys does not hold the public half of control.signing_key: nobody "
                "would believe what is signed with it; 'openssl pkey -in KEY -pubout' writes it");
  }
  return {};
}

std::string ControlTopic::signed_message(std::string_view json) const {
  std::string message = "weirkeeper control record\n";
  message += name_;
  message += '\n';
  message += json;
  return message;
}

std::string ControlTopic::to_value(const ControlRecord& record) const {
  std::string value = record.to_json();
  if (!keys_.signing) return value;
  const std::string signature = keys_.signing->sign(signed_message(value));
  value.pop_back();  // the brace that ends the object
  value += kBeforeSignature;
  value += to_hex(signature);
  value += kAfterSignature;
  return value;
}

Status ControlTopic::check_signature(std::string_view value) const {
  const auto parts = take_apart(value);
  if (!parts) {
    if (keys_.unsigned_epochs > 0) {
      const auto old = ControlRecord::parse(value);
      if (old && old->epoch <= keys_.unsigned_epochs) return {};
    }
    return fail(Code::kPermissionDenied, "the record is not signed");
  }
  const std::string message = signed_message(parts->json);
  for (const Ed25519PublicKey& key : keys_.trusted) {
    if (key.verifies(message, parts->signature)) return {};
  }
  return fail(Code::kPermissionDenied,
              "the record's signature is none by a key of control.trusted_keys");
}

Result<ControlRecord> ControlTopic::read(std::string_view value) const {
  if (!keys_.trusted.empty()) WEIR_TRY(check_signature(value));
  return ControlRecord::parse(value);
}

}  // namespace weir::record
