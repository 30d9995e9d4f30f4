// One split, read for each beginning that it may have. A track is one of them: a chunker that
// entered there, and the sums of what it found. The bytes go to all tracks alike:
//
//   byte before | quotes that may close | … the split …      | … the rest of the last record
//               ^ begin                 ^ tracks enter here  ^ end: tracks say how they are
//
// The quotes are only left out where the byte before is one, too; and behind the end likewise.
#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/sha256.h"
#include "format/byte_search.h"
#include "format/csv_record.h"
#include "train/split_state.h"

namespace weir::train {
namespace {

// As much as is read beyond the split at a time.
constexpr std::uint64_t kTailPieceBytes = std::uint64_t{64} << 10;

// What a track has found, chunk by chunk.
class Findings {
 public:
  virtual ~Findings() = default;
  virtual void take(format::CsvChunk chunk) = 0;
  virtual void conclude(std::string digest, const RunPlace& place, Alternative& to) = 0;
};
using MakeFindings = std::function<std::unique_ptr<Findings>()>;

class ModelFindings final : public Findings {
 public:
  ModelFindings(const PlannedSplit& split, const RowIntake& intake)
      : split_(split),
        folder_(intake, split.plan->options),
        open_(intake.shape()),
        totals_(intake.shape(), split.plan->options, split.number) {}

  void take(format::CsvChunk chunk) override {
    chunk.first_record = row_number(split_.number, totals_.records);
    totals_.records += chunk.records;
    const ChunkSums sums = folder_.fold(chunk, index_++);
    open_.add(sums);
    totals_.refused.add(sums.refused, split_.part_number, split_.part.name);
    if (totals_.growing) totals_.growing->add(folder_.terms(), folder_.to_train());
  }
  void conclude(std::string digest, const RunPlace& place, Alternative& to) override {
    totals_.add_split(std::move(open_).close(std::move(digest)));
    totals_.sample.merge(folder_.sample());
    totals_.place = place;
    to.totals = std::move(totals_);
  }

 private:
  const PlannedSplit& split_;
  ChunkFolder folder_;
  OpenSplit open_;
  SplitTotals totals_;
  std::uint64_t index_ = 0;  // of the next chunk
};

class ProfileFindings final : public Findings {
 public:
  ProfileFindings(const PlannedSplit& split, const format::DatasetProfile& empty)
      : number_(split.number), profile_(empty), totals_(empty, split.number) {}

  void take(format::CsvChunk chunk) override {
    profile_.add(chunk);
    totals_.add(number_, profile_.take_figures());
  }
  void conclude(std::string, const RunPlace& place, Alternative& to) override {
    totals_.add_rest(profile_);
    totals_.close_until(number_ + 1);
    totals_.set_place(place);
    to.profile = std::move(totals_);
  }

 private:
  const std::uint64_t number_;
  format::DatasetProfile profile_;
  ProfileTotals totals_;
};

class Track {
 public:
  Track(const PlannedSplit& split, const MakeFindings& make, format::CsvChunker chunker,
        bool inside)
      : split_(split), chunker_(std::move(chunker)), begins_inside_(inside), findings_(make()) {}

  // Nothing more is of interest to it.
  bool settled() const { return fault_.has_value() || chunker_.done(); }

  void feed(std::string_view bytes) {
    if (settled()) return;
    if (!chunker_.feed(bytes)) return give_up();
    take_chunks();
  }
  void finish() {
    if (settled()) return;
    if (!chunker_.finish()) return give_up();
    take_chunks();
  }
  void pass_border() { ends_inside_ = !settled() && chunker_.inside_quotes(); }

  Alternative conclude(std::string digest, std::uint64_t lines) && {
    Alternative alternative;
    alternative.begins_inside = begins_inside_;
    if (fault_) {
      alternative.fault = std::move(fault_);
      return alternative;
    }
    alternative.ends_inside = ends_inside_;
    const RunPlace place{split_.part_number, split_.part_number, lines};
    findings_->conclude(std::move(digest), place, alternative);
    return alternative;
  }

 private:
  void give_up() {
    fault_ = SplitFault{split_.part_number, split_.part.path, chunker_.fault(), ""};
  }

  void take_chunks() {
    if (split_.offset == 0 && !header_seen_ && chunker_.header()) {
      header_seen_ = true;
      if (*chunker_.header() != split_.plan->header) {
        fault_ = SplitFault{split_.part_number, split_.part.path, std::nullopt,
                            std::string(kOtherHeader)};
        return;
      }
    }
    while (auto chunk = chunker_.next()) findings_->take(std::move(*chunk));
  }

  const PlannedSplit& split_;
  format::CsvChunker chunker_;
  const bool begins_inside_;
  bool ends_inside_ = false;  // as long as the border has not been seen
  bool header_seen_ = false;
  std::optional<SplitFault> fault_;
  std::unique_ptr<Findings> findings_;
};

class SplitReading {
 public:
  SplitReading(store::FileStore& store, const PlannedSplit& split, MakeFindings make)
      : store_(store),
        split_(split),
        make_findings_(std::move(make)),
        end_(split.offset + split.length) {}

