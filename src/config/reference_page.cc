#include "config/reference_page.h"

#include "config/load_settings.h"
#include "config/setting_table.h"

namespace weir::config {
namespace {

constexpr std::string_view kIntroduction =
    R"(# Configuration

Written from the table in `src/config/setting_table.cc`; do not edit. To write it anew:
`WEIR_WRITE_DOCS=1 ctest -R ReferencePage`.

Settings come from `weir.yaml` in the working folder (or the file that `-c` names), from the
environment and from the command line; the later one wins. `weir config show` prints each setting in
force with where it came from, and `weir config check` tells everything that is wrong.

- **Environment.** Each setting has a variable, named in the tables. One that is empty counts as not
  given. Settings without a file: `-c /dev/null`.
- **Variables in the file.** `${NAME}` in a value is replaced by the variable; `${NAME:default}` has
  a default (all between the colon and the first `}`), and `$${` stands for a plain `${`. What is put
  in is not read as YAML.
- **Durations** are written `100ms`, `2s`, `5m`, `1h`, `1d`; **sizes** `500kB`, `64MB` (powers of
  1000) or `1MiB` (powers of 1024). **Lists** are `[a, b]` in the file and `a,b` elsewhere.
- **Refused**, with line and column: unknown and doubled names, values of the wrong type or out of
  bounds, YAML anchors, aliases, tags and second documents, files over 1 MiB.
)";

constexpr std::string_view kKafka =
    R"(Any [librdkafka property](https://github.com/confluentinc/librdkafka/blob/v2.12.1/CONFIGURATION.md)
may stand here and is passed on as it is, but for those that would run programs or load libraries and
those that weir sets itself. `ssl.ca.location: x` and `ssl: {ca: {location: x}}` say the same. In the
environment `WEIR_KAFKA_SSL_CA_LOCATION` stands for `ssl.ca.location`; on the command line it is
`-X ssl.ca.location=x`. Keep passwords out of the file: `sasl.password: ${KAFKA_PASSWORD}`.
Variables such as Kubernetes makes for a service named weir-kafka (`WEIR_KAFKA_SERVICE_HOST`,
`WEIR_KAFKA_PORT`) are not looked at.
)";

std::string default_of(const Setting& setting, const Settings& defaults) {
  if (setting.required) return "required";
  if (!setting.pipeline_suffix.empty()) return "`<pipeline>" + setting.pipeline_suffix + "`";
  const std::string value = setting.get(defaults);
  if (!setting.fallback_environment.empty() && value.empty()) {
    return "`$" + setting.fallback_environment + "`";
  }
  if (setting.set_items && value.empty()) return "none";
  return value.empty() ? "empty" : "`" + value + "`";
}

}  // namespace

std::string reference_page() {
  const Settings defaults;
  std::string page(kIntroduction);
  std::string_view open_section = "-";
  for (const Setting& setting : setting_table()) {
    const std::string_view section = section_of(setting.name);
    if (section != open_section) {
      page += section.empty() ? "\n## Top level\n\n" : "\n## " + std::string(section) + "\n\n";
      if (section == kKafkaSection) page += std::string(kKafka) + "\n";
      page += "| name | default | type | legal | meaning | variable |\n|---|---|---|---|---|---|\n";
      open_section = section;
    }
    page += "| `" + setting.name + "` | " + default_of(setting, defaults) + " | " + setting.type +
            " | " + setting.legal + " | " + setting.doc + " | `" + environment_name(setting.name) +
            "` |\n";
  }
  return page;
}

}  // namespace weir::config
