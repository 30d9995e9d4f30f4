// The whole audit: gathers the evidence in an order that is fair to a pipeline at work, and has it
// judged.
//
// Owner: a command, or a test. Threads: one. Errors: kUnavailable, kTimeout, kNotFound (no such
// topic) and the store's: then nothing was judged. Breaches are no errors: they are in the report.
// Memory: see feature_window.h; the control log and the listings are held whole.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "audit/findings.h"
#include "audit/store_audit.h"
#include "audit/stream_audit.h"
#include "base/clock.h"
#include "record/control_topic.h"
#include "store/file_store.h"
#include "stream/broker.h"

namespace weir::audit {

struct AuditOptions {
  std::string features_topic;
  std::string predictions_topic;
  std::string dead_topic;
  record::ControlTopic control_topic;
  std::string swaps_topic;
  std::string group;  // of the scorers
  std::string dataset_path;
  std::string models_path;
  // Only records of this time and later, and epochs that ended since; 1970-based.
  std::optional<std::int64_t> since_ms;
  std::size_t examples_max = 10;  // sentences for each kind of breach
  StreamAuditOptions stream;
};

struct AuditReport {
  explicit AuditReport(std::size_t examples_max) : findings(examples_max) {}
  Findings findings;
  StreamCounts stream;
  StoreCounts store;
  std::uint64_t control_records = 0;
  std::uint64_t epochs = 0;  // that have ended
};

// `stage` is "data sets" (bytes) or "answers" (records); total 0 where it is not known. An error
// ends the audit and is passed on.
using AuditProgress =
    std::function<Status(std::string_view stage, std::uint64_t done, std::uint64_t total)>;

Result<AuditReport> run_audit(const AuditOptions& options, stream::Broker& broker,
                              store::FileStore& store, Clock& clock, const AuditProgress& progress);

}  // namespace weir::audit
