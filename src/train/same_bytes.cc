#include "train/same_bytes.h"

#include "base/sha256.h"
#include "train/split_digest.h"

namespace weir::train {
namespace {

Result<std::string> sha256_of(store::FileStore& store, const registry::Dataset& dataset) {
  Sha256 hash;
  for (const auto& part : dataset.parts) {
    WEIR_TRY(store.read(part.path, 0, store::kToEnd, [&](std::string_view bytes) -> Status {
      hash.update(bytes);
      return {};
    }));
  }
  return hash.finish_hex();
}

Result<std::string> splits_sha256_of(store::FileStore& store, const registry::Dataset& dataset,
                                     std::uint64_t split_bytes) {
  SplitTree<SplitDigest> tree;
  std::uint64_t splits = 0;
  const auto take = [&](PartDigests& digests) {
    for (std::string& digest : digests.take()) tree.append({0, splits++, {std::move(digest)}});
  };
  for (const auto& part : dataset.parts) {
    PartDigests digests(split_bytes);
    WEIR_TRY(store.read(part.path, 0, store::kToEnd, [&](std::string_view bytes) -> Status {
      digests.update(bytes);
      take(digests);
      return {};
    }));
    digests.finish();
    take(digests);
  }
  return splits > 0 ? std::move(tree).collapse().hex : std::string();
}

}  // namespace

Result<bool> has_bytes_of(store::FileStore& store, const registry::Dataset& dataset,
                          const registry::Manifest& manifest) {
  if (!manifest.dataset_sha256.empty()) {
    return WEIR_TRY(sha256_of(store, dataset)) == manifest.dataset_sha256;
  }
  if (manifest.splits_sha256.empty() || manifest.split_bytes == 0) return false;
  return WEIR_TRY(splits_sha256_of(store, dataset, manifest.split_bytes)) == manifest.splits_sha256;
}

}  // namespace weir::train
