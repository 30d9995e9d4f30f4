#include "config/reference_page.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "config/load_settings.h"
#include "config/setting_table.h"

namespace weir::config {
namespace {

const std::string kPage = std::string(WEIR_SOURCE_DIR) + "/docs/configuration.md";

TEST(ReferencePage, is_the_committed_one) {
  if (std::getenv("WEIR_WRITE_DOCS") != nullptr) std::ofstream(kPage) << reference_page();
  std::stringstream committed;
  committed << std::ifstream(kPage).rdbuf();
  EXPECT_TRUE(committed.str() == reference_page())
      << kPage << " is not what the setting table says. To write it anew:\n"
      << "  WEIR_WRITE_DOCS=1 ctest -R ReferencePage";
}

TEST(ReferencePage, names_every_setting_and_its_variable) {
  const std::string page = reference_page();
  for (const Setting& setting : setting_table()) {
    EXPECT_NE(page.find(" `" + setting.name + "` "), std::string::npos);
    const std::string variable = environment_name(setting.name);
    EXPECT_NE(page.find(" `" + variable + "` "), std::string::npos);
  }
}

TEST(ReferencePage, the_example_is_legal_as_it_stands) {
  LoadRequest request;
  request.path = std::string(WEIR_SOURCE_DIR) + "/examples/boston/weir.yaml";
  const auto loaded = load_settings(request);
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ(loaded->settings.pipeline, "boston");
  EXPECT_EQ(loaded->settings.dataset.target, "medv");
  EXPECT_EQ(loaded->settings.store, "");
}

}  // namespace
}  // namespace weir::config
