#include "serve/datasets_api.h"

#include <atomic>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/sha256.h"
#include "base/text.h"
#include "registry/dataset_drop.h"
#include "serve/answering.h"
#include "serve/dataset_lists.h"
#include "serve/parameters.h"
#include "serve/prediction_json.h"

namespace weir::serve {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kListMax = 1'000;

Json entry_json(const store::FileStatus& entry) {
  return {{"name", entry.name},
          {"bytes", entry.length},
          {"folder", entry.is_directory},
          {"modified_at", time_text(entry.modified_ms)}};
}

// The hexadecimal SHA-256 of "Content-Digest: sha-256=:BASE64:" (RFC 9530).
Result<std::string> announced_digest(const http::Request& request) {
  const auto value = request.header("content-digest");
  if (!value) return std::string();
  static constexpr std::string_view kBegin = "sha-256=:";
  if (value->starts_with(kBegin) && value->ends_with(':') && value->size() > kBegin.size()) {
    const auto bytes = from_base64(value->substr(kBegin.size(), value->size() - kBegin.size() - 1));
    if (bytes && bytes->size() == 32) return to_hex(*bytes);
  }
  return fail(Code::kInvalidArgument, "Content-Digest is not sha-256=:BASE64:");
}

}  // namespace

void DatasetsApi::add_routes(Router& router) {
  router.add({"GET", "/v1/datasets", Permission::kRead, Where::kWorkers, 0, false,
              answering([this](const Call& call) { return list(call); })});
  router.add({"PUT", "/v1/datasets/{name}", Permission::kAdmin, Where::kWorkers,
              parts_.limits.upload_bytes_max, true,
              answering([this](const Call& call) { return put(call); })});
}

Result<http::Response> DatasetsApi::list(const Call& call) const {
  WEIR_TRY(only_parameters(call.request, {"limit"}));
  const auto limit = static_cast<std::size_t>(
      WEIR_TRY(number_parameter(call.request, "limit", 1, kListMax)).value_or(100));
  const std::string& folder = parts_.dataset_path;
  const DatasetLists lists = WEIR_TRY(list_datasets(parts_.store, folder, limit, reasons_));
  Json json = {{"folder", parts_.store.url(folder)},
               {"waiting", Json::array()},
               {"used", Json::array()},
               {"rejected", Json::array()}};
  for (const auto& entry : lists.waiting) json["waiting"].push_back(entry_json(entry));
  for (const auto& entry : lists.used) json["used"].push_back(entry_json(entry));
  for (const RefusedDataset& refused : lists.refused) {
    Json item = entry_json(refused.entry);
    item["reason"] = refused.reason ? Json(*refused.reason) : Json(nullptr);
    json["rejected"].push_back(std::move(item));
  }
  return json_response(to_text(json));
}

Result<http::Response> DatasetsApi::put(const Call& call) const {
  const std::string& name = call.variable("name");
  const auto& body = call.request.stream;
  Sha256 sha256;
  std::uint64_t bytes = 0;
  std::string digest;
  const auto write = [&](store::FileStore& store, const std::string& path) -> Status {
    const std::string announced = WEIR_TRY(announced_digest(call.request));
    WEIR_TRY(store.create(path, [&](std::span<char> buffer) -> Result<std::size_t> {
      const std::size_t count = WEIR_TRY(body->read(buffer));
      sha256.update({buffer.data(), count});
      bytes += count;
      return count;
    }));
    digest = sha256.finish_hex();
    if (bytes == 0) return fail(Code::kBadData, "the body is empty");
    if (!announced.empty() && announced != digest) {
      return fail(Code::kBadData,
                  "Content-Digest is of other bytes than came: their SHA-256 is " + digest);
    }
    return {};
  };
  const auto attempt = [&]() -> Result<std::string> {
    WEIR_TRY(only_parameters(call.request, {}));
    static std::atomic<std::uint64_t> uploads{0};
    return registry::drop_dataset(parts_.store, parts_.dataset_path, name,
                                  parts_.self + "." + std::to_string(++uploads), "the upload",
                                  write);
  };
  auto dropped = attempt();
  if (!dropped) {
    body->abandon();
    return weir::fail(std::move(dropped.error()));
  }
  return json_response(
      to_text({{"name", name}, {"url", *dropped}, {"bytes", bytes}, {"sha256", digest}}), 201);
}

}  // namespace weir::serve
