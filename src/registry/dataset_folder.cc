#include "registry/dataset_folder.h"

#include <algorithm>

#include "base/log.h"

namespace weir::registry {
namespace {

constexpr std::string_view kMarker = "_SUCCESS";
constexpr std::string_view kReasonEnding = ".reason.json";
// What HDFS, by default, and the file systems of Linux take. A data set whose new name were longer
// could never be moved away, and no other would be taken up.
constexpr std::size_t kNameBytesMax = 255;
// A clock that is put back by so much was wrong before, and what it said then counts no more. By
// less, nothing comes a second time. As Vixie cron has it.
constexpr Millis kPutBackMax{3 * 3'600'000};

}  // namespace

bool is_data_name(std::string_view name) {
  if (name.empty() || name.front() == '_' || name.front() == '.') return false;
  for (const std::string_view ending : {"._COPYING_", ".tmp", ".inprogress"}) {
    if (name.ends_with(ending)) return false;
  }
  return true;
}

namespace {

// The first `bytes_max` bytes, without half a character of UTF-8 at the end.
std::string_view cut(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

// "boston.csv", "3" -> "boston.3.csv"; "boston", "3" -> "boston.3". A name that leaves no room for
// the mark, or for a reason beside it, loses its end, or what stands before its ending.
std::string with_mark(std::string_view name, std::string_view mark) {
  const std::size_t room = kNameBytesMax - kReasonEnding.size() - 1 - mark.size();
  std::size_t dot = std::min(name.rfind('.'), name.size());
  if (name.size() - dot > room / 2) dot = name.size();  // no ending, but a name with a dot in it
  const std::string_view ending = name.substr(dot);
  return std::string(cut(name.substr(0, dot), room - ending.size())) + "." + std::string(mark) +
         std::string(ending);
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

Dataset of_file(const store::FileStatus& file) {
  return {{file.path, file.length, file.modified_ms, file.file_id}, {file}, false, {}};
}

// nullopt where the folder is no data set (yet): no marker, or no data in it.
Result<std::optional<Dataset>> of_folder(store::FileStore& store, const store::FileStatus& folder) {
  Dataset dataset{{folder.path, 0, folder.modified_ms, folder.file_id}, {}, true, {}};
  bool complete = false;
  for (const auto& entry : WEIR_TRY(store.list(folder.path))) {
    complete = complete || entry.name == kMarker;
    if (entry.is_directory || !is_data_name(entry.name)) continue;
    dataset.identity.length += entry.length;
    dataset.identity.modified_ms = std::max(dataset.identity.modified_ms, entry.modified_ms);
    // Spark writes an empty part for an empty partition: it has no header and no rows.
    if (entry.length > 0) dataset.parts.push_back(entry);
  }
  if (!complete || dataset.parts.empty()) return std::optional<Dataset>();
  return std::optional<Dataset>(std::move(dataset));
}

}  // namespace

Status DatasetFolder::make_folders() {
  for (const char* folder : {"", "/used", "/rejected"}) {
    WEIR_TRY(
        during(store_.make_directories(path_ + folder), "making " + store_.url(path_ + folder)));
  }
  return {};
}

// A file that is moved into the folder keeps its time of change, which may be days ago: it came
// after the look that did not see it. At the first look nothing else is known. The store's clock is
// not ours.
WallTime DatasetFolder::time_of_arrival(const record::DatasetIdentity& identity, const Seen* before,
                                        WallTime now) const {
  if (before && before->identity == identity) {
    return before->came - now > kPutBackMax ? now : before->came;
  }
  const WallTime changed{Millis{identity.modified_ms}};
  return std::min(std::max(changed, last_look_at_.value_or(changed)), now);
}

Result<std::vector<Dataset>> DatasetFolder::look() {
  const SteadyTime now = clock_.steady();
  const WallTime now_wall = clock_.wall();
  std::map<std::string, Seen> seen;
  std::set<std::string> unreadable;
  std::vector<Dataset> ready;
  settling_ = false;
  for (const auto& entry :
       WEIR_TRY(during(store_.list(path_), "looking for data sets in " + store_.url(path_)))) {
    const bool own = entry.is_directory && (entry.name == "used" || entry.name == "rejected");
    if (own || !is_data_name(entry.name)) continue;
    std::optional<Dataset> dataset;
    if (!entry.is_directory) {
      dataset = of_file(entry);
    } else {
      auto folder = of_folder(store_, entry);
      // Gone between the two listings: it was moved, the next look will tell.
      if (!folder && folder.error().code() == Code::kNotFound) continue;
      if (!folder && folder.error().code() == Code::kPermissionDenied) {
        // One that nobody lets us into must not keep the others waiting.
        if (!unreadable_.contains(entry.path)) {
          log::warn("passing over a folder that cannot be looked into",
                    {{"folder", store_.url(entry.path)}, {"reason", folder.error()}});
        }
        unreadable.insert(entry.path);
        continue;
      }
      if (!folder) return fail(std::move(folder.error()));
      dataset = std::move(*folder);
    }
    if (!dataset) continue;
    const auto before = last_look_.find(entry.path);
    const bool same = before != last_look_.end() && before->second.identity == dataset->identity;
    const SteadyTime since = same ? before->second.since : now;
    dataset->came = time_of_arrival(
        dataset->identity, before == last_look_.end() ? nullptr : &before->second, now_wall);
    seen.emplace(entry.path, Seen{dataset->identity, since, dataset->came});
    if (!same || now - since < settle_time_) {
      settling_ = true;
      continue;
    }
    // A file that is open for writing can keep its length for minutes: HDFS counts whole blocks.
    if (!WEIR_TRY(is_being_written(*dataset))) ready.push_back(std::move(*dataset));
  }
  last_look_ = std::move(seen);
  unreadable_ = std::move(unreadable);
  last_look_at_ = now_wall;
  return ready;
}

Result<bool> DatasetFolder::is_being_written(const Dataset& dataset) {
  bool being_written = false;
  for (const auto& part : dataset.parts) {
    auto writing = store_.is_being_written(part.path);
    // One that may not be read is taken up as it is: it will be refused, and the others go on.
    if (!writing && writing.error().code() == Code::kPermissionDenied) continue;
    if (!writing && writing.error().code() != Code::kNotFound) return fail(writing.error());
    being_written = being_written || !writing || *writing;
  }
  return being_written;
}

Result<Dataset> DatasetFolder::open(const std::string& path) const {
  const store::FileStatus status = WEIR_TRY(store_.status(path));
  if (!status.is_directory) return of_file(status);
  auto dataset = WEIR_TRY(of_folder(store_, status));
  if (!dataset) return fail(Code::kNotFound, store_.url(path) + " is no finished data set");
  return *dataset;
}

std::string DatasetFolder::used_path(const std::string& path, std::uint64_t epoch) const {
  return path_ + "/used/" + with_mark(last_part(path), std::to_string(epoch));
}

std::string DatasetFolder::rejected_path(const std::string& path, std::uint64_t epoch) const {
  return path_ + "/rejected/" + with_mark(last_part(path), std::to_string(epoch));
}

Status DatasetFolder::move(const std::string& from, const std::string& to) {
  auto moved = store_.rename(from, to);
  if (moved) return {};
  // A trainer that died between the move and its next step finds the move done.
  if (moved.error().code() == Code::kNotFound && store_.status(to)) return {};
  return fail(std::move(moved.error()).while_doing("moving " + store_.url(from) + " to " + to));
}

Status DatasetFolder::move_to_used(const std::string& path, std::uint64_t epoch) {
  return move(path, used_path(path, epoch));
}

Status DatasetFolder::move_to_rejected(const std::string& path, std::uint64_t epoch,
                                       std::string_view reason_json) {
  const std::string target = rejected_path(path, epoch);
  const std::string reason_path = target + std::string(kReasonEnding);
  // Written anew where a crash left half of it.
  WEIR_TRY(store_.remove(reason_path));
  WEIR_TRY(during(store::create_from(store_, reason_path, reason_json),
                  "writing " + store_.url(reason_path)));
  return move(path, target);
}

Status DatasetFolder::move_duplicate(const std::string& path, std::uint64_t version,
                                     std::string_view reason_json) {
  for (int n = 1;; ++n) {
    const std::string mark = std::to_string(version) + ".duplicate-" + std::to_string(n);
    const std::string target = path_ + "/rejected/" + with_mark(last_part(path), mark);
    if (store_.status(target)) continue;
    const std::string reason_path = target + std::string(kReasonEnding);
    WEIR_TRY(store_.remove(reason_path));
    WEIR_TRY(store::create_from(store_, reason_path, reason_json));
    return move(path, target);
  }
}

}  // namespace weir::registry
