// Samples in Prometheus' text format 0.0.4 ("Exposition formats"): each metric with its help and
// type, its samples one after the other, as the format asks for.
//
// Owner: who writes one page. Threads: one. Errors: none.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace weir::serve {

using Labels = std::vector<std::pair<std::string, std::string>>;

class MetricsPage {
 public:
  // Each sample gets the label `pipeline`.
  explicit MetricsPage(std::string pipeline) : pipeline_(std::move(pipeline)) {}

  void begin_gauge(const std::string& name, const std::string& help) { begin(name, help, "gauge"); }
  // The name ends in _total.
  void begin_counter(const std::string& name, const std::string& help) {
    begin(name, help, "counter");
  }
  void begin_histogram(const std::string& name, const std::string& help) {
    begin(name, help, "histogram");
  }
  // A metric of one value.
  void gauge(const std::string& name, const std::string& help, double value) {
    begin_gauge(name, help);
    sample(value);
  }
  void counter(const std::string& name, const std::string& help, std::uint64_t value) {
    begin_counter(name, help);
    sample(static_cast<double>(value));
  }
  // Of the metric begun last.
  void sample(double value, const Labels& labels = {}) { sample_of("", value, labels); }
  // One with an ending to the name: _bucket, _sum, _count of a histogram.
  void sample_of(const std::string& ending, double value, const Labels& labels);
  std::string take() { return std::move(text_); }

 private:
  void begin(const std::string& name, const std::string& help, const char* type);

  const std::string pipeline_;
  std::string name_;
  std::string text_;
};

}  // namespace weir::serve
