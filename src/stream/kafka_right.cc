#include "stream/kafka_right_internal.h"

namespace weir::stream {
namespace {

std::string named(const KafkaRight& right) {
  std::string text = right.operation + " on " + right.resource;
  if (!right.name.empty()) text += " " + right.name;
  return text;
}

std::string options(const KafkaRight& right) {
  std::string text = "--operation " + right.operation + " --" + right.resource;
  if (!right.name.empty()) text += " " + right.name;
  return text;
}

}  // namespace

KafkaRight to_describe(const std::string& topic) { return {"Describe", "topic", topic}; }
KafkaRight to_read(const std::string& topic) { return {"Read", "topic", topic}; }
KafkaRight to_write(const std::string& topic) { return {"Write", "topic", topic}; }

std::string denial(const std::string& user, std::span<const KafkaRight> lacking) {
  std::string rights;
  std::string grants;
  for (const KafkaRight& right : lacking) {
    rights += (rights.empty() ? "" : ", ") + named(right);
    grants += (grants.empty() ? " " : ", and with ") + options(right);
  }
  return "Kafka denies " + (user.empty() ? "this user" : "user '" + user + "'") + ": " + rights +
         "; to allow it: kafka-acls --add --allow-principal User:" + (user.empty() ? "…" : user) +
         grants + " (docs/security.md)";
}

}  // namespace weir::stream
