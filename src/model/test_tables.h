// Tables for the tests of this room: numbers from small files, and rows from nowhere.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "model/accumulator.h"
#include "record/row_block.h"
#include "record/schema.h"

namespace weir::model {

using Rows = std::vector<std::vector<double>>;  // each row: features, then the target

inline record::RowBlock block_of(const Rows& rows) {
  record::RowBlock block;
  block.rows = rows.size();
  block.columns = rows.at(0).size();
  block.values.resize(block.rows * block.columns);
  for (std::size_t i = 0; i < block.rows; ++i) {
    block.row_numbers.push_back(i);
    for (std::size_t j = 0; j < block.columns; ++j) {
      block.values[j * block.rows + i] = rows[i][j];
    }
  }
  return block;
}

inline record::Schema schema_of(std::size_t features) {
  record::Schema schema{{}, "y"};
  for (std::size_t j = 1; j <= features; ++j)
    schema.features.push_back(std::string("x").append(std::to_string(j)));
  return schema;
}

inline Accumulator accumulate(const Rows& rows, RowKeeping keeping = RowKeeping::kWhileFew) {
  Accumulator accumulator(rows.at(0).size(), keeping);
  const record::RowBlock block = block_of(rows);
  accumulator.add(block, 0, block.rows);
  return accumulator;
}

// The bytes of a file of the project.
inline std::string read_test_file(const std::string& path_in_project) {
  std::ifstream stream(std::string(WEIR_SOURCE_DIR) + "/" + path_in_project, std::ios::binary);
  EXPECT_TRUE(stream) << path_in_project;
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

struct Table {
  std::vector<std::string> names;
  Rows rows;
};

// A plain file of numbers with a header.
inline Table read_table(const std::string& path_in_project) {
  std::ifstream file(std::string(WEIR_SOURCE_DIR) + "/" + path_in_project);
  EXPECT_TRUE(file.is_open()) << path_in_project;
  Table table;
  std::string line;
  std::string cell;
  std::getline(file, line);
  for (std::istringstream header(line); std::getline(header, cell, ',');) {
    table.names.push_back(cell);
  }
  while (std::getline(file, line)) {
    std::vector<double> row;
    for (std::istringstream cells(line); std::getline(cells, cell, ',');) {
      row.push_back(std::stod(cell));
    }
    if (!row.empty()) table.rows.push_back(row);
  }
  return table;
}

// A reference set of NIST, with x expanded to its powers.
inline Rows strd_rows(const std::string& set, int degree) {
  Rows rows;
  for (const auto& cells : read_table("src/model/testdata/strd/" + set + ".csv").rows) {
    std::vector<double> row(cells.begin() + 1, cells.end());
    for (int power = 2; power <= degree; ++power) row.push_back(row.back() * cells[1]);
    row.push_back(cells[0]);
    rows.push_back(row);
  }
  return rows;
}

// Rows of `features` normal values and a target that is linear in them but for some noise.
inline Rows random_rows(std::size_t count, std::size_t features, unsigned seed = 1) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  Rows rows(count, std::vector<double>(features + 1));
  for (auto& row : rows) {
    double target = 3;
    for (std::size_t j = 0; j < features; ++j) {
      row[j] = static_cast<double>(j + 1) * normal(generator) + 10;
      target += row[j] * (static_cast<double>(j) - 1.5);
    }
    row[features] = target + 0.1 * normal(generator);
  }
  return rows;
}

// How many digits of `value` agree with `expected`: -log10 of the relative error, at most 15.
inline double digits(double value, double expected) {
  if (value == expected) return 15;
  const double error = expected == 0 ? std::abs(value) : std::abs((value - expected) / expected);
  return std::min(15.0, -std::log10(error));
}

}  // namespace weir::model
