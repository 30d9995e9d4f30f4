// A batch of the in-memory twin: it shares what the logs hold, so that its views outlive retention.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "stream/memory_cluster_internal.h"
#include "stream/records.h"

namespace weir::stream::memory {

class MemoryRecordBatch final : public RecordBatch {
 public:
  std::span<const Record> records() const override { return records_; }
  Headers headers(std::size_t index) const override { return stored_[index]->record.headers; }
  std::optional<std::string_view> header(std::size_t index,
                                         const std::string& name) const override {
    const Headers& headers = stored_[index]->record.headers;
    const auto last = std::find_if(headers.rbegin(), headers.rend(),
                                   [&](const auto& one) { return one.first == name; });
    return last == headers.rend() ? std::nullopt : std::optional<std::string_view>(last->second);
  }
  std::shared_ptr<const GroupMetadata> group() const override { return group_; }

  void add(std::shared_ptr<const Stored> stored) {
    const MemoryRecord& from = stored->record;
    Record& record = records_.emplace_back();
    record.partition = from.partition;
    record.offset = from.offset;
    record.timestamp_ms = from.timestamp_ms;
    if (from.key) record.key = *from.key;
    if (!from.null_value) record.value = from.value;
    stored_.push_back(std::move(stored));
  }
  void set_group(std::shared_ptr<const GroupMetadata> group) { group_ = std::move(group); }

 private:
  std::vector<Record> records_;
  std::vector<std::shared_ptr<const Stored>> stored_;
  std::shared_ptr<const GroupMetadata> group_;
};

}  // namespace weir::stream::memory
