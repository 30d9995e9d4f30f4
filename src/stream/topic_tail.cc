#include "stream/topic_tail.h"

#include <algorithm>

namespace weir::stream {

TailPlan plan_tail(const TailStart& start, const std::string& topic_id,
                   const std::vector<TailBounds>& bounds) {
  TailPlan plan;
  plan.made_anew = !start.topic_id.empty() && !topic_id.empty() && start.topic_id != topic_id;
  for (const auto& [partition, offset] : start.offsets) {
    const auto index = static_cast<std::size_t>(partition);
    if (partition < 0 || index >= bounds.size() || offset > bounds[index].end) {
      plan.made_anew = true;
    }
  }
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const TailBounds& at = bounds[i];
    const auto partition = static_cast<std::int32_t>(i);
    std::int64_t begin = at.earliest;
    const auto named = start.offsets.find(partition);
    if (plan.made_anew) {
      // The earliest.
    } else if (named == start.offsets.end()) {
      if (start.else_from_ms) begin = std::clamp(at.at_time, at.earliest, at.end);
    } else if (named->second < at.earliest) {
      plan.jumps.push_back({partition, named->second, at.earliest});
    } else {
      begin = named->second;
    }
    plan.begins.push_back(begin);
  }
  return plan;
}

}  // namespace weir::stream
