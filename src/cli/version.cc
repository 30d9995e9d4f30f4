#include "cli/version.h"

#include "stream/kafka_broker.h"

namespace weir::cli {

std::string version_text() {
  return std::string("weir ") + kProgramVersion + "\n" + stream::kafka_version();
}

}  // namespace weir::cli
