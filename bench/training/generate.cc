// bench_generate ROWS FILE.csv [full]: writes a data set shaped like Boston's, and
// FILE.csv.truth.json.
//
// Thirteen columns of uniform numbers, independent of each other, with Boston's names, ranges and
// digits; the target is a linear function of them plus noise of a known size, rounded to one digit.
// With `full` they have all digits of a double, as programs write numbers that they have reckoned.
// So the truth is known, and so is how far an estimate may be from it. The same number of rows
// gives the same bytes.
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

struct Column {
  const char* name;
  int decimals;
  std::uint64_t low;  // in units of the last decimal
  std::uint64_t high;
  double coefficient;
};

constexpr std::array kColumns = {
    Column{"crim", 4, 63, 889762, -0.108},  Column{"zn", 1, 0, 1000, 0.046},
    Column{"indus", 2, 46, 2774, 0.021},    Column{"chas", 0, 0, 1, 2.687},
    Column{"nox", 3, 385, 871, -17.767},    Column{"rm", 3, 3561, 8780, 3.81},
    Column{"age", 1, 29, 1000, 0.001},      Column{"dis", 3, 1130, 12127, -1.476},
    Column{"rad", 0, 1, 24, 0.306},         Column{"tax", 0, 187, 711, -0.012},
    Column{"ptratio", 1, 126, 220, -0.953}, Column{"black", 2, 32, 39690, 0.009},
    Column{"lstat", 2, 173, 3797, -0.525},
};
constexpr double kIntercept = 36.459;
constexpr double kNoise = 4.7;  // its standard deviation

std::uint64_t next_random(std::uint64_t& state) {  // splitmix64
  std::uint64_t z = state += 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

constexpr double kUnits[] = {1, 0.1, 0.01, 0.001, 0.0001};  // by decimals

// Four dice of sixteen bits: nearly normal, mean 0, standard deviation 1.
double noise(std::uint64_t& state) {
  const std::uint64_t bits = next_random(state);
  double sum = -2;
  for (int i = 0; i < 4; ++i) {
    sum += (static_cast<double>((bits >> (16 * i)) & 0xFFFF) + 0.5) / 65536;
  }
  return sum * std::sqrt(3.0);
}

// "8.5", "0.00632", "-3": the digits as they are counted, trailing noughts and all.
char* write_decimal(char* out, std::int64_t value, int decimals) {
  if (value < 0) *out++ = '-';
  std::uint64_t magnitude = static_cast<std::uint64_t>(value < 0 ? -value : value);
  std::uint64_t scale = 1;
  for (int i = 0; i < decimals; ++i) scale *= 10;
  out = std::to_chars(out, out + 20, magnitude / scale).ptr;
  if (decimals == 0) return out;
  *out++ = '.';
  magnitude %= scale;
  for (scale /= 10; scale > 0; scale /= 10) {
    *out++ = static_cast<char>('0' + magnitude / scale);
    magnitude %= scale;
  }
  return out;
}

// All digits of a number of the column.
char* write_full(char* out, const Column& column, std::uint64_t random, double& value) {
  const double place = static_cast<double>(random >> 11) * 0x1p-53;
  const auto width = static_cast<double>(column.high - column.low);
  value = kUnits[column.decimals] * (static_cast<double>(column.low) + place * width);
  return std::to_chars(out, out + 60, value, std::chars_format::fixed).ptr;
}

// Its own digits.
char* write_short(char* out, const Column& column, std::uint64_t random, double& value) {
  // The small bias of % is of no matter here.
  const std::uint64_t units = column.low + random % (column.high - column.low + 1);
  value = kUnits[column.decimals] * static_cast<double>(units);
  return write_decimal(out, static_cast<std::int64_t>(units), column.decimals);
}

void write_rows(std::FILE* file, long rows, bool full) {
  const auto write = full ? write_full : write_short;
  std::uint64_t random = 20240229;
  for (long row = 0; row < rows; ++row) {
    char line[1000];
    char* out = line;
    double target = kIntercept + kNoise * noise(random);
    for (const Column& column : kColumns) {
      double value = 0;
      out = write(out, column, next_random(random), value);
      target += column.coefficient * value;
      *out++ = ',';
    }
    out = write_decimal(out, std::llround(target * 10), 1);
    *out++ = '\n';
    std::fwrite(line, 1, static_cast<std::size_t>(out - line), file);
  }
}

double deviation_of(const Column& column, bool full) {
  const auto width = static_cast<double>(column.high - column.low);
  const double variance = full ? width * width / 12 : ((width + 1) * (width + 1) - 1) / 12;
  return kUnits[column.decimals] * std::sqrt(variance);
}

void write_truth(std::FILE* file, long rows, long bytes, bool full) {
  std::fprintf(file, "{\"rows\": %ld, \"bytes\": %ld, \"intercept\": %.17g, \"noise\": %.17g,\n",
               rows, bytes, kIntercept, kNoise);
  std::fprintf(file, " \"columns\": {");
  for (const Column& column : kColumns) {
    std::fprintf(file,
                 "%s\n  \"%s\": {\"coefficient\": %.17g, \"mean\": %.17g, \"deviation\": %.17g}",
                 &column == kColumns.data() ? "" : ",", column.name, column.coefficient,
                 kUnits[column.decimals] * static_cast<double>(column.low + column.high) / 2,
                 deviation_of(column, full));
  }
  std::fprintf(file, "}}\n");
}

std::FILE* open(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file) return file;
  std::perror(path.c_str());
  std::exit(1);
}

void close(std::FILE* file, const std::string& path) {
  if (std::ferror(file) == 0 && std::fclose(file) == 0) return;
  std::perror(path.c_str());
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  const bool full = argc == 4 && std::string_view(argv[3]) == "full";
  if (argc != 3 && !full) {
    std::fprintf(stderr, "usage: bench_generate ROWS FILE.csv [full]\n");
    return 2;
  }
  const long rows = std::atol(argv[1]);
  const std::string path = argv[2];
  std::FILE* file = open(path);
  for (const Column& column : kColumns) std::fprintf(file, "%s,", column.name);
  std::fprintf(file, "medv\n");
  write_rows(file, rows, full);
  const long bytes = std::ftell(file);
  close(file, path);
  std::FILE* truth = open(path + ".truth.json");
  write_truth(truth, rows, bytes, full);
  close(truth, path + ".truth.json");
}
