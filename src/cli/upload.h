// A file of this machine into a store, waited for where the store cannot take it now.
//
// A NameNode that answers while no DataNode does is such a store: both die and start apart. A store
// that is away altogether is the caller's to find out before.
//
// Owner, threads: one call, one thread. Errors: the store's own; kNotFound, kIo, kInvalidArgument
// and kBadData of the local file. Limits: UploadPatience.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "store/file_store.h"

namespace weir::cli {

struct UploadPatience {
  Millis pause_first{1'000};
  Millis pause_max{8'000};
  Millis wait_max{60'000};  // no attempt begins later; one takes some seconds itself
};

// Each attempt begins anew, so that `target` holds the whole file or nothing that counts.
Status upload(store::FileStore& store, const std::string& local, const std::string& target,
              Clock& clock, const UploadPatience& patience = {});

// The same of bytes in memory; `what` they are, for messages.
Status upload_bytes(store::FileStore& store, const std::string& what, std::string_view bytes,
                    const std::string& target, Clock& clock, const UploadPatience& patience = {});

}  // namespace weir::cli
