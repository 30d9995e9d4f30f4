// weir describe: what a data set holds.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/file_command.h"
#include "cli/local_csv.h"

namespace weir::cli {
namespace {

constexpr std::uint64_t kFaultsToldMax = 20;

// Welford's running mean and variance (Knuth, TAOCP vol. 2, 4.2.2). With the wider numbers of the
// processor, as the squares of large doubles, and their differences, need not be doubles.
struct ColumnStatistics {
  std::string name;
  std::uint64_t numbers = 0;
  std::uint64_t empty = 0;
  std::uint64_t text = 0;
  long double mean = 0;
  long double m2 = 0;
  double lowest = std::numeric_limits<double>::infinity();
  double highest = -std::numeric_limits<double>::infinity();

  void add(std::string_view cell) {
    if (cell.find_first_not_of(" \t") == std::string_view::npos) {
      ++empty;
      return;
    }
    const auto value = parse_cell(cell);
    if (!value) {
      ++text;
      return;
    }
    ++numbers;
    const long double delta = *value - mean;
    mean += delta / static_cast<long double>(numbers);
    m2 += delta * (*value - mean);
    lowest = std::min(lowest, *value);
    highest = std::max(highest, *value);
  }
  const char* type() const {
    if (text > 0) return "text";
    return numbers > 0 ? "number" : "empty";
  }
  double deviation() const {
    return numbers > 1 ? static_cast<double>(std::sqrt(m2 / static_cast<long double>(numbers - 1)))
                       : 0;
  }
};

void print_statistics(const std::vector<ColumnStatistics>& columns, std::uint64_t rows,
                      std::uint64_t malformed, bool as_json) {
  if (as_json) {
    nlohmann::ordered_json json = {{"rows", rows}, {"malformed", malformed}};
    for (const auto& column : columns) {
      nlohmann::ordered_json entry = {{"name", column.name},
                                      {"type", column.type()},
                                      {"numbers", column.numbers},
                                      {"empty", column.empty},
                                      {"text", column.text}};
      if (column.numbers > 0) {
        entry.update({{"min", column.lowest},
                      {"mean", static_cast<double>(column.mean)},
                      {"sd", column.deviation()},
                      {"max", column.highest}});
      }
      json["columns"].push_back(entry);
    }
    std::printf("%s\n", json.dump().c_str());
    return;
  }
  std::printf("%llu rows, %zu columns, %llu malformed\n", static_cast<unsigned long long>(rows),
              columns.size(), static_cast<unsigned long long>(malformed));
  std::printf("%-16s %-7s %9s %7s %7s %11s %11s %11s %11s\n", "COLUMN", "TYPE", "NUMBERS", "EMPTY",
              "TEXT", "MIN", "MEAN", "SD", "MAX");
  for (const auto& column : columns) {
    std::printf("%-16s %-7s %9llu %7llu %7llu", one_line(column.name).c_str(), column.type(),
                static_cast<unsigned long long>(column.numbers),
                static_cast<unsigned long long>(column.empty),
                static_cast<unsigned long long>(column.text));
    if (column.numbers > 0) {
      std::printf(" %11.5g %11.5g %11.5g %11.5g", column.lowest, static_cast<double>(column.mean),
                  column.deviation(), column.highest);
    }
    std::printf("\n");
  }
}

Result<std::uint64_t> describe_file(const FileOptions& options) {
  std::vector<ColumnStatistics> columns;
  std::uint64_t rows = 0;
  std::uint64_t malformed = 0;
  CsvHandlers handlers;
  handlers.header = [&](const std::vector<std::string>& names, std::string_view) -> Status {
    for (const std::string& name : names) {
      columns.emplace_back();
      columns.back().name = name;
    }
    return {};
  };
  handlers.record = [&](const CsvRecord& record) -> Status {
    ++rows;
    if (!record.fault.empty()) {
      if (++malformed <= kFaultsToldMax) {
        tell(options.file + " line " + std::to_string(record.line) + ": " + record.fault);
      }
      return {};
    }
    for (std::size_t i = 0; i < columns.size(); ++i) columns[i].add(record.fields[i]);
    return {};
  };
  WEIR_TRY(read_local_csv(options.file, kRecordBytesMax, handlers));
  print_statistics(columns, rows, malformed, options.common.json());
  return malformed;
}

}  // namespace

void add_describe(CLI::App& app, Action& action) {
  add_file_command(app, action, "describe", "The columns of a data set and their statistics",
                   describe_file, [](CLI::App& command, FileOptions& options) {
                     command
                         .add_option("FILE", options.file, "A CSV file with a header; - is stdin")
                         ->required();
                   });
}

}  // namespace weir::cli
