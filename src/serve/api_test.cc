#include "serve/api.h"

#include <gmock/gmock.h>

#include <future>
#include <thread>

#include "serve/gateway_on_memory_test.h"

namespace weir::serve {
namespace {

class ApiOnMemory : public GatewayOnMemory {
 protected:
  std::shared_ptr<KeptAnswer> post(const std::string& path, std::string body,
                                   http::Fields headers = {}) {
    http::Request request;
    request.method = "POST";
    request.segments = {"v1", path};
    request.body = std::move(body);
    request.headers = std::move(headers);
    auto target = std::make_shared<KeptAnswer>();
    api_.handle(std::move(request), http::Reply(target));
    return target;
  }

  Api api_{{}, parts_};
};

TEST_F(ApiOnMemory, reads_small_bodies_at_once_and_has_large_and_packed_ones_read_by_a_worker) {
  std::promise<void> busy;
  std::promise<void> goes_on;
  ASSERT_TRUE(workers_.submit([&] {
    busy.set_value();
    goes_on.get_future().wait();
  }));
  busy.get_future().wait();
  EXPECT_EQ(post("messages", "{")->kept.status, 503U);  // there is no model
  EXPECT_EQ(post("actuals", "{")->kept.status, 422U);
  const auto later = post("messages", std::string(1 << 20, ' '));
  EXPECT_EQ(later->kept.body, "") << "it was read on the thread that all share";
  const auto packed = post("actuals", "{", {{"content-encoding", "gzip"}});
  EXPECT_THAT(packed->kept.body, testing::HasSubstr("too many requests wait"));
  goes_on.set_value();
  while (workers_.waiting() > 0) std::this_thread::yield();
  workers_.stop();
  EXPECT_EQ(later->kept.status, 503U);
  EXPECT_NE(later->kept.body, "");
}

}  // namespace
}  // namespace weir::serve
