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

TEST_F(ApiOnMemory, reads_small_bodies_at_once_and_large_and_packed_ones_where_nobody_waits) {
  std::promise<void> busy;
  std::promise<void> goes_on;
  ASSERT_TRUE(workers_.submit([&] {  // for a store that does not answer
    busy.set_value();
    goes_on.get_future().wait();
  }));
  busy.get_future().wait();
  const auto here = std::this_thread::get_id();
  const auto small = post("actuals", "{");
  EXPECT_EQ(small->sent.get_future().get(), here);
  EXPECT_EQ(small->kept.status, 422U);
  for (const std::string path : {"messages", "actuals"}) {
    const auto large = post(path, std::string(1 << 20, ' '));
    EXPECT_NE(large->sent.get_future().get(), here) << path;
    const auto packed = post(path, "{", {{"content-encoding", "gzip"}});
    EXPECT_NE(packed->sent.get_future().get(), here) << path;
  }
  goes_on.set_value();
}

}  // namespace
}  // namespace weir::serve
