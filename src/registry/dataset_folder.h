// The drop folder and the life of a data set: dropped, taken up, then in used/ or in rejected/.
//
// A data set is a file, or a folder that holds a _SUCCESS marker (what Spark writes), directly in
// the drop folder. Names that begin with '_' or '.', and those that end in ._COPYING_, .tmp or
// .inprogress, are not looked at. An entry is ready when two looks in a row, and all in the settle
// time, saw it equal (length, time of change, id), and the store does not say that it is
// still being written. An empty file is ready too, and one that may not be read: to be refused. A
// folder that may not be looked into is passed over, with one warning.
//
// Owner: the trainer. Threads: one. Errors: the store's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "record/control.h"
#include "store/file_store.h"

namespace weir::registry {

// A data set that can be read: its parts in order (the file itself, or a folder's files by name).
struct Dataset {
  record::DatasetIdentity identity;
  std::vector<store::FileStatus> parts;
  bool is_folder = false;
  // When it came, as far as can be told; of look() alone. Between two looks that is the time of its
  // last change; of what the first look finds, too, but never in the future.
  WallTime came{};
};

// Whether an entry of this name in the drop folder is looked at.
bool is_data_name(std::string_view name);

class DatasetFolder {
 public:
  // settle_time: for how long an entry must have been equal, beyond the two looks.
  DatasetFolder(store::FileStore& store, std::string path, Clock& clock = system_clock(),
                Millis settle_time = Millis{0})
      : store_(store), path_(std::move(path)), clock_(clock), settle_time_(settle_time) {}

  Status make_folders();  // the drop folder, used/ and rejected/

  // One look. The data sets that are ready, by name in byte order.
  Result<std::vector<Dataset>> look();
  // Whether the last look saw one that is not ready only because it has not stood still for long
  // enough.
  bool settling() const { return settling_; }

  // The data set at this path as it is now; kNotFound where it is gone. Needs no earlier look.
  Result<Dataset> open(const std::string& path) const;

  // Moves it to used/<name>.<epoch><.ext> or rejected/<name>.<epoch><.ext>. Fine where that has
  // been done before. A rejected one gets its reason beside it, before it is moved: .reason.json.
  // A name that would become too long to stand there is cut.
  Status move_to_used(const std::string& path, std::uint64_t epoch);
  Status move_to_rejected(const std::string& path, std::uint64_t epoch,
                          std::string_view reason_json);

  // Like move_to_rejected, as rejected/<name>.<version>.duplicate-<n><.ext> with the first free n.
  Status move_duplicate(const std::string& path, std::uint64_t version,
                        std::string_view reason_json);

  std::string used_path(const std::string& path, std::uint64_t epoch) const;
  std::string rejected_path(const std::string& path, std::uint64_t epoch) const;
  const std::string& path() const { return path_; }
  std::string url() const { return store_.url(path_); }

 private:
  struct Seen {
    record::DatasetIdentity identity;
    SteadyTime since;
    WallTime came;
  };

  Result<bool> is_being_written(const Dataset& dataset);
  WallTime time_of_arrival(const record::DatasetIdentity& identity, const Seen* before,
                           WallTime now) const;
  Status move(const std::string& from, const std::string& to);

  store::FileStore& store_;
  const std::string path_;
  Clock& clock_;
  const Millis settle_time_;
  std::map<std::string, Seen> last_look_;  // by path
  std::set<std::string> unreadable_;       // folders, at the last look
  bool settling_ = false;
  std::optional<WallTime> last_look_at_;
};

}  // namespace weir::registry
