#include "serve/messages_api.h"

#include <nlohmann/json.hpp>
#include <random>

#include "base/text.h"
#include "format/message_batch.h"
#include "serve/awaited_answers.h"
#include "serve/parameters.h"
#include "serve/request_body.h"
#include "serve/request_trace.h"

namespace weir::serve {
namespace {

constexpr std::size_t kFaultsToldMax = 20;

// As RFC 9562 lays out UUID version 7: the milliseconds since 1970, then bits that nobody else has.
// Ids that grow with time are put into an index side by side.
std::string new_id(std::uint64_t now_ms) {
  thread_local std::mt19937_64 random = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  constexpr std::uint64_t kVersion = 0x7000;
  constexpr std::uint64_t kVariant = std::uint64_t{2} << 62;
  const std::uint64_t halves[] = {now_ms << 16 | kVersion | (random() & 0xfff),
                                  kVariant | random() >> 2};
  std::string id(32, '0');
  for (std::size_t i = 0; i < 32; ++i) {
    id[i] = "0123456789abcdef"[halves[i / 16] >> (60 - 4 * (i % 16)) & 15];
  }
  return id;
}

Result<std::vector<PushRecord>> named(std::vector<format::BatchRecord> records,
                                      std::optional<std::string_view> idempotency_key,
                                      std::uint64_t now_ms) {
  if (idempotency_key) {
    if (const auto fault = format::fault_of_record_id(*idempotency_key)) {
      return fail(Code::kInvalidArgument, "Idempotency-Key: " + *fault);
    }
  }
  std::vector<PushRecord> named;
  named.reserve(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    std::string& value = records[i].value;
    if (records[i].id) {
      named.push_back({std::move(*records[i].id), std::move(value)});
    } else if (!idempotency_key) {
      named.push_back({new_id(now_ms), std::move(value), true});
    } else if (records.size() == 1) {
      named.push_back({std::string(*idempotency_key), std::move(value)});
    } else {
      named.push_back({std::string(*idempotency_key) + "." + std::to_string(i), std::move(value)});
    }
  }
  return named;
}

// What the model in force would refuse, told before anything is written.
Status check(const std::vector<PushRecord>& records, const LiveModel& model,
             std::size_t record_bytes_max) {
  auto parser = model.parser();
  std::vector<double> rows;
  std::string faults;
  std::size_t count = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    rows.clear();
    std::string fault;
    if (records[i].value.size() > record_bytes_max) {
      fault = "it has " + std::to_string(records[i].value.size()) + " bytes, more than " +
              std::to_string(record_bytes_max);
    } else if (!parser->parse(records[i].value, rows)) {
      fault = parser->refusal().text;
    } else {
      continue;
    }
    if (++count <= kFaultsToldMax) {
      faults += (faults.empty() ? "" : "; ") + ("record " + std::to_string(i) + ": " + fault);
    }
  }
  if (count == 0) return {};
  if (count > kFaultsToldMax) faults += "; and " + std::to_string(count - kFaultsToldMax) + " more";
  return fail(Code::kBadData, faults + " (model version " + std::to_string(model.version()) +
                                  "; nothing of this request was taken)");
}

}  // namespace

void MessagesApi::add_routes(Router& router) {
  Route route;
  route.method = "POST";
  route.pattern = "/v1/messages";
  route.permission = Permission::kPush;
  route.where = Where::kBySize;
  route.body_bytes_max = parts_.limits.body_bytes_max;
  route.handle = [this](Call call, http::Reply reply) { push(std::move(call), std::move(reply)); };
  router.add(std::move(route));
}

Result<std::vector<PushRecord>> MessagesApi::read(const http::Request& request) const {
  const auto view = parts_.live.view();
  if (!view || !view->model) {
    return fail(Code::kUnavailable,
                !view ? "the gateway has not read the control log yet"
                : view->model_trouble
                    ? view->model_trouble->message()
                    : "no model is in force yet, by whose schema records could be checked");
  }
  const format::BatchKind kind = WEIR_TRY(batch_kind_of(request));
  std::string unpacked;
  const std::string_view body = WEIR_TRY(body_of(request, parts_.limits.body_bytes_max, unpacked));
  format::BatchOptions options;
  options.records_max = parts_.limits.records_max;
  options.id_is_feature = view->model->schema().feature_index("id").has_value();
  auto read = WEIR_TRY(format::read_message_batch(body, kind, options));
  const auto now_ms = static_cast<std::uint64_t>(parts_.clock.wall().time_since_epoch().count());
  auto records = WEIR_TRY(named(std::move(read), request.header("idempotency-key"), now_ms));
  WEIR_TRY(check(records, *view->model, parts_.limits.record_bytes_max));
  return records;
}

void MessagesApi::push(Call call, http::Reply reply) {
  const auto attempt = [&]() -> Result<PushRequest> {
    WEIR_TRY(only_parameters(call.request, {"wait"}));
    PushRequest request;
    const auto wait = WEIR_TRY(duration_parameter(call.request, "wait", parts_.limits.wait_max));
    request.records = WEIR_TRY(read(call.request));
    request.headers = trace_headers(call.request);
    std::vector<std::string> ids;
    for (const PushRecord& record : request.records) ids.push_back(record.id);
    auto answers = std::make_shared<AwaitedAnswers>(parts_, std::move(ids), wait, std::move(reply));
    request.done = [answers](PushAnswer pushed) { answers->begin(std::move(pushed)); };
    return request;
  };
  auto request = attempt();
  if (request) return parts_.pushes.submit(std::move(*request));
  reply.send(body_problem(request.error()));
}

}  // namespace weir::serve
