#include <gmock/gmock.h>

#include "stream/kafka_config_internal.h"

namespace weir::stream {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Error refused(const KafkaProperties& properties) {
  const auto made = KafkaBroker::make(properties);
  EXPECT_FALSE(made);
  return made ? Error(Code::kInternal, "") : made.error();
}

TEST(KafkaConfig, takes_what_librdkafka_knows) {
  const auto made = KafkaBroker::make({{"bootstrap.servers", "localhost:1"},
                                       {"security.protocol", "sasl_ssl"},
                                       {"sasl.password", "secret"},
                                       {"linger.ms", "0"},
                                       {"fetch.min.bytes", "1"},
                                       {"compression.codec", "zstd"}});
  EXPECT_TRUE(made) << made.error().message();
}

TEST(KafkaConfig, names_the_nearest_property) {
  const Error error = refused({{"bootstrap.servers", "localhost:1"}, {"sasl.pasword", "x"}});
  EXPECT_EQ(error.code(), Code::kBadConfig);
  EXPECT_THAT(error.message(), HasSubstr("'sasl.pasword'"));
  EXPECT_THAT(error.message(), HasSubstr("did you mean 'sasl.password'?"));
}

TEST(KafkaConfig, refuses_what_runs_code_and_what_weir_owns) {
  for (const char* name : {"plugin.library.paths", "ssl.engine.location", "sasl.kerberos.kinit.cmd",
                           "enable.auto.commit", "group.id", "transactional.id", "isolation.level",
                           "acks", "auto.offset.reset", "enable.idempotence", "partitioner"}) {
    const Error error = refused({{"bootstrap.servers", "localhost:1"}, {name, "x"}});
    EXPECT_EQ(error.code(), Code::kBadConfig);
    EXPECT_THAT(error.message(), HasSubstr("'" + std::string(name) + "' is refused"));
  }
}

TEST(KafkaConfig, refuses_callbacks_and_pointers) {
  for (const KafkaProperty& property : known_properties()) {
    if (!property.pointer || !refusal(property.name).empty()) continue;
    const Error error = refused({{"bootstrap.servers", "localhost:1"}, {property.name, "1"}});
    EXPECT_EQ(error.code(), Code::kBadConfig) << property.name;
  }
}

TEST(KafkaConfig, every_refusal_is_of_a_property_that_exists) {
  int found = 0;
  for (const KafkaProperty& property : known_properties()) {
    found += refusal(property.name).empty() ? 0 : 1;
  }
  EXPECT_GE(found, 25);
  EXPECT_GT(known_properties().size(), 150U);
}

TEST(KafkaConfig, a_wrong_value_names_the_property) {
  const Error error = refused({{"bootstrap.servers", "localhost:1"}, {"linger.ms", "soon"}});
  EXPECT_EQ(error.code(), Code::kBadConfig);
  EXPECT_THAT(error.message(), HasSubstr("linger.ms"));
}

TEST(KafkaConfig, bounds_a_transaction_and_the_records_in_it_by_each_other) {
  const auto bounds = [](const KafkaProperties& user) {
    const KafkaProperties found = transaction_bounds(user, std::chrono::seconds(10));
    return found.at("transaction.timeout.ms") + " " + found.at("message.timeout.ms");
  };
  EXPECT_EQ(bounds({}), "10000 8000");
  EXPECT_EQ(bounds({{"transaction.timeout.ms", "60000"}}), "60000 20000");
  EXPECT_EQ(bounds({{"transaction.timeout.ms", "5000"}}), "5000 4000");
  EXPECT_EQ(bounds({{"message.timeout.ms", "15000"}}), "15000 12000");
  EXPECT_EQ(bounds({{"message.timeout.ms", "3000"}}), "10000 8000");
}

TEST(KafkaConfig, knows_the_names_that_brokers_take_for_a_member) {
  for (const char* name : {"scorer-host-0", "a.b_c-D9", "..."}) EXPECT_TRUE(is_instance_name(name));
  EXPECT_TRUE(is_instance_name(std::string(249, 'a')));
  for (const char* name : {"", ".", "..", "a b", "a:1", "\xc3\xa9"}) {
    EXPECT_FALSE(is_instance_name(name)) << name;
  }
  EXPECT_FALSE(is_instance_name(std::string(250, 'a')));
}

TEST(KafkaConfig, needs_servers) {
  EXPECT_THAT(refused({}).message(), HasSubstr("'bootstrap.servers' is missing"));
}

TEST(KafkaConfig, tells_its_version) {
  EXPECT_THAT(kafka_version(), HasSubstr("librdkafka 2.1"));
  EXPECT_THAT(kafka_version(), HasSubstr("lz4"));
}

}  // namespace
}  // namespace weir::stream
