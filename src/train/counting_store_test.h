// A store that counts what is read through it, for tests of who reads how much.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/forwarding_file_store.h"

namespace weir::train {

class CountingStore final : public store::ForwardingFileStore {
 public:
  using ForwardingFileStore::ForwardingFileStore;
  Status read(const std::string& path, std::uint64_t offset, std::uint64_t length,
              const store::ByteSink& sink) override {
    return ForwardingFileStore::read(path, offset, length, [&](std::string_view piece) {
      bytes += piece.size();
      return sink(piece);
    });
  }
  std::uint64_t bytes = 0;
};

}  // namespace weir::train
