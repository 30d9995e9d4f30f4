#include <algorithm>
#include <thread>

#include "base/log.h"
#include "stream/kafka_client_internal.h"

namespace weir::stream {
namespace {

struct EventDeleter {
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
};
using EventPtr = std::unique_ptr<rd_kafka_event_t, EventDeleter>;
struct OptionsDeleter {
  void operator()(rd_kafka_AdminOptions_t* options) const {
    rd_kafka_AdminOptions_destroy(options);
  }
};
using OptionsPtr = std::unique_ptr<rd_kafka_AdminOptions_t, OptionsDeleter>;
struct TopicCollectionDeleter {
  void operator()(rd_kafka_TopicCollection_t* topics) const {
    rd_kafka_TopicCollection_destroy(topics);
  }
};
// How long other brokers may take to answer where one has refused the login.
constexpr Millis kRefusedLoginWait{2000};
constexpr Millis kPollSlice{50};

struct NewTopicDeleter {
  void operator()(rd_kafka_NewTopic_t* topic) const { rd_kafka_NewTopic_destroy(topic); }
};

OptionsPtr options_for(rd_kafka_t* client, rd_kafka_admin_op_t operation, Millis timeout) {
  OptionsPtr options(rd_kafka_AdminOptions_new(client, operation));
  char reason[256];
  rd_kafka_AdminOptions_set_request_timeout(options.get(), std::max(1, milliseconds(timeout)),
                                            reason, sizeof reason);
  return options;
}

// The answer to an admin request. It comes in any case: the request itself has a time-out; the
// extra second is for an answer on its way.
Result<EventPtr> answer(const KafkaClient& client, rd_kafka_queue_t* queue, Millis timeout) {
  const Inside call("waiting for the answer to an admin request");
  SteadyTime deadline = std::chrono::steady_clock::now() + timeout + Millis(1000);
  std::optional<Error> refused;
  for (;;) {
    EventPtr event(rd_kafka_queue_poll(queue, milliseconds(kPollSlice)));
    if (event) {
      const auto error = rd_kafka_event_error(event.get());
      if (error && refused) return fail(std::move(*refused));
      if (error) return fail(client.first_error(error, rd_kafka_event_error_string(event.get())));
      return event;
    }
    if (auto login = client.refused_login(); login && !refused) {
      refused = std::move(login);
      deadline = std::min(deadline, std::chrono::steady_clock::now() + kRefusedLoginWait);
    }
    if (left_until(deadline) > Millis(0)) continue;
    return fail(refused ? std::move(*refused) : client.first_error(RD_KAFKA_RESP_ERR__TIMED_OUT));
  }
}

enum class Presence { kMissing, kThere, kNotReady, kDenied };

Result<Presence> presence(const KafkaClient& client, const rd_kafka_TopicDescription_t& topic) {
  const auto error = rd_kafka_error_code(rd_kafka_TopicDescription_error(&topic));
  if (error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) return Presence::kDenied;
  if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return Presence::kMissing;
  if (error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) return Presence::kNotReady;
  if (error) {
    return fail(client.error(error).while_doing(
        "describing topic " + std::string(rd_kafka_TopicDescription_name(&topic))));
  }
  std::size_t count = 0;
  const auto** partitions = rd_kafka_TopicDescription_partitions(&topic, &count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!rd_kafka_TopicPartitionInfo_leader(partitions[i])) return Presence::kNotReady;
  }
  return Presence::kThere;
}

// Brokers of old do not tell what is allowed; then nothing is taken for denied.
bool may(const rd_kafka_TopicDescription_t& topic, rd_kafka_AclOperation_t operation) {
  std::size_t count = 0;
  const auto* allowed = rd_kafka_TopicDescription_authorized_operations(&topic, &count);
  return count == 0 || std::find(allowed, allowed + count, operation) != allowed + count;
}

struct TopicFound {
  Presence presence = Presence::kMissing;
  bool may_read = false;
  bool may_write = false;
};

Result<EventPtr> descriptions_of(const KafkaClient& client, std::vector<const char*> names,
                                 Millis timeout) {
  const std::unique_ptr<rd_kafka_TopicCollection_t, TopicCollectionDeleter> collection(
      rd_kafka_TopicCollection_of_topic_names(names.data(), names.size()));
  const QueuePtr queue(rd_kafka_queue_new(client.get()));
  const OptionsPtr options = options_for(client.get(), RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, timeout);
  const KafkaErrorPtr refused(
      rd_kafka_AdminOptions_set_include_authorized_operations(options.get(), 1));
  if (refused) return fail(client.error(*refused));
  rd_kafka_DescribeTopics(client.get(), collection.get(), options.get(), queue.get());
  return answer(client, queue.get(), timeout);
}

// In the order of `names`.
Result<std::vector<TopicFound>> describe(const KafkaClient& client,
                                         const std::vector<const char*>& names, Millis timeout) {
  const EventPtr event = WEIR_TRY(descriptions_of(client, names, timeout));
  std::size_t count = 0;
  const auto** descriptions = rd_kafka_DescribeTopics_result_topics(
      rd_kafka_event_DescribeTopics_result(event.get()), &count);
  if (count != names.size()) return fail(Code::kIo, "the brokers did not tell of all topics");
  std::vector<TopicFound> found;
  for (std::size_t i = 0; i < count; ++i) {
    TopicFound& topic = found.emplace_back();
    topic.presence = WEIR_TRY(presence(client, *descriptions[i]));
    if (topic.presence == Presence::kDenied) continue;
    topic.may_read = may(*descriptions[i], RD_KAFKA_ACL_OPERATION_READ);
    topic.may_write = may(*descriptions[i], RD_KAFKA_ACL_OPERATION_WRITE);
  }
  return found;
}

void add_lacking(const TopicSpec& topic, const TopicFound& found,
                 std::vector<KafkaRight>& lacking) {
  if (found.presence == Presence::kMissing) return;
  if (topic.use.read && !found.may_read) lacking.push_back(to_read(topic.name));
  if (topic.use.write && !found.may_write) lacking.push_back(to_write(topic.name));
  const bool described = found.presence != Presence::kDenied;
  if (topic.use.describe && !topic.use.read && !topic.use.write && !described) {
    lacking.push_back(to_describe(topic.name));
  }
}

using NewTopicPtr = std::unique_ptr<rd_kafka_NewTopic_t, NewTopicDeleter>;

Result<NewTopicPtr> new_topic(const TopicSpec& spec) {
  char reason[256] = "";
  NewTopicPtr topic(rd_kafka_NewTopic_new(spec.name.c_str(), spec.partitions, -1, reason,
                                          sizeof reason));  // -1: as many replicas as brokers say
  if (!topic) return fail(Code::kInvalidArgument, "topic " + spec.name + ": " + reason);
  if (spec.keep_for_ever) {
    rd_kafka_NewTopic_set_config(topic.get(), "cleanup.policy", "delete");
    rd_kafka_NewTopic_set_config(topic.get(), "retention.ms", "-1");
    rd_kafka_NewTopic_set_config(topic.get(), "retention.bytes", "-1");
  }
  return topic;
}

Status create(const KafkaClient& client, const std::vector<TopicSpec>& topics, Millis timeout) {
  std::vector<NewTopicPtr> owned;
  std::vector<rd_kafka_NewTopic_t*> raw;
  for (const TopicSpec& spec : topics) {
    owned.push_back(WEIR_TRY(new_topic(spec)));
    raw.push_back(owned.back().get());
  }
  const QueuePtr queue(rd_kafka_queue_new(client.get()));
  const OptionsPtr options = options_for(client.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout);
  rd_kafka_CreateTopics(client.get(), raw.data(), raw.size(), options.get(), queue.get());
  const EventPtr event = WEIR_TRY(answer(client, queue.get(), timeout));
  std::size_t count = 0;
  const auto** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto error = rd_kafka_topic_result_error(results[i]);
    // Another process was faster: as good.
    if (!error || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    const std::string name = rd_kafka_topic_result_name(results[i]);
    const bool denied = error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                        error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
    const auto spec = std::find_if(topics.begin(), topics.end(),
                                   [&](const TopicSpec& topic) { return topic.name == name; });
    if (denied && spec != topics.end() && !spec->use.describe) continue;
    const KafkaRight to_create{"Create", "topic", name};
    const Error refused = denied
                              ? kafka_denial(client.get(), {&to_create, 1})
                              : client.error(error, rd_kafka_topic_result_error_string(results[i]));
    return fail(Error(refused).while_doing("making topic " + name));
  }
  return {};
}

Result<std::vector<std::int64_t>> list_offsets(const KafkaClient& client, const KafkaRight& wanted,
                                               int count, std::int64_t spec,
                                               rd_kafka_IsolationLevel_t isolation,
                                               Millis timeout) {
  const std::string& topic = wanted.name;
  const PartitionListPtr list(rd_kafka_topic_partition_list_new(count));
  for (int partition = 0; partition < count; ++partition) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = spec;
  }
  const QueuePtr queue(rd_kafka_queue_new(client.get()));
  const OptionsPtr options = options_for(client.get(), RD_KAFKA_ADMIN_OP_LISTOFFSETS, timeout);
  const KafkaErrorPtr refused(rd_kafka_AdminOptions_set_isolation_level(options.get(), isolation));
  if (refused) return fail(client.error(*refused));
  rd_kafka_ListOffsets(client.get(), list.get(), options.get(), queue.get());
  const EventPtr event = WEIR_TRY(answer(client, queue.get(), timeout));
  std::size_t answers = 0;
  const auto** infos =
      rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(event.get()), &answers);
  std::vector<std::optional<std::int64_t>> found(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < answers; ++i) {
    const auto* at = rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i]);
    if (at->err) return fail(client.error(at->err, wanted));
    if (at->partition >= 0 && at->partition < count) {
      found[static_cast<std::size_t>(at->partition)] = at->offset;
    }
  }
  std::vector<std::int64_t> offsets;
  for (const auto& offset : found) {
    if (!offset) return fail(Code::kIo, "no answer on a partition of " + topic);
    offsets.push_back(*offset);
  }
  return offsets;
}

}  // namespace

