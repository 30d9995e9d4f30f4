#include "trace/otel_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trace/context.h"

namespace weir::trace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

OtelOptions read(std::map<std::string, std::string> environment) {
  environment.emplace("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
  const auto options = otel_options(environment);
  EXPECT_TRUE(options) << options.error().message();
  return options.value_or(OtelOptions{});
}

std::string fault(std::map<std::string, std::string> environment) {
  environment.emplace("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
  const auto options = otel_options(environment);
  EXPECT_FALSE(options);
  if (options) return "";
  EXPECT_EQ(options.error().code(), Code::kBadConfig);
  return options.error().message();
}

TEST(OtelOptions, export_nothing_without_an_endpoint) {
  EXPECT_EQ(otel_options({})->url, "");
  EXPECT_EQ(otel_options({{"OTEL_SERVICE_NAME", "x"}, {"OTEL_EXPORTER_OTLP_ENDPOINT", ""}})->url,
            "");
}

TEST(OtelOptions, take_the_endpoint_of_traces_as_it_is_and_the_general_one_as_a_base) {
  EXPECT_EQ(read({}).url, "http://collector:4318/v1/traces");
  EXPECT_EQ(read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://c/base/"}}).url,
            "https://c/base/v1/traces");
  EXPECT_EQ(read({{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://other/x"}}).url, "http://other/x");
}

TEST(OtelOptions, are_off_where_somebody_says_so_and_say_why) {
  for (const auto& [variable, value] :
       std::map<std::string, std::string>{{"OTEL_SDK_DISABLED", "True"},
                                          {"OTEL_TRACES_EXPORTER", "none"},
                                          {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
                                          {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"}}) {
    const OtelOptions options = read({{variable, value}});
    EXPECT_EQ(options.url, "") << variable;
    EXPECT_THAT(options.warnings, ElementsAre(HasSubstr(variable)));
  }
  EXPECT_NE(read({{"OTEL_SDK_DISABLED", "false"},
                  {"OTEL_TRACES_EXPORTER", "otlp"},
                  {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"}})
                .url,
            "");
}

TEST(OtelOptions, read_headers_and_attributes_percent_decoded) {
  const OtelOptions options =
      read({{"OTEL_EXPORTER_OTLP_HEADERS", " api-key = a%20b , x=c=d,"},
            {"OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=prod,service.name=other"},
            {"OTEL_SERVICE_NAME", "mine"}});
  EXPECT_THAT(options.headers, ElementsAre(Pair("api-key", "a b"), Pair("x", "c=d")));
  EXPECT_THAT(options.resource,
              ElementsAre(Pair("deployment.environment", "prod"), Pair("service.name", "mine")));
  EXPECT_THAT(read({}).resource, ElementsAre(Pair("service.name", "weir")));
}

TEST(OtelOptions, refuse_what_cannot_be_meant_and_never_tell_a_secret) {
  EXPECT_THAT(fault({{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"}}),
              HasSubstr("OTEL_EXPORTER_OTLP_ENDPOINT is no http or https URL"));
  for (const char* headers : {"secret", "=secret", "a=secret%0d%0ab: c", "a=secret%2"}) {
    const std::string words = fault({{"OTEL_EXPORTER_OTLP_HEADERS", headers}});
    EXPECT_THAT(words, HasSubstr("OTEL_EXPORTER_OTLP_HEADERS"));
    EXPECT_THAT(words, Not(HasSubstr("secret")));
  }
  EXPECT_THAT(fault({{"OTEL_EXPORTER_OTLP_TIMEOUT", "10s"}}),
              HasSubstr("OTEL_EXPORTER_OTLP_TIMEOUT=10s is no whole number"));
  EXPECT_THAT(fault({{"OTEL_BSP_MAX_QUEUE_SIZE", "0"}}), HasSubstr("OTEL_BSP_MAX_QUEUE_SIZE"));
}

TEST(OtelOptions, show_a_url_without_what_may_be_a_secret) {
  EXPECT_EQ(shown_url("http://127.0.0.1:4318/v1/traces"), "http://127.0.0.1:4318/v1/traces");
  EXPECT_EQ(shown_url("https://ann:hush@localhost/v1/traces?api-key=hush#hush"),
            "https://localhost/v1/traces");
  EXPECT_EQ(shown_url("https://localhost/a@b?c"), "https://localhost/a@b");
  EXPECT_EQ(shown_url("ann:hush@localhost"), "localhost");
  EXPECT_EQ(shown_url(""), "");
}

TEST(OtelOptions, sample_as_the_sampler_says) {
  const std::string id = "0af7651916cd43dd8448eb211c80319c";
  const auto samples = [&](const std::string& name, std::optional<bool> parent) {
    return read({{"OTEL_TRACES_SAMPLER", name}, {"OTEL_TRACES_SAMPLER_ARG", "0"}})
        .sampler.samples(id, parent);
  };
  EXPECT_TRUE(samples("", std::nullopt));
  EXPECT_FALSE(samples("", false)) << "the parent counts by default";
  EXPECT_TRUE(samples("always_on", false));
  EXPECT_FALSE(samples("always_off", true));
  EXPECT_TRUE(samples("parentbased_always_off", true));
  EXPECT_FALSE(samples("parentbased_always_off", std::nullopt));
  EXPECT_FALSE(samples("traceidratio", true));
  EXPECT_TRUE(samples("parentbased_traceidratio", true));
  EXPECT_FALSE(samples("parentbased_traceidratio", std::nullopt));
  const OtelOptions unknown = read({{"OTEL_TRACES_SAMPLER", "jaeger_remote"}});
  EXPECT_TRUE(unknown.sampler.samples(id, std::nullopt));
  EXPECT_THAT(unknown.warnings, ElementsAre(HasSubstr("OTEL_TRACES_SAMPLER")));
}

TEST(OtelOptions, sample_about_as_many_as_the_ratio_says) {
  const Sampler sampler =
      read({{"OTEL_TRACES_SAMPLER", "traceidratio"}, {"OTEL_TRACES_SAMPLER_ARG", "0.25"}}).sampler;
  int sampled = 0;
  for (int i = 0; i < 10'000; ++i) sampled += sampler.samples(random_trace_id(), std::nullopt);
  EXPECT_NEAR(sampled, 2'500, 300);
}

}  // namespace
}  // namespace weir::trace
