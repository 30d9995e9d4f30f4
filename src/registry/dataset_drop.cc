#include "registry/dataset_drop.h"

#include <algorithm>

#include "base/sha256.h"

namespace weir::registry {
namespace {

constexpr std::size_t kShownBytesMax = 200;

}  // namespace

std::string fault_of_dataset_name(const std::string& name) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (name.empty()) return "it is empty";
  if (name.front() == '.' || name.front() == '_') return "it begins with '.' or '_'";
  if (name.find('/') != std::string::npos) return "it holds a '/'";
  if (std::any_of(name.begin(), name.end(), is_control)) return "it holds a control character";
  if (name == "used" || name == "rejected") return "the trainer has a folder of that name";
  for (const char* ending : {"._COPYING_", ".tmp", ".inprogress"}) {
    if (name.ends_with(ending))
      return "it ends in '" + std::string(ending) + "', as half an upload does";
  }
  return "";
}

Result<std::string> drop_dataset(store::FileStore& store, const std::string& folder,
                                 const std::string& name, const std::string& unique,
                                 const std::string& what, const WriteDataset& write) {
  if (const std::string fault = fault_of_dataset_name(name); !fault.empty()) {
    return fail(Code::kInvalidArgument,
                "'" + name + "' cannot be a data set's name: " + fault + "; give another one");
  }
  const std::string target = folder + "/" + name;
  // A name that a store just takes would be too long with more around it.
  const std::string shown = name.size() <= kShownBytesMax ? name : sha256_hex(name);
  const std::string temporary = folder + "/." + shown + "." + unique + ".tmp";
  const auto attempt = [&]() -> Status {
    WEIR_TRY(store.make_directories(folder));  // who is away altogether is not waited for
    WEIR_TRY(write(store, temporary));
    return store.rename(temporary, target);
  };
  Status dropped = during(attempt(), "dropping " + what + " as " + store.url(target));
  if (!dropped) {
    // A server that is away would only be waited for once more.
    if (!dropped.error().retryable()) static_cast<void>(store.remove(temporary));
    return fail(std::move(dropped.error()));
  }
  return store.url(target);
}

}  // namespace weir::registry
