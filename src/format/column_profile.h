// What the columns of a data set hold: how many numbers, date-times, texts and gaps, their figures,
// and which kind of column they make.
//
// Kinds are found so: a column is one of numbers where at least half of its values are (the rows of
// the others will be refused), else one of date-times by the same rule, else a category, if it has
// more than one value, no more than kCategoriesKept, and not nearly one of its own for each row;
// all other columns are ignored. Gaps (nothing, or a missing word) count for none of them.
//
// What a profile holds depends on the rows alone, not on their order, nor on how they were spread
// over profiles that were merged; but for the figures, whose last digits depend on both (and the
// sign of a lowest or highest 0 on the order). Who has several threads takes those out of each
// piece of the data set (take_figures), merges them in an order of its own, and puts them back.
//
// Owner: the caller. Threads: one per object. Memory: up to kColumnProfileBytes for each column,
// and its categories' texts.
// Errors: none; what cannot be a record is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_codec.h"
#include "base/quantile_sketch.h"
#include "format/csv_chunker.h"
#include "format/csv_record.h"

namespace weir::format {

inline constexpr std::size_t kCategoriesKept = 1'000;   // different values of a column
inline constexpr std::size_t kCategoryBytesKept = 256;  // of a value's text

enum class ColumnKind { kNumber, kCategory, kDateTime, kIgnored };
std::string_view column_kind_name(ColumnKind kind);  // "number", "category", "date-time", "ignored"

// Of numbers, or of date-times in seconds: Welford's running mean and variance (Knuth, TAOCP vol.
// 2, 4.2.2), merged as in Chan, Golub & LeVeque 1979. With the wider numbers of the processor, as
// the squares of large doubles, and their differences, need not be doubles.
struct NumberFigures {
  std::uint64_t count = 0;
  long double mean = 0;
  long double m2 = 0;
  double lowest = std::numeric_limits<double>::infinity();
  double highest = -std::numeric_limits<double>::infinity();

  void add(double value);
  void merge(const NumberFigures& other);
  double deviation() const;  // 0 where there are fewer than two
};

struct ColumnProfile {
  std::string name;
  std::uint64_t missing = 0;
  std::uint64_t texts = 0;        // neither numbers nor date-times
  std::uint64_t odd_numbers = 0;  // nan, inf, 1e999: no row can have one
  NumberFigures numbers;
  NumberFigures date_times;
  QuantileSketch number_quantiles;  // empty where quantiles are left out
  QuantileSketch date_time_quantiles;
  // Each different value with its count; empty once there are too many, or one is too long.
  std::map<std::string, std::uint64_t, std::less<>> values;
  bool too_many_values = false;
  bool not_utf8 = false;  // some of those values is none, so that no message could spell it

  std::uint64_t present() const { return texts + odd_numbers + numbers.count + date_times.count; }
  ColumnKind kind() const;
  // Why kind() is kIgnored, for people.
  std::string why_ignored() const;
  // The known values, the most frequent first, of equally frequent ones the lesser text first.
  // None where messages could not spell them all.
  std::vector<std::string> values_by_count() const;
};

// What of a profile depends on the order of the rows.
struct ProfileFigures {
  struct Column {
    NumberFigures numbers;
    NumberFigures date_times;
  };
  std::vector<Column> columns;

  void merge(const ProfileFigures& following);  // of the same columns
  // As bytes, and back; what no rows can have makes the reader fail.
  void save(ByteWriter& to) const;
  static ProfileFigures load(ByteReader& from, std::size_t columns);
};

inline constexpr std::size_t kColumnProfileBytes = std::size_t{350} << 10;

// Sketches cost more than all else that a profile learns; who asks for no quantile leaves them out.
enum class Quantiles { kKept, kOfDateTimes, kLeftOut };

class DatasetProfile {
 public:
  DatasetProfile(const std::vector<std::string>& header, std::vector<std::string> missing_words,
                 Quantiles quantiles = Quantiles::kKept);

  void add(const CsvChunk& chunk);
  // One record: as many fields as the header has, their quotes undone.
  void add(std::span<const std::string_view> fields);
  void add_malformed();
  // Of the rows that follow; the same header and words.
  void merge(const DatasetProfile& following);

  // Those of the rows that were added since the last time; without them, a profile knows less of
  // its columns' kinds.
  ProfileFigures take_figures();
  void put_figures(const ProfileFigures& figures);
  // All but the figures as bytes, and back into a profile of no rows, of the same header and words.
  // Equal profiles make equal bytes; what no rows can have makes the reader fail, or is found by
  // is_consistent() once the figures are there, too.
  void save_rest(ByteWriter& to) const;
  void load_rest(ByteReader& from);
  bool is_consistent() const;

  const std::vector<ColumnProfile>& columns() const { return columns_; }
  const ColumnProfile* find(std::string_view name) const;
  std::uint64_t rows() const { return rows_; }  // blank records left out
  std::uint64_t malformed() const { return malformed_; }

 private:
  void add_value(ColumnProfile& column, std::string_view cell);

  std::vector<ColumnProfile> columns_;
  std::vector<std::string> missing_words_;
  bool keeps_number_quantiles_;
  bool keeps_date_time_quantiles_;
  std::uint64_t rows_ = 0;
  std::uint64_t malformed_ = 0;
  CsvRecordSplitter splitter_;
};

}  // namespace weir::format
