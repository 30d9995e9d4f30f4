#include <algorithm>
#include <span>

#include "stream/kafka_error_internal.h"

namespace weir::stream {

namespace {

using KafkaCode = rd_kafka_resp_err_t;

constexpr KafkaCode kAway[] = {RD_KAFKA_RESP_ERR__TRANSPORT,
                               RD_KAFKA_RESP_ERR__RESOLVE,
                               RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
                               RD_KAFKA_RESP_ERR__ISR_INSUFF,
                               RD_KAFKA_RESP_ERR__NODE_UPDATE,
                               RD_KAFKA_RESP_ERR__WAIT_COORD,
                               RD_KAFKA_RESP_ERR__UNKNOWN_BROKER,
                               RD_KAFKA_RESP_ERR__WAIT_CACHE,
                               RD_KAFKA_RESP_ERR__INTR,
                               RD_KAFKA_RESP_ERR__DESTROY,
                               RD_KAFKA_RESP_ERR__DESTROY_BROKER,
                               RD_KAFKA_RESP_ERR__OUTDATED,
                               RD_KAFKA_RESP_ERR__IN_PROGRESS,
                               RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS,
                               RD_KAFKA_RESP_ERR__RETRY,
                               RD_KAFKA_RESP_ERR__PARTIAL,
                               RD_KAFKA_RESP_ERR__QUEUE_FULL,
                               RD_KAFKA_RESP_ERR__PURGE_QUEUE,
                               RD_KAFKA_RESP_ERR__PURGE_INFLIGHT,
                               RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED,
                               RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST,
                               RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
                               RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                               RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE,
                               RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
                               RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
                               RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
                               RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
                               RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
                               RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                               RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
                               RD_KAFKA_RESP_ERR_NOT_CONTROLLER,
                               RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS,
                               RD_KAFKA_RESP_ERR_STALE_CTRL_EPOCH,
                               RD_KAFKA_RESP_ERR_STALE_BROKER_EPOCH,
                               RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
                               RD_KAFKA_RESP_ERR_REASSIGNMENT_IN_PROGRESS,
                               RD_KAFKA_RESP_ERR_FETCH_SESSION_ID_NOT_FOUND,
                               RD_KAFKA_RESP_ERR_INVALID_FETCH_SESSION_EPOCH,
                               RD_KAFKA_RESP_ERR_LISTENER_NOT_FOUND,
                               RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
                               RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
                               RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,
                               RD_KAFKA_RESP_ERR_MEMBER_ID_REQUIRED,
                               RD_KAFKA_RESP_ERR_PREFERRED_LEADER_NOT_AVAILABLE,
                               RD_KAFKA_RESP_ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE,
                               RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
                               RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED,
                               RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_ID,
                               RD_KAFKA_RESP_ERR_REBOOTSTRAP_REQUIRED,
                               RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED,
                               RD_KAFKA_RESP_ERR_ELECTION_NOT_NEEDED,
                               RD_KAFKA_RESP_ERR_NO_REASSIGNMENT_IN_PROGRESS,
                               RD_KAFKA_RESP_ERR_INVALID_UPDATE_VERSION,
                               RD_KAFKA_RESP_ERR_LOG_DIR_NOT_FOUND,
                               RD_KAFKA_RESP_ERR_INCONSISTENT_VOTER_SET};

// The group went on without this member: nothing of it can be committed; it joins again.
constexpr KafkaCode kLeftBehind[] = {
    RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,    RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
    RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR_STALE_MEMBER_EPOCH,
    RD_KAFKA_RESP_ERR_FENCED_MEMBER_EPOCH,   RD_KAFKA_RESP_ERR_UNRELEASED_INSTANCE_ID};

// The transactional id was idle for days and the broker forgot it: a new sink gets a new id.
constexpr KafkaCode kForgotten[] = {
    RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING,  RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID,
    RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER,
    RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE,           RD_KAFKA_RESP_ERR__INCONSISTENT};

constexpr KafkaCode kTimeoutCodes[] = {
    RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
    RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT};

constexpr KafkaCode kFencedCodes[] = {
    RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
    RD_KAFKA_RESP_ERR_PRODUCER_FENCED, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID,
    RD_KAFKA_RESP_ERR_TRANSACTION_COORDINATOR_FENCED};

constexpr KafkaCode kPermissionDeniedCodes[] = {
    RD_KAFKA_RESP_ERR__AUTHENTICATION,
    RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
    RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
    RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
    RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
    RD_KAFKA_RESP_ERR_SECURITY_DISABLED,
    RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
    RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_AUTH_DISABLED,
    RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_NOT_FOUND,
    RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_OWNER_MISMATCH,
    RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
    RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_AUTHORIZATION_FAILED,
    RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_EXPIRED,
    RD_KAFKA_RESP_ERR_UNACCEPTABLE_CREDENTIAL,
    RD_KAFKA_RESP_ERR_INVALID_PRINCIPAL_TYPE,
    RD_KAFKA_RESP_ERR_PRINCIPAL_DESERIALIZATION_FAILURE,
    RD_KAFKA_RESP_ERR_TOPIC_DELETION_DISABLED};

constexpr KafkaCode kNotFoundCodes[] = {
    RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,    RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
    RD_KAFKA_RESP_ERR__UNKNOWN_GROUP,        RD_KAFKA_RESP_ERR__NOENT,
    RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND,
    RD_KAFKA_RESP_ERR_RESOURCE_NOT_FOUND,    RD_KAFKA_RESP_ERR_UNKNOWN_SUBSCRIPTION_ID};

constexpr KafkaCode kAlreadyExistsCodes[] = {
    RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, RD_KAFKA_RESP_ERR_DUPLICATE_RESOURCE,
    RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP, RD_KAFKA_RESP_ERR_GROUP_SUBSCRIBED_TO_TOPIC};

// The record or the request cannot be taken as it is.
constexpr KafkaCode kInvalidArgumentCodes[] = {RD_KAFKA_RESP_ERR__INVALID_ARG,
                                               RD_KAFKA_RESP_ERR__INVALID_TYPE,
                                               RD_KAFKA_RESP_ERR__KEY_SERIALIZATION,
                                               RD_KAFKA_RESP_ERR__VALUE_SERIALIZATION,
                                               RD_KAFKA_RESP_ERR__INVALID_DIFFERENT_RECORD,
                                               RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
                                               RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                               RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
                                               RD_KAFKA_RESP_ERR_INVALID_RECORD,
                                               RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP,
                                               RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE,
                                               RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE,
                                               RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
                                               RD_KAFKA_RESP_ERR_INVALID_PARTITIONS,
                                               RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR,
                                               RD_KAFKA_RESP_ERR_INVALID_REPLICA_ASSIGNMENT,
                                               RD_KAFKA_RESP_ERR_INVALID_GROUP_ID,
                                               RD_KAFKA_RESP_ERR_INVALID_REQUEST,
                                               RD_KAFKA_RESP_ERR_TELEMETRY_TOO_LARGE};

constexpr KafkaCode kBadConfigCodes[] = {RD_KAFKA_RESP_ERR__SSL,
                                         RD_KAFKA_RESP_ERR__NOT_CONFIGURED,
                                         RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT,
                                         RD_KAFKA_RESP_ERR_INVALID_CONFIG,
                                         RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT,
                                         RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS,
                                         RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL,
                                         RD_KAFKA_RESP_ERR_UNSUPPORTED_ASSIGNOR,
                                         RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM,
                                         RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE};

constexpr KafkaCode kUnsupportedCodes[] = {RD_KAFKA_RESP_ERR__UNKNOWN_PROTOCOL,
                                           RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED,
                                           RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE,
                                           RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION,
                                           RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT,
                                           RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE,
                                           RD_KAFKA_RESP_ERR_FEATURE_UPDATE_FAILED};

constexpr KafkaCode kCorruptCodes[] = {RD_KAFKA_RESP_ERR__BAD_MSG,
                                       RD_KAFKA_RESP_ERR__BAD_COMPRESSION,
                                       RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET,
                                       RD_KAFKA_RESP_ERR__LOG_TRUNCATION,
                                       RD_KAFKA_RESP_ERR__NO_OFFSET,
                                       RD_KAFKA_RESP_ERR__UNDERFLOW,
                                       RD_KAFKA_RESP_ERR__KEY_DESERIALIZATION,
                                       RD_KAFKA_RESP_ERR__VALUE_DESERIALIZATION,
                                       RD_KAFKA_RESP_ERR_INVALID_MSG,
                                       RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE};

constexpr KafkaCode kExhaustedCodes[] = {RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE};

// A call that this room should not have made.
constexpr KafkaCode kInternalCodes[] = {RD_KAFKA_RESP_ERR__STATE,
                                        RD_KAFKA_RESP_ERR__CONFLICT,
                                        RD_KAFKA_RESP_ERR__EXISTING_SUBSCRIPTION,
                                        RD_KAFKA_RESP_ERR__APPLICATION,
                                        RD_KAFKA_RESP_ERR__NOOP,
                                        RD_KAFKA_RESP_ERR__READ_ONLY,
                                        RD_KAFKA_RESP_ERR_INVALID_TXN_STATE};

// No more is known than that it failed; or no error at all, but an event.
constexpr KafkaCode kIoCodes[] = {RD_KAFKA_RESP_ERR__FAIL,
                                  RD_KAFKA_RESP_ERR__FS,
                                  RD_KAFKA_RESP_ERR__FATAL,
                                  RD_KAFKA_RESP_ERR__PARTITION_EOF,
                                  RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS,
                                  RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS,
                                  RD_KAFKA_RESP_ERR__BEGIN,
                                  RD_KAFKA_RESP_ERR__END,
                                  RD_KAFKA_RESP_ERR_UNKNOWN,
                                  RD_KAFKA_RESP_ERR_OPERATION_NOT_ATTEMPTED,
                                  RD_KAFKA_RESP_ERR_NO_ERROR};

struct Group {
  Code code;
  std::span<const KafkaCode> of;
};
constexpr Group kTable[] = {
    {Code::kUnavailable, kAway},
    {Code::kUnavailable, kLeftBehind},
    {Code::kUnavailable, kForgotten},
    {Code::kTimeout, kTimeoutCodes},
    {Code::kFenced, kFencedCodes},
    {Code::kPermissionDenied, kPermissionDeniedCodes},
    {Code::kNotFound, kNotFoundCodes},
    {Code::kAlreadyExists, kAlreadyExistsCodes},
    {Code::kInvalidArgument, kInvalidArgumentCodes},
    {Code::kBadConfig, kBadConfigCodes},
    {Code::kUnsupported, kUnsupportedCodes},
    {Code::kCorrupt, kCorruptCodes},
    {Code::kExhausted, kExhaustedCodes},
    {Code::kInternal, kInternalCodes},
    {Code::kIo, kIoCodes},
};

// What the error denies; nullopt where it does not say so, or not on what.
std::optional<KafkaRight> denied_right(rd_kafka_t* client, rd_kafka_resp_err_t error,
                                       const KafkaRight* wanted) {
  const auto of = [&](const char* resource, const char* operation,
                      const char* property) -> std::optional<KafkaRight> {
    if (wanted && wanted->resource == resource) return *wanted;
    const std::string name = property ? kafka_property(client, property) : "";
    if (property && name.empty()) return std::nullopt;
    return KafkaRight{operation, resource, name};
  };
  switch (error) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      if (wanted && wanted->resource == "topic") return *wanted;
      return std::nullopt;
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED: return of("group", "Read", "group.id");
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return of("transactional-id", "Write", "transactional.id");
    // Asked of a producer without a transactional id, unless it may write to any topic at all.
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return of("cluster", "IdempotentWrite", nullptr);
    default: return std::nullopt;
  }
}

}  // namespace

