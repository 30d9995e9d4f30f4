#include "cli/split_work.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "cli/split_source.h"
#include "cli/state_stream.h"
#include "train/plan_json.h"

namespace weir::cli {
namespace {

// Opens each store once, and merges what follows each other.
class Stats {
 public:
  explicit Stats(bool base64) : base64_(base64) {}

  Status take(std::string_view line) {
    auto parsed = train::parse_split_line(line, plan_);
    // That of who sent the line, or of a program of another version: not the data set's.
    if (!parsed) return fail(Code::kInvalidArgument, parsed.error().message());
    const train::PlannedSplit split = std::move(*parsed);
    const bool follows = run_ && split.plan == plan_ && run_->end() == split.number;
    if (!follows) WEIR_TRY(flush());
    plan_ = split.plan;
    store::FileStore* store = WEIR_TRY(store_at(plan_->store));
    train::SplitState state = WEIR_TRY(train::read_split(*store, split));
    if (run_) return run_->append(std::move(state));
    run_ = std::move(state);
    return {};
  }
  Status flush() {
    if (!run_) return {};
    const train::SplitState state = std::move(*run_);
    run_.reset();
    return write_state(state, base64_);
  }

 private:
  Result<store::FileStore*> store_at(const std::string& address) {
    auto& store = stores_[address];
    if (!store) {
      const auto hdfs = WEIR_TRY(hdfs_of(config::process_environment()));
      store = WEIR_TRY(open_store_at(address, hdfs));
    }
    return store.get();
  }

  const bool base64_;
  std::map<std::string, std::shared_ptr<store::FileStore>> stores_;
  std::shared_ptr<const train::Plan> plan_;
  std::optional<train::SplitState> run_;
};

}  // namespace

Status read_splits(const std::vector<std::string>& lines, bool base64) {
  Stats stats(base64);
  for (const std::string& line : lines) WEIR_TRY(stats.take(line));
  return stats.flush();
}

Status read_splits_of_stdin(bool base64) {
  Stats stats(base64);
  const std::string text = WEIR_TRY(read_input("-"));
  std::size_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    ++number;
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) continue;
    WEIR_TRY(during(stats.take(line), "taking line " + std::to_string(number) + " of stdin"));
  }
  return stats.flush();
}

Result<std::vector<train::SplitState>> merged_states(const std::vector<std::string>& files,
                                                     train::Duplicates duplicates) {
  return train::merge_states(WEIR_TRY(read_states(files)), duplicates);
}

Status merge_files(const std::vector<std::string>& files, train::Duplicates duplicates,
                   bool base64) {
  for (const auto& state : WEIR_TRY(merged_states(files, duplicates))) {
    WEIR_TRY(write_state(state, base64));
  }
  return {};
}

}  // namespace weir::cli
