#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <set>

#include "base/text.h"
#include "stream/kafka_config_internal.h"

namespace weir::stream {
namespace {

struct Refused {
  std::string_view name;
  std::string_view why;
};

constexpr std::string_view kRunsCode = "it loads or runs code of someone's choosing";
constexpr std::string_view kOwned = "weir sets it: exactly-once scoring depends on it";

constexpr std::int64_t kMessageMsMax = 20'000;

constexpr std::size_t kInstanceNameBytesMax = 249;
constexpr std::string_view kInstanceNameAlphabet =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

constexpr std::array kRefused = {
    Refused{"plugin.library.paths", kRunsCode},
    Refused{"ssl.engine.location", kRunsCode},
    Refused{"ssl.engine.id", kRunsCode},
    Refused{"sasl.kerberos.kinit.cmd", kRunsCode},
    Refused{"acks", kOwned},
    Refused{"auto.commit.enable", kOwned},
    Refused{"auto.offset.reset", kOwned},
    Refused{"delivery.report.only.error", kOwned},
    Refused{"enable.auto.commit", kOwned},
    Refused{"enable.auto.offset.store", kOwned},
    Refused{"enable.gapless.guarantee", kOwned},
    Refused{"enable.idempotence", kOwned},
    Refused{"enable.partition.eof", kOwned},
    Refused{"group.id", kOwned},
    Refused{"group.instance.id", kOwned},
    Refused{"group.protocol", kOwned},
    Refused{"group.protocol.type", kOwned},
    Refused{"group.remote.assignor", kOwned},
    Refused{"isolation.level", kOwned},
    Refused{"offset.store.method", kOwned},
    Refused{"offset.store.path", kOwned},
    Refused{"offset.store.sync.interval.ms", kOwned},
    Refused{"partition.assignment.strategy", kOwned},
    Refused{"partitioner", kOwned},
    Refused{"produce.offset.report", kOwned},
    Refused{"queuing.strategy", kOwned},
    Refused{"request.required.acks", kOwned},
    Refused{"transactional.id", kOwned},
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// One row of librdkafka's table: "name | C/P | range | default | importance | description".
void add_property(std::string_view line, std::vector<KafkaProperty>& found) {
  const auto first = line.find('|');
  if (first == std::string_view::npos) return;
  const auto second = line.find('|', first + 1);
  if (second == std::string_view::npos) return;
  const std::string_view name = trimmed(line.substr(0, first));
  const std::string_view kind = trimmed(line.substr(first + 1, second - first - 1));
  if (name.empty() || (kind != "*" && kind != "C" && kind != "P")) return;
  KafkaProperty property;
  property.name = std::string(name);
  property.consumer = kind != "P";
  property.producer = kind != "C";
  property.pointer = line.find("see dedicated API") != std::string_view::npos;
  for (KafkaProperty& known : found) {  // a property of the client and of its topics: listed twice
    if (known.name != property.name) continue;
    known.consumer |= property.consumer;
    known.producer |= property.producer;
    return;
  }
  found.push_back(std::move(property));
}

std::vector<KafkaProperty> read_properties() {
  std::vector<KafkaProperty> found;
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* stream = open_memstream(&text, &size);
  if (!stream) return found;
  rd_kafka_conf_properties_show(stream);
  std::fclose(stream);
  std::string_view rest(text, size);
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    add_property(rest.substr(0, end), found);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  std::free(text);
  return found;
}

const KafkaProperty* find_property(std::string_view name) {
  for (const KafkaProperty& property : known_properties()) {
    if (property.name == name) return &property;
  }
  return nullptr;
}

Error unknown(const std::string& name) {
  std::vector<std::string_view> names;
  for (const KafkaProperty& property : known_properties()) {
    if (!property.pointer && refusal(property.name).empty()) names.push_back(property.name);
  }
  std::string reason = "Kafka has no property '" + name + "'";
  if (const auto near = nearest_name(name, names)) reason += "; did you mean '" + *near + "'?";
  return Error(Code::kBadConfig, reason);
}

Status set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, 512> reason{};
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason.data(), reason.size()) ==
      RD_KAFKA_CONF_OK) {
    return {};
  }
  // librdkafka repeats the value, which may be a secret.
  const bool secret =
      name.find("password") != std::string::npos || name.find("secret") != std::string::npos ||
      name.find("key") != std::string::npos || name.find("jaas") != std::string::npos;
  return fail(Code::kBadConfig, "Kafka property '" + name +
                                    "': " + (secret ? "the value is not valid" : reason.data()));
}

}  // namespace

const std::vector<KafkaProperty>& known_properties() {
  static const std::vector<KafkaProperty> properties = read_properties();
  return properties;
}

std::string_view refusal(std::string_view property) {
  for (const Refused& refused : kRefused) {
    if (refused.name == property) return refused.why;
  }
  return {};
}

KafkaProperties transaction_bounds(const KafkaProperties& user, std::chrono::milliseconds longest) {
  const auto set_to = [&](const char* name) -> std::optional<std::int64_t> {
    const auto found = user.find(name);
    return found == user.end() ? std::nullopt : parse_int64(found->second);
  };
  auto of_record = set_to("message.timeout.ms");
  if (!of_record) of_record = set_to("delivery.timeout.ms");  // the same by another name
  const std::int64_t transaction =
      set_to("transaction.timeout.ms").value_or(std::max(longest.count(), of_record.value_or(0)));
  return {{"transaction.timeout.ms", std::to_string(transaction)},
          {"message.timeout.ms", std::to_string(std::min(kMessageMsMax, transaction * 4 / 5))}};
}

bool is_instance_name(std::string_view name) {
  return !name.empty() && name.size() <= kInstanceNameBytesMax && name != "." && name != ".." &&
         name.find_first_not_of(kInstanceNameAlphabet) == std::string_view::npos;
}

Status check_properties(const KafkaProperties& properties) {
  for (const auto& [name, value] : properties) {
    if (const auto why = refusal(name); !why.empty()) {
      return fail(Code::kBadConfig,
                  "Kafka property '" + name + "' is refused: " + std::string(why));
    }
    const KafkaProperty* property = find_property(name);
    if (!property || property->pointer) return fail(unknown(name));
    const ConfPtr conf(rd_kafka_conf_new());
    if (auto status = set(conf.get(), name, value); !status) return status;
  }
  const auto servers = properties.find("bootstrap.servers");
  const auto brokers = properties.find("metadata.broker.list");
  if ((servers == properties.end() || servers->second.empty()) &&
      (brokers == properties.end() || brokers->second.empty()) &&
      !properties.contains("test.mock.num.brokers")) {
    return fail(Code::kBadConfig, "Kafka property 'bootstrap.servers' is missing");
  }
  return {};
}

Result<ConfPtr> make_conf(rd_kafka_type_t type, const KafkaProperties& defaults,
                          const KafkaProperties& user, const KafkaProperties& owned) {
  ConfPtr conf(rd_kafka_conf_new());
  for (const auto& [name, value] : defaults) WEIR_TRY(set(conf.get(), name, value));
  for (const auto& [name, value] : user) {
    const KafkaProperty* property = find_property(name);
    if (!property) return fail(unknown(name));
    if (type == RD_KAFKA_CONSUMER ? !property->consumer : !property->producer) continue;
    WEIR_TRY(set(conf.get(), name, value));
  }
  for (const auto& [name, value] : owned) WEIR_TRY(set(conf.get(), name, value));
  return conf;
}

}  // namespace weir::stream
