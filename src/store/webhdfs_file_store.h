// HDFS as a FileStore, by its REST protocol, WebHDFS, so that no Java is needed. The bytes of large
// files come straight from the DataNodes where they let us (direct_read.h).
//
// Deviations from FileStore: names with ':' and names that are no UTF-8 are refused
// (kInvalidArgument), as HDFS cannot keep them. rename() may end in kUnknownOutcome, where no
// server answers any more that could say what happened. A file's end while it is being written is
// what HDFS says it is.
//
// Owner, threads: as FileStore. Limits: WebHdfsOptions (connection, silence, retries); a listing's
// answer kListingBytesMax; of a file that is created, kReplayBytesMax are kept for another attempt;
// create_all() writes kFilesAtOnceMax at a time, on threads of its own and the caller's.
#pragma once

#include "store/direct_read.h"
#include "store/file_store.h"
#include "store/webhdfs_client.h"

namespace weir::store {

inline constexpr std::uint64_t kListingBytesMax = std::uint64_t{256} << 20;
inline constexpr std::size_t kReplayBytesMax = std::size_t{4} << 20;
inline constexpr std::size_t kFilesAtOnceMax = 4;

class WebHdfsFileStore final : public FileStore {
 public:
  // Connects to nobody yet. kInvalidArgument where an address or the root cannot be.
  static Result<std::shared_ptr<WebHdfsFileStore>> make(const WebHdfsOptions& options);

  Result<std::vector<FileStatus>> list(const std::string& path) override;
  Result<FileStatus> status(const std::string& path) override;
  Result<bool> is_being_written(const std::string& path) override;
  Status read(const std::string& path, std::uint64_t offset, std::uint64_t length,
              const ByteSink& sink) override;
  Status create(const std::string& path, const ByteSource& source) override;
  // Side by side: a DataNode that completes a file before its NameNode knows of the block waits
  // 0.4 s before it tries again (dfs.client.block.write.locateFollowingBlock.initial.delay.ms),
  // however short the file is.
  Status create_all(std::span<const NewFile> files) override;
  Status make_directories(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  std::string url(const std::string& path) const override;

 private:
  struct Range;
  WebHdfsFileStore(std::string root, std::string shown_as, const WebHdfsOptions& options,
                   std::unique_ptr<WebHdfsClient> client);

  std::string in_hdfs(const std::string& path) const;
  NameNodeCall call(const char* method, const std::string& path, UrlParameters parameters) const;
  Result<bool> exists(const std::string& path);

  Result<HttpResponse> list_page(const std::string& path, const std::string& after);
  Status read_range(const std::string& path, const FileStatus& before, Range& range,
                    const ByteSink& sink);
  void read_directly(const std::string& path, const Range& range, const ByteSink& sink);
  tl::expected<void, AttemptFailure> open_once(const std::string& path, const Range& range,
                                               const ByteSink& sink, const std::string& excluded);
  Status check_unchanged(const std::string& path, const FileStatus& before);
  tl::expected<void, AttemptFailure> create_once(const std::string& path, const ByteSource& source,
                                                 const std::string& excluded);
  Status await_closed(const std::string& path, WebHdfsClient::Attempts& attempts,
                      const AttemptFailure& failure);
  Status find_out_rename(const std::string& to, const FileStatus& moved, Error error);

  const std::string root_;  // without a '/' at the end: empty for "/"
  const std::string shown_as_;
  const std::unique_ptr<WebHdfsClient> client_;
  DirectRead direct_;
  std::atomic<bool> lists_in_pages_{true};  // until a server says that it knows no such call
};

}  // namespace weir::store
