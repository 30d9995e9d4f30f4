#include "registry/model_registry.h"

#include <gtest/gtest.h>

#include "base/sha256.h"
#include "base/simulated_clock.h"
#include "model/linear_model.h"
#include "store/memory_file_store.h"

namespace weir::registry {
namespace {

using store::Operation;

constexpr const char* kModels = "/MLmodel";

class ModelRegistryTest : public ::testing::Test {
 protected:
  ModelRegistryTest() {
    auto model = model::LinearModel::make({{"a", "b"}, "y"}, 1.5, {2.0, -3.25});
    EXPECT_TRUE(model);
    model_json = model->to_json();
  }
  Manifest manifest(std::uint64_t version) const {
    Manifest made;
    made.version = version;
    made.algorithm = "linear";
    made.schema = {{"a", "b"}, "y"};
    made.model_sha256 = sha256_hex(model_json);
    return made;
  }
  Status publish(std::uint64_t version, const CrashPoints& crash_points = {}) {
    return registry.publish(manifest(version), model_json, "weir_row,a,b,y\n", crash_points);
  }
  std::vector<std::uint64_t> versions() const {
    const auto found = registry.versions();
    EXPECT_TRUE(found);
    return found.value_or(std::vector<std::uint64_t>{});
  }
  // Every version that a reader can see is whole.
  void expect_only_whole_versions() {
    for (const std::uint64_t version : versions()) {
      const auto loaded = registry.load(version, "");
      EXPECT_TRUE(loaded) << loaded.error().message();
      EXPECT_TRUE(registry.test_csv(version));
    }
  }
  std::size_t temporaries() {
    std::size_t count = 0;
    const auto entries = store.list(kModels);
    if (!entries) return 0;
    for (const auto& entry : *entries) count += entry.name.starts_with(".tmp-");
    return count;
  }
  // Calls the function at each call of the store, from the first on, until a publish uses none of
  // it.
  template <typename Function>
  void at_each_store_call(Function at_call) {
    int last = 0;
    for (int wanted = 1;; ++wanted) {
      int calls = 0;
      store.before_each([&](Operation, const std::string&) -> Status {
        return ++calls == wanted ? at_call() : Status{};
      });
      const std::uint64_t version = static_cast<std::uint64_t>(wanted);
      bool threw = false;
      Status published;
      try {
        published = publish(version);
      } catch (const SimulatedCrash&) {
        threw = true;
      }
      store.before_each({});
      expect_only_whole_versions();
      if (calls < wanted) break;
      EXPECT_TRUE(threw || !published) << "call " << wanted;
      last = wanted;
    }
    EXPECT_GE(last, 10) << "folder, three files, three times read back, rename";
  }

  SimulatedClock clock;
  store::MemoryFileStore store{clock};
  ModelRegistry registry{store, kModels};
  std::string model_json;
};

TEST_F(ModelRegistryTest, has_no_versions_where_there_is_no_folder) {
  EXPECT_EQ(versions(), std::vector<std::uint64_t>{});
  EXPECT_EQ(registry.load(1, "").error().code(), Code::kNotFound);
  EXPECT_EQ(registry.manifest(1).error().code(), Code::kNotFound);
  EXPECT_TRUE(registry.clean_temporaries());
}

TEST_F(ModelRegistryTest, gives_back_what_was_published) {
  ASSERT_TRUE(publish(12));
  ASSERT_TRUE(publish(3));
  EXPECT_EQ(versions(), (std::vector<std::uint64_t>{3, 12}));
  EXPECT_EQ(registry.version_path(12), "/MLmodel/0000000012");
  const auto loaded = registry.load(12, sha256_hex(model_json));
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(loaded->model->to_json(), model_json);
  EXPECT_EQ(loaded->manifest.version, 12u);
  EXPECT_EQ(registry.test_csv(12).value(), "weir_row,a,b,y\n");
  EXPECT_EQ(temporaries(), 0u);
}

TEST_F(ModelRegistryTest, never_replaces_a_version) {
  ASSERT_TRUE(publish(1));
  const Status again = publish(1);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::kAlreadyExists);
  EXPECT_EQ(temporaries(), 0u);
  expect_only_whole_versions();
}

TEST_F(ModelRegistryTest, looks_at_nothing_but_folders_of_ten_digits) {
  ASSERT_TRUE(publish(1));
  store.put("/MLmodel/0000000002", "a file");
  for (const char* name : {"1", "00000000003", "000000000x", "0000000000", ".tmp-00ff", "notes"}) {
    ASSERT_TRUE(store.make_directories(std::string("/MLmodel/") + name));
  }
  EXPECT_EQ(versions(), std::vector<std::uint64_t>{1});
}

TEST_F(ModelRegistryTest, shows_whole_versions_or_none_when_any_store_call_fails) {
  at_each_store_call([]() -> Status { return fail(Code::kExhausted, "disk full"); });
}

TEST_F(ModelRegistryTest, shows_whole_versions_or_none_when_it_dies_at_any_store_call) {
  at_each_store_call([]() -> Status { throw SimulatedCrash{"store"}; });
  EXPECT_GT(temporaries(), 0u);
  ASSERT_TRUE(registry.clean_temporaries());
  EXPECT_EQ(temporaries(), 0u);
  expect_only_whole_versions();
}

TEST_F(ModelRegistryTest, shows_a_whole_version_where_the_reply_to_the_rename_was_lost) {
  store.lose_reply_of_next(Operation::kRename, Error(Code::kTimeout, "no answer"));
  const Status published = publish(1);
  EXPECT_FALSE(published) << "the caller looks again";
  EXPECT_EQ(versions(), std::vector<std::uint64_t>{1});
  expect_only_whole_versions();
}

TEST_F(ModelRegistryTest, publishes_nothing_that_does_not_read_back_as_it_was_written) {
  const CrashPoints meddler([&](std::string_view place) {
    if (place != "temporary-written") return;
    const auto entries = store.list(kModels);
    ASSERT_TRUE(entries);
    for (const auto& entry : *entries) {
      std::string changed = model_json;
      changed[changed.size() / 2] ^= 1;
      store.put(entry.path + "/model.json", changed);
    }
  });
  const Status published = publish(1, meddler);
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().code(), Code::kCorrupt);
  EXPECT_EQ(versions(), std::vector<std::uint64_t>{});
}

