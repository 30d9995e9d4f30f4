#include "config/schedule_settings.h"

#include "base/schedule.h"
#include "config/setting_kinds.h"

// A setting's name is its member's path, so that the two cannot part.
#define WEIR_AT(member) \
#member, [](auto& s) -> auto& { return s.member; }

namespace weir::config {
namespace {

using namespace std::chrono_literals;

// A list whose items hold commas of their own: outside of the file they stand with ; between.
Setting schedule_setting(std::string doc) {
  const TextRule any = {"arrival, or a line of cron", [](std::string_view) { return true; }};
  Setting setting = list(WEIR_AT(train.schedule), Schedule::kItemsMax, any,
                         "CRON_TZ=Europe/Zurich 0 2 * * mon-fri", std::move(doc));
  setting.legal += "; elsewhere than in the file with ; between them";
  setting.set_items = [check_items = setting.set_items](
                          Settings& s, const std::vector<std::string>& items) -> SetResult {
    const auto schedule = Schedule::parse(items);
    if (!schedule) {
      return Refusal{schedule.error().message(), "minute hour day month weekday: \"0 2 * * *\""};
    }
    return check_items(s, items);
  };
  setting.set = [set_items = setting.set_items](Settings& s, std::string_view value) {
    std::vector<std::string> items;
    while (!value.empty()) {
      const std::size_t end = std::min(value.find(';'), value.size());
      std::string_view item = value.substr(0, end);
      item.remove_prefix(std::min(item.find_first_not_of(' '), item.size()));
      while (item.ends_with(' ')) item.remove_suffix(1);
      items.emplace_back(item);
      value.remove_prefix(std::min(end + 1, value.size()));
    }
    return set_items(s, items);
  };
  setting.get = [](const Settings& s) {
    std::string joined;
    for (const std::string& item : s.train.schedule) joined += (joined.empty() ? "" : "; ") + item;
    return joined;
  };
  return setting;
}

}  // namespace

void add_schedule(std::vector<Setting>& table) {
  const TextRule store_path = {
      "an absolute path such as /warehouse, without a / at the end", [](std::string_view text) {
        return text.size() >= 2 && text.size() <= 1000 && text.front() == '/' &&
               text.back() != '/' && text.find('\0') == text.npos;
      }};
  table.insert(
      table.end(),
      {schedule_setting(
           "When data sets are taken up: on arrival, at the moments that lines of cron name, or "
           "both. Where the word arrival is not among them, what arrives waits for the next "
           "moment."),
       duration(WEIR_AT(train.min_interval), 0ms, 30 * 24h,
                "How much time lies between the begins of two epochs at least; a person's request "
                "does not wait for it."),
       list(WEIR_AT(train.copy_from), 100, store_path, "/warehouse",
            "Folders or data sets in the store, beside the drop folder, of which a request such as "
            "`weir train --now` may have a copy trained on; watch.retrain_dataset is one of "
            "them.")});
}

}  // namespace weir::config
