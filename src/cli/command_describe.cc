// weir describe: what a data set holds.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/local_file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/file_command.h"
#include "cli/local_csv.h"
#include "cli/model_page.h"
#include "format/column_profile.h"
#include "format/date_time.h"
#include "registry/feature_settings.h"
#include "registry/model_document.h"

namespace weir::cli {
namespace {

constexpr std::uint64_t kFaultsToldMax = 20;
constexpr std::size_t kCategoriesShown = 10;
constexpr std::size_t kNameWidth = 16;

nlohmann::ordered_json column_json(const format::ColumnProfile& column) {
  const format::ColumnKind kind = column.kind();
  nlohmann::ordered_json entry = {{"name", column.name},
                                  {"type", format::column_kind_name(kind)},
                                  {"numbers", column.numbers.count},
                                  {"date_times", column.date_times.count},
                                  {"missing", column.missing},
                                  {"text", column.texts + column.odd_numbers}};
  if (column.numbers.count > 0) {
    entry.update({{"min", column.numbers.lowest},
                  {"mean", static_cast<double>(column.numbers.mean)},
                  {"median", column.number_quantiles.quantile(0.5)},
                  {"sd", column.numbers.deviation()},
                  {"max", column.numbers.highest}});
  }
  if (column.date_times.count > 0) {
    entry.update({{"first", format::format_date_time(column.date_times.lowest)},
                  {"last", format::format_date_time(column.date_times.highest)}});
  }
  if (kind == format::ColumnKind::kCategory) {
    entry["categories"] = nlohmann::ordered_json::array();
    for (const std::string& text : column.values_by_count()) {
      entry["categories"].push_back({{"text", text}, {"rows", column.values.find(text)->second}});
    }
  }
  if (kind == format::ColumnKind::kIgnored) entry["why"] = column.why_ignored();
  return entry;
}

// What is worth knowing of a column that is not of numbers, for people.
std::string in_words(const format::ColumnProfile& column) {
  switch (column.kind()) {
    case format::ColumnKind::kCategory: {
      std::string text = std::to_string(column.values.size()) + " values: ";
      std::size_t shown = 0;
      for (const std::string& name : column.values_by_count()) {
        if (shown++ == kCategoriesShown) return text + ", …";
        text += (shown == 1 ? "" : ", ") + one_line(name);
      }
      return text;
    }
    case format::ColumnKind::kDateTime:
      return format::format_date_time(column.date_times.lowest) + " to " +
             format::format_date_time(column.date_times.highest);
    case format::ColumnKind::kIgnored: return column.why_ignored();
    case format::ColumnKind::kNumber: return "";
  }
  return "";
}

void print_column(const format::ColumnProfile& column) {
  std::printf(
      "%s %-9s %9llu %7llu %7llu", fit_columns(column.name, kNameWidth).c_str(),
      std::string(format::column_kind_name(column.kind())).c_str(),
      static_cast<unsigned long long>(column.numbers.count),
      static_cast<unsigned long long>(column.missing),
      static_cast<unsigned long long>(column.texts + column.odd_numbers + column.date_times.count));
  if (column.kind() == format::ColumnKind::kNumber && column.numbers.count > 0) {
    std::printf(" %11.5g %11.5g %11.5g %11.5g %11.5g", column.numbers.lowest,
                column.number_quantiles.quantile(0.5), static_cast<double>(column.numbers.mean),
                column.numbers.deviation(), column.numbers.highest);
  } else {
    std::printf("  %s", in_words(column).c_str());
  }
  std::printf("\n");
}

void print_profile(const format::DatasetProfile& profile, bool as_json) {
  if (as_json) {
    nlohmann::ordered_json json = {{"rows", profile.rows()}, {"malformed", profile.malformed()}};
    for (const auto& column : profile.columns()) json["columns"].push_back(column_json(column));
    std::printf(
        "%s\n",
        json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
    return;
  }
  std::printf("%llu rows, %zu columns, %llu malformed\n",
              static_cast<unsigned long long>(profile.rows()), profile.columns().size(),
              static_cast<unsigned long long>(profile.malformed()));
  std::printf("%-16s %-9s %9s %7s %7s %11s %11s %11s %11s %11s\n", "COLUMN", "TYPE", "NUMBERS",
              "MISSING", "OTHERS", "MIN", "MEDIAN", "MEAN", "SD", "MAX");
  for (const auto& column : profile.columns()) print_column(column);
}

// A model document is none of columns: what it holds is told as weir models import would.
bool is_model_document(const std::string& path) {
  if (path == "-") return false;  // what is read of it is gone
  const auto head = read_local_file(path, registry::kModelDocumentHead);
  return head && registry::begins_as_model_document(*head);
}

Status describe_model(const FileOptions& options) {
  std::error_code error;
  const auto size = std::filesystem::file_size(options.file, error);
  const std::string bytes = WEIR_TRY(read_local_file(
      options.file, 1 + std::min<std::uint64_t>(size, registry::kModelDocumentBytesMax)));
  const auto document =
      WEIR_TRY(during(registry::parse_model_document(bytes), "reading the model " + options.file));
  const record::Schema& schema = document.model->schema();
  if (options.common.json()) {
    const nlohmann::ordered_json json = {{"algorithm", document.model->algorithm()},
                                         {"target", schema.target},
                                         {"features", schema.features},
                                         {"imported", registry::origin_to_json(document.origin)},
                                         {"rows", document.rows.rows}};
    std::printf("%s\n", json.dump().c_str());
    return {};
  }
  std::printf("a %s model of '%s', from %s\n%zu rows to measure it on\n%zu features:\n",
              std::string(document.model->algorithm()).c_str(), one_line(schema.target).c_str(),
              origin_text(document.origin).c_str(), document.rows.rows, schema.features.size());
  for (const std::string& feature : schema.features) {
    std::printf("  %s\n", one_line(feature).c_str());
  }
  return {};
}

Result<std::uint64_t> describe_file(const FileOptions& options) {
  std::optional<format::DatasetProfile> profile;
  if (is_model_document(options.file)) {
    WEIR_TRY(describe_model(options));
    return 0;
  }
  CsvHandlers handlers;
  handlers.header = [&](const std::vector<std::string>& names, std::string_view) -> Status {
    profile.emplace(names, registry::FeatureSettings().missing_words);
    return {};
  };
  handlers.record = [&](const CsvRecord& record) -> Status {
    if (record.fault.empty()) {
      profile->add(record.fields);
    } else {
      profile->add_malformed();
      if (profile->malformed() <= kFaultsToldMax) {
        tell(options.file + " line " + std::to_string(record.line) + ": " + record.fault);
      }
    }
    return {};
  };
  WEIR_TRY(read_local_csv(options.file, kRecordBytesMax, handlers));
  print_profile(*profile, options.common.json());
  return profile->malformed();
}

}  // namespace

void add_describe(CLI::App& app, Action& action) {
  add_file_command(app, action, "describe", "The columns of a data set and their statistics",
                   describe_file, [](CLI::App& command, FileOptions& options) {
                     command
                         .add_option("FILE", options.file,
                                     "A CSV file with a header, or a model document; - is stdin")
                         ->required();
                   });
}

}  // namespace weir::cli
