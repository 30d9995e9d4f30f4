// A right at Kafka in the words of kafka-acls, and what to say to a user who lacks some.
//
// Threads: pure functions. Errors: none.
#pragma once

#include <span>
#include <string>

namespace weir::stream {

struct KafkaRight {
  std::string operation;  // "Read"
  std::string resource;  // "topic", "group", "transactional-id", "cluster": an option of kafka-acls
  std::string name;      // empty for the cluster
};

KafkaRight to_describe(const std::string& topic);
KafkaRight to_read(const std::string& topic);
KafkaRight to_write(const std::string& topic);

// "Kafka denies user 'scorer': Write on topic boston.dead; …" and how to grant it. An
// empty user: the one that the broker knows this client by, such as that of a certificate.
std::string denial(const std::string& user, std::span<const KafkaRight> lacking);

}  // namespace weir::stream
