#include "records.h"

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "kafka.h"

namespace weir::bench {
namespace {

// Then they come again, under other keys.
constexpr std::size_t kDistinctRecords = 50'000;
constexpr std::size_t kDistinctNumbers = 2'500'000;
constexpr int kDigits = 15;

struct Table {
  std::vector<std::string> names;
  std::vector<std::vector<std::string>> rows;
};

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::stringstream stream(line);
  for (std::string field; std::getline(stream, field, ',');) fields.push_back(field);
  return fields;
}

Table read_csv(const char* path) {
  std::ifstream file(path);
  Table table;
  std::string line;
  if (std::getline(file, line)) table.names = split(line);
  while (std::getline(file, line)) table.rows.push_back(split(line));
  if (table.rows.empty()) die(std::string("cannot read ") + path);
  return table;
}

// A number between 0 and 1 (splitmix64).
double random_number(std::uint64_t& state) {
  std::uint64_t z = state += 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

std::vector<std::string> cells_of(const Table& table, std::size_t index, std::uint64_t& random) {
  std::vector<std::string> cells = table.rows[index % table.rows.size()];
  cells.pop_back();  // the target
  for (std::size_t j = 0; j < cells.size(); ++j) {
    const std::string& name = table.names[j];
    if (name == "chas" || name == "rad" || name == "tax") continue;
    const double moved = std::stod(cells[j]) * (0.95 + 0.1 * random_number(random));
    char text[40];
    const auto end =
        std::to_chars(text, text + sizeof text, moved, std::chars_format::general, kDigits);
    cells[j].assign(text, end.ptr);
  }
  return cells;
}

std::string json_of(const std::vector<std::string>& names, const std::vector<std::string>& cells,
                    Shape shape) {
  const bool columns = shape == Shape::kColumns;
  std::string json = columns ? R"({"sample": {)" : "{";
  for (std::size_t j = 0; j < cells.size(); ++j) {
    if (j > 0) json += ", ";
    json += '"' + names[j] + "\": ";
    json += columns ? R"({"0": )" + cells[j] + "}" : cells[j];
  }
  return json + (columns ? "}}" : "}");
}

void write_line(std::ofstream& file, const std::vector<std::string>& cells, std::size_t count) {
  for (std::size_t j = 0; j < count; ++j) file << (j > 0 ? "," : "") << cells[j];
  file << '\n';
}

}  // namespace

Shape shape_of(std::string_view name) {
  if (name == "flat") return Shape::kFlat;
  if (name == "columns") return Shape::kColumns;
  die("a shape is flat or columns, not " + std::string(name));
}

std::vector<std::string> make_records(const char* csv, Shape shape, const char* rows) {
  const Table table = read_csv(csv);
  const std::size_t columns = table.names.size() - 1;
  std::ofstream copy;
  if (rows) {
    copy.open(rows);
    write_line(copy, table.names, columns);
  }
  std::uint64_t random = 1;
  std::vector<std::string> records(std::min(kDistinctRecords, kDistinctNumbers / columns));
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::vector<std::string> cells = cells_of(table, i, random);
    records[i] = json_of(table.names, cells, shape);
    if (rows) write_line(copy, cells, columns);
  }
  if (rows && !copy.flush()) die(std::string("cannot write ") + rows);
  return records;
}

Key::Key(std::size_t number)
    : size_(static_cast<std::size_t>(
          std::snprintf(text_, sizeof text_, "%s%08zu", kKeyPrefix.data(), number))) {}

std::size_t number_of(std::string_view key) {
  std::size_t number = 0;
  if (!key.starts_with(kKeyPrefix)) die("an unknown key: " + std::string(key));
  const auto [end, error] =
      std::from_chars(key.data() + kKeyPrefix.size(), key.data() + key.size(), number);
  if (error != std::errc() || end != key.data() + key.size()) {
    die("an unknown key: " + std::string(key));
  }
  return number;
}

}  // namespace weir::bench
