#include "cli/drop_folder.h"

#include <unistd.h>

namespace weir::cli {

Result<std::string> drop_dataset(Context& context, const std::string& name, const std::string& what,
                                 const registry::WriteDataset& write) {
  store::FileStore* store = WEIR_TRY(context.store());
  auto dropped = registry::drop_dataset(*store, context.settings().dataset.path, name,
                                        std::to_string(getpid()), what, write);
  if (dropped || !registry::fault_of_dataset_name(name).size()) return dropped;
  return fail(Code::kInvalidArgument, dropped.error().reason() + " with --as");
}

}  // namespace weir::cli
