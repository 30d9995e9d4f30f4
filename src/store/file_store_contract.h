// The contract of FileStore as one suite of tests, run on every implementation.
//
// An implementation's own test file instantiates it:
//   INSTANTIATE_TEST_SUITE_P(Memory, FileStoreContract, testing::Values(memory_case()), case_name);
// and the same for FileStoreContractThreads. Where it deviates, its ContractCase says so.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "store/file_store.h"

namespace weir::store {

// A fresh, empty store, and what must live as long as it does. No store: `skipped` says why.
struct ContractStore {
  std::shared_ptr<FileStore> store;
  std::shared_ptr<void> keeper;
  std::string skipped;
};

struct ContractCase {
  std::string name;
  std::function<ContractStore()> open;
  bool takes_any_byte = true;  // in names: HDFS takes UTF-8 without ':' only
};

inline void PrintTo(const ContractCase& tested, std::ostream* out) { *out << tested.name; }

inline std::string case_name(const testing::TestParamInfo<ContractCase>& info) {
  return info.param.name;
}

class FileStoreContract : public testing::TestWithParam<ContractCase> {
 protected:
  void SetUp() override {
    opened_ = GetParam().open();
    if (opened_.store == nullptr) GTEST_SKIP() << opened_.skipped;
  }
  FileStore& store() { return *opened_.store; }

 private:
  ContractStore opened_;
};

class FileStoreContractThreads : public FileStoreContract {};

}  // namespace weir::store