std::optional<Code> tabled_code(rd_kafka_resp_err_t error) {
  for (const Group& group : kTable) {
    if (std::find(group.of.begin(), group.of.end(), error) != group.of.end()) return group.code;
  }
  return std::nullopt;
}

Code classify(rd_kafka_resp_err_t error, KafkaErrorFlags flags) {
  const Code code = tabled_code(error).value_or(Code::kIo);
  if (code == Code::kFenced || code == Code::kPermissionDenied) return code;
  const bool passing = code == Code::kUnavailable || code == Code::kTimeout;
  if (flags.fatal) return passing ? Code::kIo : code;
  if (flags.retriable && !passing) return Code::kUnavailable;
  // What the record or the request itself is to blame for comes again after any abort.
  const bool blamed = code == Code::kInvalidArgument || code == Code::kNotFound;
  if (flags.abortable && !passing && !blamed) return Code::kUnavailable;
  return code;
}

KafkaErrorFlags flags_of(const rd_kafka_error_t& error) {
  KafkaErrorFlags flags;
  flags.fatal = rd_kafka_error_is_fatal(&error) != 0;
  flags.retriable = rd_kafka_error_is_retriable(&error) != 0;
  flags.abortable = rd_kafka_error_txn_requires_abort(&error) != 0;
  return flags;
}