Result<std::string> kafka_topic_id(const KafkaClient& client, const std::string& topic,
                                   Millis timeout) {
  const EventPtr event = WEIR_TRY(descriptions_of(client, {topic.c_str()}, timeout));
  std::size_t count = 0;
  const auto** descriptions = rd_kafka_DescribeTopics_result_topics(
      rd_kafka_event_DescribeTopics_result(event.get()), &count);
  if (count != 1) return fail(Code::kIo, "the brokers did not tell of " + topic);
  if (const auto code = rd_kafka_error_code(rd_kafka_TopicDescription_error(descriptions[0]))) {
    return fail(client.error(code, to_read(topic)));
  }
  const auto* id = rd_kafka_TopicDescription_topic_id(descriptions[0]);
  const bool known = id && (rd_kafka_Uuid_most_significant_bits(id) != 0 ||
                            rd_kafka_Uuid_least_significant_bits(id) != 0);
  return known ? std::string(rd_kafka_Uuid_base64str(id)) : std::string();
}

Status ensure_kafka_topics(const KafkaClientFactory& factory, const std::vector<TopicSpec>& topics,
                           Millis timeout) {
  if (topics.empty()) return {};
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  const auto client =
      WEIR_TRY(factory.consumer("", "admin", std::make_shared<KafkaClientContext>("admin")));
  std::vector<const char*> names;
  for (const TopicSpec& topic : topics) names.push_back(topic.name.c_str());
  bool created = false;
  for (;;) {
    const auto found = WEIR_TRY(describe(*client, names, left_until(deadline)));
    std::vector<TopicSpec> missing;
    std::vector<KafkaRight> lacking;
    bool ready = true;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const Presence presence = found[i].presence;
      if (presence == Presence::kMissing) missing.push_back(topics[i]);
      add_lacking(topics[i], found[i], lacking);
      const bool left_alone = created && !topics[i].use.describe;
      if (presence == Presence::kNotReady || (presence == Presence::kMissing && !left_alone)) {
        ready = false;
      }
    }
    if (!lacking.empty()) return fail(kafka_denial(client->get(), lacking));
    if (ready) return {};
    if (!missing.empty() && !created) {
      WEIR_TRY(create(*client, missing, left_until(deadline)));
      created = true;
    }
    if (left_until(deadline) == Millis(0)) {
      return fail(Code::kTimeout, "a topic that was just made does not get a leader");
    }
    std::this_thread::sleep_for(std::min(Millis(20), left_until(deadline)));
  }
}

