#include "score/model_loader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <thread>

#include "base/sha256.h"
#include "model/linear_model.h"
#include "store/memory_file_store.h"

namespace weir::score {
namespace {

constexpr const char* kModels = "/MLmodel";

// The suite's name puts it under the thread sanitizer.
class ModelLoaderThreads : public ::testing::Test {
 protected:
  ModelLoaderThreads() : registry(store, kModels) {
    for (const std::uint64_t version : {1, 2}) publish(version);
  }

  void publish(std::uint64_t version) {
    const auto model = model::LinearModel::make({{"a"}, "y"}, static_cast<double>(version), {2.0});
    ASSERT_TRUE(model);
    const std::string json = model->to_json();
    registry::Manifest manifest;
    manifest.version = version;
    manifest.algorithm = "linear";
    manifest.schema = {{"a"}, "y"};
    manifest.model_sha256 = sha256_hex(json);
    sha256[version] = manifest.model_sha256;
    ASSERT_TRUE(registry.publish(manifest, json, "weir_row,a,y\n", {}));
  }

  // From now on every read of that version waits for `release`.
  void block_reads_of(std::uint64_t version) {
    const std::string folder = registry.version_path(version);
    store.before_each(
        [this, folder](store::Operation operation, const std::string& path) -> Status {
          if (operation != store::Operation::kRead || !path.starts_with(folder)) return {};
          if (!entered_once.exchange(true)) entered.set_value();
          released.wait();
          return {};
        });
  }

  static Result<registry::LoadedModel> wait_for(ModelLoader& loader) {
    while (true) {
      if (auto result = loader.take()) return std::move(*result);
      std::this_thread::yield();
    }
  }

  store::MemoryFileStore store;
  registry::ModelRegistry registry;
  std::map<std::uint64_t, std::string> sha256;
  std::atomic<bool> entered_once{false};
  std::promise<void> entered;
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
};

TEST_F(ModelLoaderThreads, give_the_model_that_was_asked_for_once) {
  BackgroundModelLoader loader(registry);
  EXPECT_FALSE(loader.take());
  loader.request(2, sha256[2]);
  const auto loaded = wait_for(loader);
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(loaded->manifest.version, 2u);
  EXPECT_FALSE(loader.take());
}

TEST_F(ModelLoaderThreads, give_the_error_where_there_is_none_and_go_on) {
  BackgroundModelLoader loader(registry);
  loader.request(7, "");
  const auto missing = wait_for(loader);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::kNotFound);
  loader.request(1, sha256[2]);
  const auto other = wait_for(loader);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), Code::kCorrupt);
  loader.request(1, sha256[1]);
  EXPECT_TRUE(wait_for(loader));
}

TEST_F(ModelLoaderThreads, let_their_owner_go_on_while_the_store_keeps_them_waiting) {
  BackgroundModelLoader loader(registry);
  block_reads_of(1);
  loader.request(1, sha256[1]);
  entered.get_future().wait();
  EXPECT_FALSE(loader.take());
  release.set_value();
  EXPECT_TRUE(wait_for(loader));
}

TEST_F(ModelLoaderThreads, drop_what_came_of_an_older_request) {
  BackgroundModelLoader loader(registry);
  block_reads_of(1);
  loader.request(1, sha256[1]);
  entered.get_future().wait();
  loader.request(2, sha256[2]);
  release.set_value();
  const auto loaded = wait_for(loader);
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(loaded->manifest.version, 2u);
  EXPECT_FALSE(loader.take());
}

TEST_F(ModelLoaderThreads, end_in_the_middle_of_a_load) {
  block_reads_of(1);
  std::thread releases;
  {
    BackgroundModelLoader loader(registry);
    loader.request(1, sha256[1]);
    entered.get_future().wait();
    loader.request(2, sha256[2]);
    releases = std::thread([this] { release.set_value(); });
  }
  releases.join();
}

}  // namespace
}  // namespace weir::score
