#include "workloads.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <string_view>
#include <unordered_map>

#include "cache/local_table.h"
#include "format/feature_message.h"
#include "format/prediction_message.h"
#include "random_models.h"

namespace weir::bench {
namespace {

constexpr std::size_t kRecords = 500;
constexpr std::size_t kFeatures = 13;
constexpr int kDigits = 15;  // as a program writes what it computed

std::vector<double> numbers(std::size_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(10, 100);
  std::vector<double> made(count);
  for (double& value : made) value = normal(random);
  return made;
}

// --- Reading ---

// Three of the thirteen are whole, as in data/boston.csv.
std::string number_text(double value, std::size_t feature) {
  char text[40];
  const bool whole = feature % 5 == 3;
  const auto end = std::to_chars(text, text + sizeof text, whole ? std::round(value) : value,
                                 std::chars_format::general, kDigits);
  return {text, end.ptr};
}

record::Schema message_schema() { return numbered_schema(kFeatures, "feature"); }

std::vector<std::string> messages(bool table) {
  const record::Schema names = message_schema();
  const auto values = numbers(kRecords * kFeatures, 1);
  std::vector<std::string> made;
  for (std::size_t i = 0; i < kRecords; ++i) {
    std::string json = table ? "{\"sample\": {" : "{";
    for (std::size_t j = 0; j < kFeatures; ++j) {
      if (j > 0) json += ", ";
      const std::string text = number_text(values[i * kFeatures + j], j);
      json += '"' + names.features[j] + "\": ";
      json += table ? "{\"" + std::to_string(i) + "\": " + text + '}' : text;
    }
    made.push_back(json + (table ? "}}" : "}"));
  }
  return made;
}

// Finds the numbers that stand outside strings, and converts them.
double sum_of_numbers(std::string_view json) {
  double sum = 0;
  const char* at = json.data();
  const char* const end = at + json.size();
  while (at != end) {
    if (*at == '"') {
      do ++at;
      while (*at != '"');
      ++at;
    } else if (*at == '-' || (*at >= '0' && *at <= '9')) {
      double value = 0;
      at = std::from_chars(at, end, value).ptr;
      sum += value;
    } else {
      ++at;
    }
  }
  return sum;
}

Comparison reading(const std::string& name, bool table, double ratio_max) {
  const auto texts = std::make_shared<std::vector<std::string>>(messages(table));
  const auto parser = std::make_shared<format::FeatureParser>(message_schema());
  const auto rows = std::make_shared<std::vector<double>>();
  const auto ours = [=] {
    double sum = 0;
    for (const std::string& text : *texts) {
      rows->clear();
      if (!parser->parse(text, *rows)) std::abort();
      sum += std::accumulate(rows->begin(), rows->end(), 0.0);
    }
    return sum;
  };
  const auto plain = [=] {
    double sum = 0;
    for (const std::string& text : *texts) sum += sum_of_numbers(text);
    return sum;
  };
  return {{"parse " + name, kRecords, ours},
          {"from_chars of the same bytes", kRecords, plain},
          true,
          ratio_max};
}

// --- Predicting ---

double total(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

std::function<double()> predicting(std::shared_ptr<const model::Model> model,
                                   std::shared_ptr<const std::vector<double>> rows) {
  const auto out =
      std::make_shared<std::vector<double>>(rows->size() / model->schema().features.size());
  return [=] {
    model->predict(*rows, *out);
    return total(*out);
  };
}

Comparison linear(std::size_t features, double ratio_max) {
  const std::size_t records = 50 * kRecords * kFeatures / features / 10;
  const auto rows = std::make_shared<std::vector<double>>(numbers(records * features, 2));
  const auto b = std::make_shared<std::vector<double>>(numbers(features, 3));
  const auto model = linear_model(22.5, *b);
  const auto out = std::make_shared<std::vector<double>>(records);
  const auto plain = [=] {
    for (std::size_t i = 0; i < records; ++i) {
      double sum = 22.5;
      for (std::size_t j = 0; j < features; ++j) sum += (*b)[j] * (*rows)[i * features + j];
      (*out)[i] = sum;
    }
    return total(*out);
  };
  const std::string name = std::to_string(features) + " features";
  return {{"predict linear, " + name, records, predicting(model, rows)},
          {"dot products, " + name, records, plain},
          true,
          ratio_max};
}

// A row at a time down one tree after the other. In whole trees the children of node n are 2n + 1
// and 2n + 2.
double walk(const std::vector<model::Tree>& trees, const float* row) {
  float sum = 0.5F;
  for (const model::Tree& tree : trees) {
    std::size_t node = 0;
    while (tree.feature[node] != model::Tree::kLeaf) {
      const bool left = row[tree.feature[node]] < static_cast<float>(tree.value[node]);
      node = 2 * node + (left ? 1 : 2);
    }
    sum += static_cast<float>(tree.value[node]);
  }
  return static_cast<double>(sum);
}

Comparison trees(std::size_t count, double ratio_max) {
  constexpr int kDepth = 6;
  const std::size_t records = 50'000 / count;
  const auto made = std::make_shared<std::vector<model::Tree>>(
      random_trees(count, kDepth, kFeatures, std::normal_distribution<>(10, 100), 0.01));
  const auto rows = std::make_shared<std::vector<double>>(numbers(records * kFeatures, 4));
  const auto model = boosted_model(kFeatures, *made);
  const auto out = std::make_shared<std::vector<double>>(records);
  const auto plain = [=] {
    std::vector<float> row(kFeatures);
    for (std::size_t i = 0; i < records; ++i) {
      for (std::size_t j = 0; j < kFeatures; ++j) {
        row[j] = static_cast<float>((*rows)[i * kFeatures + j]);
      }
      (*out)[i] = walk(*made, row.data());
    }
    return total(*out);
  };
  const std::string name = std::to_string(count) + " trees of depth 6";
  return {{"predict " + name, records, predicting(model, rows)},
          {"a row at a time, " + name, records, plain},
          true,
          ratio_max};
}

// --- Writing ---

Comparison writing(const std::string& name, std::size_t values, double ratio_max) {
  const auto made = std::make_shared<std::vector<record::Prediction>>();
  const auto random = numbers(kRecords * values, 5);
  for (std::size_t i = 0; i < kRecords; ++i) {
    record::Prediction one;
    one.values.assign(random.begin() + static_cast<std::ptrdiff_t>(i * values),
                      random.begin() + static_cast<std::ptrdiff_t>((i + 1) * values));
    one.many = values > 1;
    one.model = 7;
    one.epoch = 12;
    one.partition = 3;
    one.offset = static_cast<std::int64_t>(1'000'000 + i);
    made->push_back(std::move(one));
  }
  const auto text = std::make_shared<std::string>();
  const auto ours = [=] {
    std::size_t bytes = 0;
    for (const record::Prediction& prediction : *made) {
      text->clear();
      if (!format::append_prediction(*text, prediction)) std::abort();
      bytes += text->size();
    }
    return static_cast<double>(bytes);
  };
  const auto plain = [=] {
    std::ptrdiff_t bytes = 0;
    char number[40];
    const auto write = [&](auto value) {
      bytes += std::to_chars(number, number + sizeof number, value).ptr - number;
    };
    for (const record::Prediction& one : *made) {
      for (const double value : one.values) write(value);
      write(one.model);
      write(one.epoch);
      write(one.partition);
      write(one.offset);
    }
    return static_cast<double>(bytes);
  };
  return {{"format " + name, kRecords, ours},
          {"to_chars of its numbers", kRecords, plain},
          false,
          ratio_max};
}

// --- Remembering ---

struct Remembered {
  std::vector<double> rows = numbers(kRecords * kFeatures, 6);
  cache::MemoryBudget budget{std::size_t{64} << 20};
  cache::LocalTable table{kFeatures, budget, {1, 2}};
  std::vector<double> kept = rows;  // what `plain` has views into
  std::unordered_map<std::string_view, double> plain;

  std::span<const double> row(std::size_t i) const {
    return std::span(rows).subspan(i * kFeatures, kFeatures);
  }
  static std::string_view bytes(std::span<const double> row) {
    return {reinterpret_cast<const char*>(row.data()), row.size_bytes()};
  }
};

// Of rows that are there, or of others of which none is.
Comparison looking_up(const std::string& name, bool there, double ratio_max) {
  const auto kept = std::make_shared<Remembered>();
  for (std::size_t i = 0; i < kRecords; ++i) {
    const auto row = kept->row(i);
    kept->table.put(row, kept->table.hash(row), row[0]);
    const auto same = std::span(kept->kept).subspan(i * kFeatures, kFeatures);
    kept->plain.emplace(Remembered::bytes(same), row[0]);
  }
  if (!there) kept->rows = numbers(kRecords * kFeatures, 7);
  const auto ours = [=] {
    double sum = 0;
    for (std::size_t i = 0; i < kRecords; ++i) {
      const auto row = kept->row(i);
      sum += kept->table.find(row, kept->table.hash(row)).value_or(1);
    }
    return sum;
  };
  const auto plain = [=] {
    double sum = 0;
    for (std::size_t i = 0; i < kRecords; ++i) {
      const auto found = kept->plain.find(Remembered::bytes(kept->row(i)));
      sum += found == kept->plain.end() ? 1 : found->second;
    }
    return sum;
  };
  return {{"cache " + name, kRecords, ours},
          {"unordered_map of the row's bytes", kRecords, plain},
          true,
          ratio_max};
}

}  // namespace

std::vector<Comparison> comparisons() {
  return {reading("a flat object", false, 1.3),
          reading("a table of one row", true, 1.4),
          linear(13, 0.95),
          linear(500, 0.5),
          trees(100, 0.21),
          trees(1'000, 0.24),
          writing("a prediction", 1, 2.5),
          writing("100 predictions of a record", 100, 1.6),
          looking_up("hit", true, 2.7),
          looking_up("miss", false, 2.1)};
}

}  // namespace weir::bench