TEST_F(ModelRegistryTest, reaches_its_crash_points_in_order) {
  std::vector<std::string> reached;
  ASSERT_TRUE(publish(1, CrashPoints([&](std::string_view place) {
                        reached.emplace_back(place);
                        EXPECT_EQ(versions().size(), place == "renamed" ? 1u : 0u) << place;
                      })));
  EXPECT_EQ(reached, (std::vector<std::string>{"temporary-written", "renamed"}));
}

TEST_F(ModelRegistryTest, refuses_to_load_where_any_byte_of_the_model_changed) {
  ASSERT_TRUE(publish(1));
  for (std::size_t at = 0; at < model_json.size(); ++at) {
    std::string changed = model_json;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    store.put("/MLmodel/0000000001/model.json", changed);
    const auto loaded = registry.load(1, "");
    ASSERT_FALSE(loaded) << at;
    ASSERT_EQ(loaded.error().code(), Code::kCorrupt) << at;
  }
  store.put("/MLmodel/0000000001/model.json", model_json.substr(0, model_json.size() / 2));
  EXPECT_EQ(registry.load(1, "").error().code(), Code::kCorrupt);
}

TEST_F(ModelRegistryTest, refuses_a_model_other_than_the_one_the_control_log_names) {
  ASSERT_TRUE(publish(1));
  const auto loaded = registry.load(1, std::string(64, '0'));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), Code::kCorrupt);
  EXPECT_NE(loaded.error().message().find("control log"), std::string::npos);
}

TEST_F(ModelRegistryTest, refuses_a_version_that_was_moved_to_another_name) {
  ASSERT_TRUE(publish(1));
  ASSERT_TRUE(store.rename("/MLmodel/0000000001", "/MLmodel/0000000002"));
  EXPECT_EQ(registry.load(2, "").error().code(), Code::kCorrupt);
}

TEST_F(ModelRegistryTest, refuses_a_version_that_lacks_a_file) {
  ASSERT_TRUE(publish(1));
  ASSERT_TRUE(store.remove("/MLmodel/0000000001/model.json"));
  EXPECT_EQ(registry.load(1, "").error().code(), Code::kNotFound);
  ASSERT_TRUE(store.remove("/MLmodel/0000000001/manifest.json"));
  EXPECT_EQ(registry.manifest(1).error().code(), Code::kNotFound);
}

TEST_F(ModelRegistryTest, refuses_a_model_of_another_schema_than_the_manifest_names) {
  Manifest other = manifest(1);
  other.schema.features = {"b", "a"};
  ASSERT_TRUE(registry.publish(other, model_json, "", {}));
  EXPECT_EQ(registry.load(1, "").error().code(), Code::kCorrupt);
}

}  // namespace
}  // namespace weir::registry