Result<std::vector<KafkaRight>> kafka_lacking_rights(const KafkaClient& client,
                                                     const std::vector<KafkaRight>& wanted,
                                                     Millis timeout) {
  std::vector<const char*> names;
  for (const KafkaRight& right : wanted) names.push_back(right.name.c_str());
  const auto found = WEIR_TRY(describe(client, names, timeout));
  std::vector<KafkaRight> lacking;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool may_do = wanted[i].operation == "Write" ? found[i].may_write : found[i].may_read;
    if (found[i].presence != Presence::kMissing && !may_do) lacking.push_back(wanted[i]);
  }
  return lacking;
}

Result<std::vector<std::int64_t>> kafka_list_offsets(const KafkaClient& client,
                                                     const KafkaRight& wanted, int count,
                                                     std::int64_t spec,
                                                     rd_kafka_IsolationLevel_t isolation,
                                                     Millis timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    auto offsets = list_offsets(client, wanted, count, spec, isolation, left_until(deadline));
    // A topic that was made just now may not have its leaders yet.
    const bool passes = !offsets && offsets.error().code() == Code::kUnavailable;
    if (!passes || left_until(deadline) == Millis(0)) return offsets;
    rd_kafka_poll(client.get(), 50);
  }
}

Result<std::vector<std::int64_t>> kafka_log_ends(const KafkaClient& client,
                                                 const KafkaRight& wanted, int count,
                                                 Millis timeout) {
  return kafka_list_offsets(client, wanted, count, RD_KAFKA_OFFSET_SPEC_LATEST,
                            RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED, timeout);
}

}  // namespace weir::stream
