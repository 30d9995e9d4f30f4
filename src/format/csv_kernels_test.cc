#include "format/csv_kernels.h"

#include <gtest/gtest.h>

#include <bit>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "format/decimal.h"

namespace weir::format {
namespace {

std::vector<std::uint32_t> places(const CsvKernels& kernels, const std::string& bytes) {
  std::vector<std::uint32_t> found(bytes.size() + 16);
  const auto* end = kernels.find_delimiters(bytes.data(), bytes.size(), 1000, found.data());
  found.resize(static_cast<std::size_t>(end - found.data()));
  return found;
}

TEST(CsvKernels, find_the_delimiters_that_a_plain_search_finds) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::string bytes(random() % 400, ' ');
    std::vector<std::uint32_t> expected;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = "0123456789,\n.\"\xac\x8a"[random() % (round % 2 == 0 ? 16 : 11)];
      if (bytes[i] == ',' || bytes[i] == '\n') {
        expected.push_back(1000 + static_cast<std::uint32_t>(i));
      }
    }
    for (const CsvKernels& kernels : all_csv_kernels()) {
      EXPECT_EQ(places(kernels, bytes), expected) << kernels.name;
    }
  }
}

// A cell of nine bytes and more, as a program writes what it has reckoned.
std::string long_cell(std::mt19937& random) {
  std::string cell = random() % 2 == 0 ? "-" : "";
  cell += std::to_string(random() % 1000) + ".";
  for (std::size_t digits = 5 + random() % 12; digits > 0; --digits) {
    cell += static_cast<char>('0' + random() % 10);
  }
  return cell;
}

// A cell, mostly one that a kernel takes.
std::string random_cell(std::mt19937& random, bool plain) {
  static const char* const kOdd[] = {"",     "-",     ".",    "-.",  "--1",        "1.2.3",
                                     "+1",   " 1",    "1 ",   "1e5", "12345678.9", "nan",
                                     "1-2",  "\"1\"", "12:3", "1/2", "-12345678",  "1,5",
                                     "0x10", "\xb1",  "1\n2", "\x05"};
  if (!plain) return kOdd[random() % std::size(kOdd)];
  if (random() % 16 == 0) return long_cell(random);
  std::string cell = random() % 3 == 0 ? "-" : "";
  const std::size_t digits = 1 + random() % (7 - cell.size());
  const std::size_t point = random() % (digits + 3);  // beyond the digits: none
  for (std::size_t i = 0; i < digits; ++i) {
    if (i == point) cell += '.';
    cell += static_cast<char>('0' + random() % 10);
  }
  if (point == digits) cell += '.';
  return cell;
}

// The number, if a kernel takes the cell.
std::optional<double> value_of(const std::string& cell) {
  const char* const end = cell.data() + cell.size();
  const Decimal decimal = parse_decimal(cell.data(), end, DecimalGrammar::kText);
  if (decimal.status != DecimalStatus::kGood || decimal.end != end) return std::nullopt;
  return decimal.value;
}

struct Group {
  std::string text = "header\n!!";  // so that there are bytes before the first cell
  std::size_t begin = text.size();
  std::vector<std::uint32_t> delimiters;
  std::vector<std::size_t> slots;
  std::vector<double> expected;  // NaN where the column is dropped
  bool readable = true;
};

Group random_group(std::mt19937& random) {
  Group group;
  const std::size_t columns = 1 + random() % 9;
  const std::size_t odd = random() % 2 == 0 ? random() % (columns * kRowsAtOnce) : ~std::size_t{0};
  std::size_t slots = 0;
  for (std::size_t column = 0; column < columns; ++column) {
    group.slots.push_back(random() % 5 == 0 ? kNoSlot : slots++);
  }
  group.expected.resize(slots * kRowsAtOnce);
  const bool carriage_returns = random() % 2 == 0;
  for (std::size_t row = 0; row < kRowsAtOnce; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const bool dropped = group.slots[column] == kNoSlot;
      const std::string cell = random_cell(random, row * columns + column != odd);
      const bool is_last = column + 1 == columns;
      group.text += cell + (is_last && carriage_returns ? "\r" : "");
      group.delimiters.push_back(static_cast<std::uint32_t>(group.text.size()));
      group.text += is_last ? '\n' : ',';
      const auto value = value_of(cell);
      if (dropped) {
        group.readable = group.readable && !cell.starts_with('"');
      } else if (value) {
        group.expected[group.slots[column] * kRowsAtOnce + row] = *value;
      } else {
        group.readable = false;
      }
    }
  }
  if (random() % 2 == 0) group.text += std::string(40, '!');
  if (random() % 4 == 0) {  // a delimiter that is the other one
    char& delimiter = group.text[group.delimiters[random() % group.delimiters.size()]];
    delimiter = delimiter == ',' ? '\n' : ',';
    group.readable = false;
  }
  return group;
}

TEST(CsvKernels, read_four_rows_to_the_bits_of_one_cell_at_a_time_or_not_at_all) {
  std::mt19937 random(2);
  std::size_t readable = 0;
  for (int round = 0; round < 20'000; ++round) {
    const Group group = random_group(random);
    readable += group.readable ? 1 : 0;
    for (const CsvKernels& kernels : all_csv_kernels()) {
      if (kernels.read_rows == nullptr) continue;
      std::vector<double> values(group.expected.size());
      const bool good =
          kernels.read_rows({group.text, group.begin, group.delimiters.data(), group.slots.data(),
                             group.slots.size(), values.data(), kRowsAtOnce});
      ASSERT_EQ(good, group.readable) << group.text;
      if (!good) continue;
      for (std::size_t i = 0; i < values.size(); ++i) {
        ASSERT_EQ(std::bit_cast<std::uint64_t>(values[i]),
                  std::bit_cast<std::uint64_t>(group.expected[i]))
            << group.text;
      }
    }
  }
  EXPECT_GT(readable, 5'000U);
  EXPECT_LT(readable, 15'000U);
}

}  // namespace
}  // namespace weir::format