Error kafka_error(rd_kafka_resp_err_t error, const char* detail, KafkaErrorFlags flags) {
  const bool has_detail = detail && *detail;
  return Error(classify(error, flags), std::string(has_detail ? detail : rd_kafka_err2str(error)) +
                                           " (" + rd_kafka_err2name(error) + ")");
}

Error kafka_error(const rd_kafka_error_t& error) {
  return kafka_error(rd_kafka_error_code(&error), rd_kafka_error_string(&error), flags_of(error));
}

Error kafka_error(rd_kafka_t* client, rd_kafka_resp_err_t error, const char* detail,
                  const KafkaRight* wanted) {
  char reason[512] = "";
  const rd_kafka_resp_err_t cause = rd_kafka_fatal_error(client, reason, sizeof reason);
  const bool fatal = cause != RD_KAFKA_RESP_ERR_NO_ERROR;
  if (const auto right = denied_right(client, fatal ? cause : error, wanted)) {
    return kafka_denial(client, {&*right, 1});
  }
  if (!fatal) return kafka_error(error, detail);
  KafkaErrorFlags flags;
  flags.fatal = true;
  return kafka_error(cause, reason, flags);
}

std::string kafka_property(rd_kafka_t* client, const char* name) {
  char value[512] = "";
  std::size_t size = sizeof value;
  const auto found = rd_kafka_conf_get(rd_kafka_conf(client), name, value, &size);
  return found == RD_KAFKA_CONF_OK ? value : "";
}

Error kafka_denial(rd_kafka_t* client, std::span<const KafkaRight> lacking) {
  return Error(Code::kPermissionDenied, denial(kafka_property(client, "sasl.username"), lacking));
}

}  // namespace weir::stream
