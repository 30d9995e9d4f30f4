// The predictions of one model that are at hand: in this process's memory first, then in what
// processes share; and whether it pays to look for them at all, which is measured as they are asked
// for.
//
// What a caller gets is what the model would have said, bit for bit: a row in memory is compared
// whole, an entry that is shared has to be sealed under a key that follows from the model, and of
// what was found a small part is predicted all the same. Where that differs, the cache of this
// process is out of use until it ends, and says so in the log.
//
// Owner: a PredictionCache, for as long as anybody has the model. Threads: any; none waits for
// another's prediction or for another's answer of Redis. Errors: none. Within one call it waits for
// what is shared, for `shared_timeout` at most.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "cache/cost_gate.h"
#include "cache/entry.h"
#include "cache/local_table.h"
#include "cache/shared_entries.h"
#include "model/model.h"
#include "record/cache_state.h"

namespace weir::cache {

struct PredictionCacheOptions {
  std::size_t memory_bytes_max = std::size_t{64} << 20;  // of all models of the process together
  Millis shared_timeout{5};                              // of one call, all rows together
  std::string secret;                                    // of entries that are shared
  std::string build;
  std::string why_not_shared = "there is no Redis (redis.url)";  // where nothing is
  CostGateOptions local_gate;
  CostGateOptions shared_gate{"asking Redis", 1'024, 65'536};
  // One of so many hits is predicted all the same.
  std::size_t check_local_every = 4'096;
  std::size_t check_shared_every = 256;
};

// What one user of the cache has had of it. Outlives nothing: shared.
struct CacheTally {
  std::atomic<std::uint64_t> hits_local{0};
  std::atomic<std::uint64_t> hits_shared{0};
  std::atomic<std::uint64_t> misses{0};
  std::atomic<std::uint64_t> bypassed{0};
  std::atomic<std::uint64_t> recomputed{0};
  std::atomic<std::uint64_t> mismatches{0};
  std::atomic<std::uint64_t> asked{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::int64_t> saved_ns{0};
};

// What the caches of all models of a process have in common.
struct CommonCache {
  CommonCache(PredictionCacheOptions own, Clock& its_clock, std::unique_ptr<SharedEntries> entries)
      : options(std::move(own)),
        clock(its_clock),
        budget(options.memory_bytes_max),
        shared(std::move(entries)) {}

  const PredictionCacheOptions options;
  Clock& clock;
  MemoryBudget budget;
  const std::unique_ptr<SharedEntries> shared;  // null: nothing is shared
  std::atomic<bool> trusted{true};
};

class ModelCache {
 public:
  ModelCache(std::shared_ptr<CommonCache> common, const std::string& model_sha256,
             std::size_t features);
  ~ModelCache();
  ModelCache(const ModelCache&) = delete;
  ModelCache& operator=(const ModelCache&) = delete;

  // As model.predict(), whose sha256 is the one given.
  void predict(const model::Model& model, std::span<const double> rows, std::span<double> out,
               CacheTally& tally);
  // Fills in what is not a tally's.
  void describe(record::CacheState& state) const;

 private:
  enum class Source : std::uint8_t { kLocal, kShared, kPredicted };
  struct Work;  // scratch of one call
  static constexpr std::size_t kSizeClasses = 3;

  std::span<const double> row(std::span<const double> rows, std::size_t index) const {
    return rows.subspan(index * features_, features_);
  }
  void look_up(const model::Model& model, std::span<const double> rows, std::span<double> out,
               CacheTally& tally);
  void predict_past(const model::Model& model, std::span<const double> rows, std::span<double> out,
                    CacheTally& tally);
  std::span<const double> canonical(std::span<const double> rows, Work& work) const;
  void find_local(Work& work, std::span<double> out);
  void ask_shared(Work& work, std::span<double> out, CacheTally& tally);
  std::size_t rows_of_question(std::size_t size_class, Millis left) const;
  void predict_missed(const model::Model& model, std::span<const double> rows, Work& work,
                      std::span<double> out) const;
  void keep(const Work& work, std::span<const double> out);
  void share(const Work& work, std::span<const double> out);
  bool check(const model::Model& model, std::span<const double> rows, const Work& work,
             std::span<double> out, CacheTally& tally);
  bool is_due(std::size_t& since, std::size_t hits, std::size_t every);
  void distrust(const char* source);
  std::unique_ptr<Work> borrow();
  void give_back(std::unique_ptr<Work> work);
  static std::size_t size_class_of(std::size_t rows);

  // Constant after construction.
  const std::shared_ptr<CommonCache> common_;
  const std::size_t features_;
  const EntryKeys keys_;

  mutable std::mutex mutex_;  // guards the rest; held for some hundred rows at most
  LocalTable table_;
  CostGate gate_;
  std::array<CostGate, kSizeClasses> shared_gates_;  // by how many rows are asked for together
  std::size_t last_class_ = 0;
  RowCost prediction_;
  std::minstd_rand random_;
  std::size_t local_since_check_ = 0;
  std::size_t shared_since_check_ = 0;
  std::vector<std::unique_ptr<Work>> idle_;
};

}  // namespace weir::cache
