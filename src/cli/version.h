// The program's version, as manifests, --version and logs say it.
#pragma once

#include <string>

namespace weir::cli {

inline constexpr const char* kProgramVersion = "0.1.0";
std::string version_text();  // with librdkafka's version and features, a line each

}  // namespace weir::cli
