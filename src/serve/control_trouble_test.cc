// What is told where the control log cannot be read: why, by every path that needs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve/flow_api.h"
#include "serve/gateway_on_memory_test.h"
#include "serve/models_api.h"

namespace weir::serve {
namespace {

using testing::HasSubstr;

class ControlTrouble : public GatewayOnMemory {
 protected:
  ControlTrouble() {
    models_api_.add_routes(router_);
    flow_api_.add_routes(router_);
  }

  http::Response ask(const std::string& method, const std::vector<std::string>& segments) {
    const auto match = router_.find(method, segments);
    Call call;
    call.variables = match.variables;
    auto target = std::make_shared<KeptAnswer>();
    match.route->handle(std::move(call), http::Reply(target));
    return target->kept;
  }

  ModelsApi models_api_{parts_};
  FlowApi flow_api_{parts_};
  Router router_;
};

TEST_F(ControlTrouble, is_told_with_its_reason_by_every_path_that_needs_the_control_log) {
  live_.set_trouble(Error(Code::kUnavailable, "no broker answers at kafka-1"));
  for (const auto& [method, segments] :
       std::vector<std::pair<std::string, std::vector<std::string>>>{
           {"GET", {"v1", "models"}},
           {"GET", {"v1", "models", "1"}},
           {"POST", {"v1", "models", "1", "rollback"}},
           {"POST", {"v1", "train"}},
           {"GET", {"v1", "epochs"}}}) {
    const auto answer = ask(method, segments);
    EXPECT_EQ(answer.status, 503U) << method << " " << segments[1];
    EXPECT_THAT(answer.body, HasSubstr("no broker answers at kafka-1")) << segments[1];
  }
}

}  // namespace
}  // namespace weir::serve
