#include "train/split_state_file.h"

#include <algorithm>
#include <cmath>

#include "base/byte_codec.h"
#include "base/sha256.h"
#include "base/text.h"
#include "format/csv_record.h"
#include "train/plan_json.h"

namespace weir::train {
namespace {

constexpr std::size_t kHeadBytes = 8 + 4 + 8;
constexpr std::size_t kSealBytes = 32;
constexpr std::size_t kDigestDigits = 64;

using format::CsvFault;
using format::RefusedRows;
using format::RowFault;

// ---- writing ----

void write_fault(const SplitFault& fault, ByteWriter& to) {
  to.u64(fault.part);
  to.text(fault.part_path);
  to.u8(fault.csv ? 1 : 0);
  if (!fault.csv) return to.text(fault.reason);
  to.u8(static_cast<std::uint8_t>(fault.csv->kind));
  to.u64(fault.csv->line);
  to.u8(fault.csv->quote_line ? 1 : 0);
  to.u64(fault.csv->quote_line.value_or(0));
  to.u64(fault.csv->record_bytes_max);
}

void write_reason(const RefusedRows::Reason& reason, ByteWriter& to) {
  to.u8(static_cast<std::uint8_t>(reason.fault));
  to.text(reason.column);
}

void write_refused(const RefusedTally& refused, ByteWriter& to) {
  to.u64(refused.blank_records());
  to.u64(refused.reasons().size());
  for (const auto& [reason, count] : refused.reasons()) {
    write_reason(reason, to);
    to.u64(count);
  }
  to.u64(refused.examples().size());
  for (const auto& example : refused.examples()) {
    to.u64(example.part);
    to.text(example.part_name);
    to.u64(example.row.record);
    to.u64(example.row.line);
    to.u64(example.row.column);
    write_reason(example.row.reason, to);
    to.text(example.row.cause);
    to.text(example.row.excerpt);
  }
}

void write_sample(const model::RowSample& sample, ByteWriter& to) {
  const record::RowBlock rows = sample.to_block();
  to.u64(rows.rows);
  for (const std::uint64_t number : rows.row_numbers) to.u64(number);
  to.doubles(rows.values);
}

void write_place(const RunPlace& place, ByteWriter& to) {
  to.u64(place.first_part);
  to.u64(place.last_part);
  to.u64(place.lines_in_last_part);
}

void write_totals(const SplitTotals& totals, ByteWriter& to) {
  to.u64(totals.records);
  write_place(totals.place, to);
  write_refused(totals.refused, to);
  for (const auto& node : totals.tree.nodes()) {
    to.text(node.value.digest.hex);
    node.value.trained.save(to);
    node.value.held_out.save(to);
  }
  write_sample(totals.sample, to);
  if (totals.growing) write_sample(*totals.growing, to);
}

// ---- reading ----

SplitFault read_fault(ByteReader& from) {
  SplitFault fault;
  fault.part = from.u64();
  fault.part_path = from.text();
  if (!from.flag()) {
    fault.reason = from.text();
    return fault;
  }
  const std::uint8_t kind = from.u8();
  if (kind > static_cast<std::uint8_t>(CsvFault::Kind::kQuoteNeverClosed)) from.refuse();
  CsvFault& csv = fault.csv.emplace();
  csv.kind = static_cast<CsvFault::Kind>(kind);
  csv.line = from.u64();
  const bool has_quote = from.flag();
  const std::uint64_t quote_line = from.u64();
  if (has_quote) csv.quote_line = quote_line;
  csv.record_bytes_max = from.u64();
  return fault;
}

RefusedRows::Reason read_reason(ByteReader& from) {
  const std::uint8_t fault = from.u8();
  if (fault > static_cast<std::uint8_t>(RowFault::kQuoting)) from.refuse();
  return {static_cast<RowFault>(fault), std::string(from.text())};
}

RefusedTally read_refused(ByteReader& from) {
  const std::uint64_t blank = from.u64();
  std::map<RefusedRows::Reason, std::uint64_t> reasons;
  for (std::uint64_t left = from.u64(); left > 0 && from.ok(); --left) {
    const RefusedRows::Reason reason = read_reason(from);
    if (!reasons.emplace(reason, from.u64()).second) from.refuse();
  }
  std::vector<RefusedTally::Example> examples;
  const std::uint64_t count = from.u64();
  if (count > RefusedRows::kExamplesMax) from.refuse();
  for (std::uint64_t left = count; left > 0 && from.ok(); --left) {
    RefusedTally::Example example;
    example.part = from.u64();
    example.part_name = from.text();
    example.row.record = from.u64();
    example.row.line = from.u64();
    example.row.column = from.u64();
    example.row.reason = read_reason(from);
    example.row.cause = from.text();
    example.row.excerpt = from.text();
    examples.push_back(std::move(example));
  }
  return RefusedTally::of(std::move(reasons), blank, std::move(examples));
}

// `sample` is empty. Rows must be of the run's splits, in order, and no more than it can hold.
// `inputs`: of the columns but the last; plain where all are numbers.
void read_sample(ByteReader& from, const SplitTotals& run, std::uint64_t end, std::size_t columns,
                 std::size_t rows_max, const record::Inputs& inputs, model::RowSample& sample) {
  const std::uint64_t count = from.u64();
  if (count > rows_max || count > from.left() / (8 * (columns + 1))) return from.refuse();
  record::RowBlock rows;
  rows.rows = count;
  rows.columns = columns;
  std::vector<std::uint32_t> all(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t number = from.u64();
    const std::uint64_t split = number >> kRecordBits;
    const bool rises = rows.row_numbers.empty() || rows.row_numbers.back() < number;
    if (!rises || split < run.first || split >= end) from.refuse();
    rows.row_numbers.push_back(number);
    all[i] = static_cast<std::uint32_t>(i);
  }
  rows.values = from.doubles(count * columns);
  static const record::Input number;
  for (std::size_t i = 0; i < rows.values.size(); ++i) {
    const std::size_t column = i / count;
    const bool plain = inputs.plain() || column + 1 == columns;
    if (!record::may_be_value(plain ? number : inputs.columns[column], rows.values[i])) {
      from.refuse();
    }
  }
  if (from.ok()) sample.add(rows, all);
}

bool is_digest(std::string_view text) {
  return text.size() == kDigestDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The nodes that cover the splits from `first` to `end`: at each place the largest that is aligned.
void read_nodes(ByteReader& from, std::uint64_t first, std::uint64_t end, std::size_t columns,
                SplitTotals& totals) {
  std::uint64_t at = first;
  while (at < end && from.ok()) {
    const unsigned level = level_at(at, end);
    const std::string_view digest = from.text();
    if (!is_digest(digest)) from.refuse();
    model::Accumulator trained = model::Accumulator::load(from, columns);
    model::Accumulator held_out = model::Accumulator::load(from, columns);
    totals.tree.append(
        {level, at >> level, {std::move(trained), std::move(held_out), {std::string(digest)}}});
    at += std::uint64_t{1} << level;
  }
  totals.count = end - first;
}

RunPlace read_place(ByteReader& from) {
  RunPlace place;
  place.first_part = from.u64();
  place.last_part = from.u64();
  place.lines_in_last_part = from.u64();
  if (place.first_part > place.last_part) from.refuse();
  return place;
}

SplitTotals read_totals(ByteReader& from, const Plan& plan, RowShape shape, std::uint64_t first,
                        std::uint64_t count) {
  static const record::Inputs numbers;
  SplitTotals totals(shape, plan.options, first);
  totals.records = from.u64();
  totals.place = read_place(from);
  totals.refused = read_refused(from);
  read_nodes(from, first, first + count, shape.terms, totals);
  const std::uint64_t end = first + count;
  const auto& preparation = plan.columns.preparation;
  read_sample(from, totals, end, shape.features, plan.options.sample_rows_max,
              preparation ? preparation->inputs() : numbers, totals.sample);
  if (totals.growing) {
    read_sample(from, totals, end, shape.terms, growing_rows_max(plan.options.boosted, shape.terms),
                numbers, *totals.growing);
  }
  std::uint64_t rows = totals.refused.count() + totals.refused.blank_records();
  for (const auto& node : totals.tree.nodes()) {
    rows += node.value.trained.rows() + node.value.held_out.rows();
  }
  if (rows != totals.records) from.refuse();
  return totals;
}

Result<SplitState> read_body(ByteReader& from) {
  const auto corrupt = [] { return fail(Code::kCorrupt, "the state tells of what cannot be"); };
  const std::string_view text = from.text();
  if (!from.ok()) return corrupt();
  auto plan = std::make_shared<Plan>(WEIR_TRY(parse_plan(text)));
  if (WEIR_TRY(plan_text(*plan)) != text) return corrupt();
  const bool for_profile = plan->makes == PlanFor::kProfile;
  const RowIntake intake = WEIR_TRY(RowIntake::make(plan->header, plan->options, plan->columns));
  const auto names = WEIR_TRY(format::parse_csv_header(plan->header));
  SplitState state;
  state.first = from.u64();
  state.count = from.u64();
  const std::uint8_t alternatives = from.u8();
  if (state.count == 0 || state.first >= plan->splits || state.count > plan->splits - state.first ||
      alternatives == 0 || alternatives > 2) {
    return corrupt();
  }
  for (std::uint8_t i = 0; i < alternatives && from.ok(); ++i) {
    Alternative alternative;
    alternative.begins_inside = i == 1;
    alternative.ends_inside = from.flag();
    if (from.flag()) {
      alternative.fault = read_fault(from);
    } else if (for_profile) {
      const RunPlace place = read_place(from);
      alternative.profile =
          ProfileTotals::load(from, empty_profile(names, plan->options), state.first, state.count);
      alternative.profile->set_place(place);
    } else {
      alternative.totals = read_totals(from, *plan, intake.shape(), state.first, state.count);
    }
    state.alternatives.push_back(std::move(alternative));
  }
  if (!from.ok() || !from.at_end()) return corrupt();
  state.plan = std::move(plan);
  return state;
}

}  // namespace

Result<std::string> state_file(const SplitState& state) {
  ByteWriter body;
  body.text(WEIR_TRY(plan_text(*state.plan)));
  body.u64(state.first);
  body.u64(state.count);
  body.u8(static_cast<std::uint8_t>(state.alternatives.size()));
  for (const Alternative& alternative : state.alternatives) {
    body.u8(alternative.ends_inside ? 1 : 0);
    body.u8(alternative.fault ? 1 : 0);
    if (alternative.fault) {
      write_fault(*alternative.fault, body);
    } else if (alternative.profile) {
      write_place(alternative.place(), body);
      alternative.profile->save(body);
    } else {
      write_totals(*alternative.totals, body);
    }
  }
  ByteWriter head;
  head.u32(kStateVersion);
  head.u64(body.bytes().size());
  std::string file = std::string(kStateMagic) + head.bytes() + body.bytes();
  return file + *from_hex(sha256_hex(file));
}

Result<SplitState> take_state(std::string_view& bytes) {
  if (!bytes.starts_with(kStateMagic)) {
    return fail(Code::kCorrupt, "not a state of splits: it does not begin with 'weirstat'");
  }
  ByteReader head(bytes.substr(kStateMagic.size()));
  const std::uint32_t version = head.u32();
  const std::uint64_t length = head.u64();
  if (!head.ok() || head.left() < kSealBytes || length > head.left() - kSealBytes) {
    return fail(Code::kCorrupt, "the state is cut short");
  }
  const std::string_view sealed = bytes.substr(0, kHeadBytes + length);
  if (*from_hex(sha256_hex(sealed)) != bytes.substr(sealed.size(), kSealBytes)) {
    return fail(Code::kCorrupt, "the state was changed: its sha256 differs");
  }
  if (version != kStateVersion) {
    return fail(Code::kUnsupported, "a state of version " + std::to_string(version) +
                                        ", this program reads version " +
                                        std::to_string(kStateVersion));
  }
  ByteReader body(sealed.substr(kHeadBytes));
  SplitState state = WEIR_TRY(read_body(body));
  bytes.remove_prefix(sealed.size() + kSealBytes);
  return state;
}

}  // namespace weir::train
