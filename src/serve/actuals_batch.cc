#include "serve/actuals_batch.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/text.h"

namespace weir::serve {
namespace {

constexpr std::size_t kFaultsToldMax = 20;

struct Read {
  std::optional<double> value;
  std::string fault;
};

Read read_value(const format::BatchRecord& record) {
  if (!record.id) return {std::nullopt, "it has no \"id\""};
  const auto json = nlohmann::json::parse(record.value, nullptr, false);
  if (!json.is_object()) return {std::nullopt, "it is no JSON object"};
  const auto actual = json.find("actual");
  if (actual == json.end()) return {std::nullopt, "it has no \"actual\""};
  if (!actual->is_number() || !std::isfinite(actual->get<double>())) {
    return {std::nullopt, "\"actual\" is no number"};
  }
  return {actual->get<double>(), ""};
}

}  // namespace

Result<ActualsBatch> read_actuals(std::string_view body, format::BatchKind kind,
                                  std::size_t records_max) {
  format::BatchOptions options;
  options.records_max = records_max;
  auto records = WEIR_TRY(format::read_message_batch(body, kind, options));
  ActualsBatch batch;
  std::unordered_map<std::string_view, std::size_t> first;  // id -> which of the records
  std::vector<double> values;
  std::string faults;
  std::size_t count = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Read read = read_value(records[i]);
    values.push_back(read.value.value_or(0));
    if (!read.value) {
      if (++count <= kFaultsToldMax) {
        faults +=
            (faults.empty() ? "" : "; ") + ("record " + std::to_string(i) + ": " + read.fault);
      }
      continue;
    }
    const auto [twin, alone] = first.emplace(*records[i].id, i);
    if (alone) {
      batch.actuals.push_back({*records[i].id, format_double(*read.value)});
    } else if (values[twin->second] == *read.value) {
      ++batch.repeated;
    } else {
      return fail(Code::kAlreadyExists,
                  "record " + std::to_string(i) + ": id '" + one_line(*records[i].id) +
                      "' has another true value already (record " + std::to_string(twin->second) +
                      "); nothing of this request was taken");
    }
  }
  if (count == 0) return batch;
  if (count > kFaultsToldMax) faults += "; and " + std::to_string(count - kFaultsToldMax) + " more";
  return fail(Code::kBadData, faults +
                                  " (a true value is {\"id\": \"a7\", \"actual\": 24.5}; nothing "
                                  "of this request was taken)");
}

}  // namespace weir::serve