  Result<SplitState> run() {
    if (split_.offset == 0) enter();
    const std::uint64_t begin = split_.offset == 0 ? 0 : split_.offset - 1;
    WEIR_TRY(read(begin, end_ - begin));
    while (!settled() && at_ < split_.part.length) {
      WEIR_TRY(read(at_, std::min(kTailPieceBytes, split_.part.length - at_)));
    }
    if (at_ == split_.part.length) {
      if (tracks_.empty()) enter();
      if (!border_passed_) pass_border();
      for (Track& track : tracks_) track.finish();
    }
    const std::string digest = hash_.finish_hex();
    SplitState state{split_.plan, split_.number, 1, {}};
    for (Track& track : tracks_) {
      state.alternatives.push_back(std::move(track).conclude(digest, lines_));
    }
    return state;
  }

 private:
  Status read(std::uint64_t offset, std::uint64_t length) {
    at_ = offset;
    return store_.read(split_.part.path, offset, length, [&](std::string_view bytes) -> Status {
      take(bytes);
      return {};
    });
  }

  // Cuts the bytes at the split's two ends.
  void take(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::uint64_t border = at_ < split_.offset ? split_.offset
                                   : at_ < end_        ? end_
                                                       : at_ + bytes.size();
      const std::string_view piece = bytes.substr(0, border - at_);
      bytes.remove_prefix(piece.size());
      if (at_ >= split_.offset && at_ < end_) {
        if (split_.plan->makes == PlanFor::kModel) hash_.update(piece);
        lines_ += format::count_byte(piece, '\n');
      }
      see(piece);
    }
  }

  // Bytes of one side of each end.
  void see(std::string_view piece) {
    while (!piece.empty()) {
      const bool before = at_ < split_.offset;
      if (!before && tracks_.empty() && may_begin(piece.front())) enter();
      if (at_ >= end_ && !border_passed_ && may_begin(piece.front())) pass_border();
      // A quote behind a quote decides nothing yet and goes alone; all else goes at once.
      const bool undecided = !before && (tracks_.empty() || (at_ >= end_ && !border_passed_));
      const std::string_view taken = piece.substr(0, undecided ? 1 : piece.size());
      for (Track& track : tracks_) track.feed(taken);
      last_ = taken.back();
      at_ += taken.size();
      piece.remove_prefix(taken.size());
    }
  }

  // With more quotes than a record has bytes, the record that they are in is a fault of the split
  // that it began in, and what this one makes of them is never asked for.
  bool may_begin(char byte) const {
    const std::uint64_t from = at_ < end_ ? split_.offset : end_;
    return last_ != '"' || byte != '"' || at_ - from > split_.plan->options.record_bytes_max;
  }

  void enter() {
    format::CsvChunkerOptions options;
    options.record_bytes_max = split_.plan->options.record_bytes_max;
    options.split_bytes = split_.plan->options.split_bytes;
    if (end_ < split_.part.length) options.stop_at = end_;
    if (split_.offset == 0) {
      tracks_.emplace_back(split_, make_findings_, format::CsvChunker(options), false);
      return;
    }
    for (const bool inside : {false, true}) {
      tracks_.emplace_back(split_, make_findings_,
                           format::CsvChunker::enter(options, {at_, last_, inside}), inside);
    }
  }

  void pass_border() {
    border_passed_ = true;
    for (Track& track : tracks_) track.pass_border();
  }

  bool settled() const {
    return !tracks_.empty() &&
           std::all_of(tracks_.begin(), tracks_.end(), [](const Track& t) { return t.settled(); });
  }

  store::FileStore& store_;
  const PlannedSplit& split_;
  const MakeFindings make_findings_;
  const std::uint64_t end_;
  std::vector<Track> tracks_;
  std::uint64_t at_ = 0;  // in the part, of the next byte
  char last_ = '\n';      // the byte before it
  bool border_passed_ = false;
  Sha256 hash_;
  std::uint64_t lines_ = 0;
};

}  // namespace

Result<SplitState> read_split(store::FileStore& store, const PlannedSplit& split) {
  const std::string what = "reading split " + std::to_string(split.number) + " of " +
                           std::to_string(split.plan->splits) + ", " + store.url(split.part.path) +
                           " from byte " + std::to_string(split.offset);
  const auto attempt = [&]() -> Result<SplitState> {
    const store::FileStatus now = WEIR_TRY(store.status(split.part.path));
    // Machines that share a folder of files may each have ids of their own for them.
    const bool has_same_id =
        split.plan->store.starts_with("file:") || now.file_id == split.part.file_id;
    if (now.length != split.part.length || now.modified_ms != split.part.modified_ms ||
        !has_same_id) {
      return fail(Code::kNotFound, "the file is another one than when it was planned");
    }
    // Whoever planned has made the same of it.
    const auto not_a_plan = [](const Error& why) {
      return fail(Code::kInvalidArgument, "the plan: " + why.message());
    };
    const Plan& plan = *split.plan;
    if (plan.makes == PlanFor::kProfile) {
      const auto names = format::parse_csv_header(plan.header);
      if (!names) return not_a_plan(names.error());
      const auto empty = empty_profile(*names, plan.options);
      return SplitReading(store, split,
                          [&] { return std::make_unique<ProfileFindings>(split, empty); })
          .run();
    }
    const auto intake = RowIntake::make(plan.header, plan.options, plan.columns);
    if (!intake) return not_a_plan(intake.error());
    return SplitReading(store, split,
                        [&] { return std::make_unique<ModelFindings>(split, *intake); })
        .run();
  };
  return during(attempt(), what);
}

}  // namespace weir::train
