#include "serve/dataset_lists.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "registry/dataset_folder.h"

namespace weir::serve {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kReasonBytesMax = 64 * 1024;
constexpr std::string_view kReasonEnding = ".reason.json";

// Newest first, `limit` at most.
std::vector<store::FileStatus> newest(std::vector<store::FileStatus> entries, std::size_t limit) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.modified_ms > b.modified_ms; });
  if (entries.size() > limit) entries.resize(limit);
  return entries;
}

Result<std::vector<store::FileStatus>> entries_of(store::FileStore& store,
                                                  const std::string& path) {
  auto entries = store.list(path);
  if (!entries && entries.error().code() == Code::kNotFound)
    return std::vector<store::FileStatus>{};
  return entries;
}

std::optional<std::string> reason_of(store::FileStore& store, const store::FileStatus& entry) {
  const auto text =
      store::read_all(store, entry.path + std::string(kReasonEnding), kReasonBytesMax);
  const Json reason = text ? Json::parse(*text, nullptr, false) : Json();
  if (!reason.is_object() || !reason.contains("reason") || !reason["reason"].is_string()) {
    return std::nullopt;
  }
  return reason["reason"].get<std::string>();
}

}  // namespace

std::optional<std::string> RefusalReasons::of(store::FileStore& store,
                                              const store::FileStatus& refused) {
  const std::pair key(refused.path, refused.modified_ms);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = kept_.find(key); found != kept_.end()) return found->second;
  }
  const auto reason = reason_of(store, refused);
  if (!reason) return std::nullopt;  // it may be there at the next look
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= kKeptMax) kept_.erase(kept_.begin());
  kept_[key] = *reason;
  return reason;
}

Result<DatasetLists> list_datasets(store::FileStore& store, const std::string& folder,
                                   std::size_t limit, RefusalReasons& reasons) {
  DatasetLists lists;
  lists.waiting = WEIR_TRY(entries_of(store, folder));
  std::erase_if(lists.waiting, [](const auto& entry) {
    return !registry::is_data_name(entry.name) || entry.name == "used" || entry.name == "rejected";
  });
  if (lists.waiting.size() > limit) lists.waiting.resize(limit);
  lists.used = newest(WEIR_TRY(entries_of(store, folder + "/used")), limit);
  auto refused = WEIR_TRY(entries_of(store, folder + "/rejected"));
  std::vector<std::string> told_of;
  for (const auto& entry : refused) {
    if (entry.name.ends_with(kReasonEnding)) told_of.push_back(entry.name);
  }
  std::erase_if(refused, [](const auto& entry) { return entry.name.ends_with(kReasonEnding); });
  for (auto& entry : newest(std::move(refused), limit)) {
    const bool told = std::find(told_of.begin(), told_of.end(),
                                entry.name + std::string(kReasonEnding)) != told_of.end();
    auto reason = told ? reasons.of(store, entry) : std::nullopt;
    lists.refused.push_back({std::move(entry), std::move(reason)});
  }
  return lists;
}

}  // namespace weir::serve
