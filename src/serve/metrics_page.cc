#include "serve/metrics_page.h"

#include "base/text.h"

namespace weir::serve {
namespace {

std::string escaped(const std::string& value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') out += "\\n";
    else out += c;
  }
  return out;
}

}  // namespace

void MetricsPage::begin(const std::string& name, const std::string& help, const char* type) {
  name_ = name;
  text_ += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

void MetricsPage::sample_of(const std::string& ending, double value, const Labels& labels) {
  text_ += name_ + ending + "{pipeline=\"" + escaped(pipeline_) + "\"";
  for (const auto& [label, text] : labels) text_ += "," + label + "=\"" + escaped(text) + "\"";
  text_ += "} " + format_double(value) + "\n";
}

}  // namespace weir::serve
