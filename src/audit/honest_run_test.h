// An honest run, written by hand onto the twins, for the audit to judge.
//
// Two epochs with a model each and one that was refused; ten records in each of two partitions, the
// first five answered in epoch 1, the others in epoch 2; record 3 of partition 1 is a dead letter,
// record 4 a table of two rows. Owner: a test. Threads: one.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "audit/audit.h"
#include "base/simulated_clock.h"
#include "store/memory_file_store.h"
#include "stream/memory_broker.h"

namespace weir::audit {

using Names = std::vector<std::string>;

// One record that the run writes, in the order of time.
struct Event {
  std::string topic;
  std::int32_t partition = 0;
  std::optional<std::string> key;
  std::string value;
  stream::Headers headers;
  Millis before{10};  // what passes before it is written
};

struct Past {
  std::vector<Event> events;
  std::map<std::string, std::string> files;
  std::int64_t uncommitted = 0;  // records at the end of partition 0 that the offsets leave out
};

Past honest();
// With the trainer's signature on every control record.
void sign_control(Past& run);
// As resumes were before they told where the predictions topic ends.
void leave_out_ends(Past& run);

extern const std::string kDataset;  // three rows, and a blank line
// Model v says v + 2 * x + v * y.
double predict(std::uint64_t version, double x, double y);
std::string model_json(std::uint64_t version);
std::string manifest_json(std::uint64_t version, const std::string& name);
Event begin(const char* type, std::uint64_t epoch, const std::string& name);
Event resume(std::uint64_t epoch, std::uint64_t version, const char* outcome);
Event swap(std::uint64_t epoch, std::int32_t partition, std::int64_t offset);
Event prediction(std::int32_t partition, std::int64_t offset, std::uint64_t version,
                 std::uint64_t epoch, const std::string& key, const std::string& value);
// The first with this key; fails the test where there is none.
Event& event_of(Past& run, const std::string& topic, const std::string& key);

// A run on the twins, its offsets committed by a member of the group.
class Played {
 public:
  explicit Played(const Past& run);
  Result<AuditReport> audit(std::optional<std::int64_t> since_ms = std::nullopt);
  record::ControlTopic control_topic = std::string("p.control");

  SimulatedClock clock;
  stream::MemoryBroker broker{clock};
  store::MemoryFileStore store{clock};

 private:
  void commit(std::int64_t uncommitted);
};

// The names of the breaches found; checks that each has an example.
Names found_in(const Findings& findings);

}  // namespace weir::audit
