#include "config/settings_rules.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "config/setting_table.h"

namespace weir::config {
namespace {

bool holds(const std::string& folder, const std::string& path) {
  return path == folder || path.starts_with(folder + "/");
}

// Two settings that name the same topic or group would mix what must stay apart.
void look_for_twins(const Settings& settings, const std::string& section,
                    std::vector<BrokenRule>& broken) {
  std::map<std::string, std::string> owner;
  for (const Setting& setting : setting_table()) {
    const bool of_section =
        section == "group" ? setting.name.ends_with(".group") : section_of(setting.name) == section;
    if (!of_section || setting.pipeline_suffix.empty()) continue;
    const std::string name = setting.get(settings);
    if (name.empty()) continue;  // there is no pipeline to name it after
    const auto [first, is_new] = owner.emplace(name, setting.name);
    if (is_new) continue;
    broken.push_back(
        {setting.name, first->second, "the same name as " + first->second, "give each its own"});
  }
}

}  // namespace

void fill_from_pipeline(Settings& settings) {
  for (const Setting& setting : setting_table()) {
    if (setting.pipeline_suffix.empty() || !setting.get(settings).empty()) continue;
    const SetResult refusal = setting.set(settings, settings.pipeline + setting.pipeline_suffix);
    // A pipeline's name is bounded so that the longest suffix fits behind it.
    WEIR_CHECK(!refusal);
  }
}

std::vector<BrokenRule> broken_rules(const Settings& settings) {
  std::vector<BrokenRule> broken;
  const auto& dataset = settings.dataset;
  if (holds(dataset.path, settings.model.path)) {
    broken.push_back({"model.path", "dataset.path", "lies in dataset.path (" + dataset.path + ")",
                      "keep models outside the drop folder"});
  } else if (holds(settings.model.path, dataset.path)) {
    broken.push_back({"dataset.path", "model.path",
                      "lies in model.path (" + settings.model.path + ")",
                      "keep the drop folder outside the models"});
  }
  const auto& dropped = dataset.drop_columns;
  if (std::find(dropped.begin(), dropped.end(), dataset.target) != dropped.end()) {
    broken.push_back(
        {"dataset.drop_columns", "dataset.target", "holds the target", "name only other columns"});
  }
  if (settings.topics.replication == 0) {
    broken.push_back({"topics.replication", "", "0 copies are none", "-1, or 1 and more"});
  }
  look_for_twins(settings, "topics", broken);
  look_for_twins(settings, "group", broken);
  return broken;
}

}  // namespace weir::config
