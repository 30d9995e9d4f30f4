#include "format/inference_json.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <list>

namespace weir::format {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <typename Number>
std::string raw(std::initializer_list<Number> numbers) {
  std::string bytes;
  for (const Number number : numbers) {
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  return bytes;
}

Result<InferenceRequest> read(const std::string& json, const std::string& behind = "") {
  static std::list<std::string> bodies;  // texts are views into them
  return read_inference_json(bodies.emplace_back(json + behind), json.size());
}

std::string input(const std::string& type, const std::string& shape, const std::string& rest) {
  return R"({"inputs":[{"name":"x","datatype":")" + type + R"(","shape":)" + shape + "," + rest +
         "}]}";
}

TEST(InferenceJson, reads_data_nested_or_flat) {
  EXPECT_THAT(read(input("FP64", "[2,2]", R"("data":[[1,2.5],[3,-4e1]])"))->inputs[0].numbers,
              ElementsAre(1, 2.5, 3, -40));
  EXPECT_THAT(read(input("INT32", "[2,1]", R"("data":[1,2])"))->inputs[0].numbers,
              ElementsAre(1, 2));
  EXPECT_THAT(read(input("BYTES", "[2]", R"("data":["a","ö"])"))->inputs[0].texts,
              ElementsAre("a", "ö"));
  EXPECT_THAT(read(input("BOOL", "[2]", R"("data":[true,false])"))->inputs[0].numbers,
              ElementsAre(1, 0));
}

TEST(InferenceJson, reads_raw_bytes_behind_the_json) {
  const auto sized = [](std::size_t size) {
    return R"("parameters":{"binary_data_size":)" + std::to_string(size) + "}";
  };
  EXPECT_THAT(read(input("FP64", "[2]", sized(16)), raw<double>({1.5, -2}))->inputs[0].numbers,
              ElementsAre(1.5, -2));
  EXPECT_THAT(read(input("FP32", "[1]", sized(4)), raw<float>({0.5F}))->inputs[0].numbers,
              ElementsAre(0.5));
  EXPECT_THAT(read(input("INT8", "[2]", sized(2)), raw<std::int8_t>({-1, 7}))->inputs[0].numbers,
              ElementsAre(-1, 7));
  const std::string texts = raw<std::uint32_t>({2}) + "ab" + raw<std::uint32_t>({0});
  EXPECT_THAT(read(input("BYTES", "[2]", sized(texts.size())), texts)->inputs[0].texts,
              ElementsAre("ab", ""));
  const std::string cut = raw<std::uint32_t>({200}) + "ab";
  EXPECT_FALSE(read(input("BYTES", "[1]", sized(cut.size())), cut));
  EXPECT_FALSE(read(input("FP64", "[2]", sized(8)), raw<double>({1})));
  EXPECT_FALSE(read(input("FP64", "[1]", sized(16)), raw<double>({1})));
  EXPECT_FALSE(read(input("FP64", "[1]", R"("data":[1])"), "rest"))
      << "bytes that nobody asked for";
}

TEST(InferenceJson, refuses_what_does_not_agree_and_names_the_input) {
  for (const std::string& json :
       {input("FP64", "[3]", R"("data":[1,2])"), input("FP64", "[1]", R"("data":[1,2])"),
        input("FP64", "[1]", R"("data":[1e999])"), input("FP64", "[1]", R"("data":1)"),
        input("FP64", "[1]", R"("data":[1],"data":[1])"),
        input("FP64", "[1]", R"("data":[1],"parameters":{"binary_data_size":8})"),
        input("FP64", "[2]", R"("data":["a","b"])"), input("FP16", "[1]", R"("data":[1])"),
        input("FP64", "[-1]", R"("data":[1])"), input("FP64", "[]", R"("data":[1])"),
        input("FP64", "[4000000,4000000]", R"("data":[])"),
        input("FP64", "[1]", R"("data":[[[[[[[[[1]]]]]]]]])"),
        input("FP64", "[1]", R"("dat":[1])")}) {
    const auto request = read(json);
    ASSERT_FALSE(request) << json;
    EXPECT_THAT(request.error().message(), HasSubstr("input 'x'")) << json;
  }
  for (const char* json : {"", "[]", "{}", R"({"inputs":[]})", R"({"inputs":[{}]})",
                           R"({"inputs":[1]})", R"({"inputs":{"a":1}})"}) {
    EXPECT_FALSE(read(json)) << json;
  }
  EXPECT_FALSE(read_inference_json("{}", 3));
}

TEST(InferenceJson, refuses_what_is_no_json_wherever_it_stands) {
  const std::string good = R"({"inputs":[{"name":"x","datatype":"FP64","shape":[1],"data":[1]}]})";
  ASSERT_TRUE(read(good));
  for (std::size_t i = 0; i < good.size(); ++i) EXPECT_FALSE(read(good.substr(0, i))) << i;
  EXPECT_FALSE(read(good + "1"));
  for (const char* rest : {R"("data":[1,])", R"("data":[[1]1])", R"("data":[01])", R"("data":[+1])",
                           R"("data":[NaN])", R"("data":[1]],[)", "\"data\":[1],\"\xff\":1"}) {
    EXPECT_FALSE(read(input("FP64", "[1]", rest))) << rest;
  }
}

TEST(InferenceJson, does_not_mind_the_order_of_the_members) {
  const auto request = read(R"({"outputs":[],"x":{"y":[1]},"inputs":[{"data":[["a\u00e9"],["b"]],)"
                            R"("shape":[2,1],"other":null,"datatype":"BYTES","name":"n"}]})");
  ASSERT_TRUE(request) << request.error().message();
  EXPECT_EQ(request->inputs[0].name, "n");
  EXPECT_THAT(request->inputs[0].texts, ElementsAre("a\xc3\xa9", "b"));
}

TEST(InferenceJson, takes_null_as_a_missing_value) {
  EXPECT_TRUE(std::isnan(read(input("FP64", "[1]", R"("data":[null])"))->inputs[0].numbers[0]));
  EXPECT_THAT(read(input("BYTES", "[1]", R"("data":[null])"))->inputs[0].texts, ElementsAre(""));
}

TEST(InferenceJson, refuses_json_that_is_nested_without_end) {
  const std::string deep = std::string(300'000, '[') + std::string(300'000, ']');
  for (const std::string& rest : {"\"other\":" + deep, "\"data\":" + deep}) {
    const auto request = read(input("FP64", "[1]", rest));
    ASSERT_FALSE(request);
    EXPECT_THAT(request.error().message(), HasSubstr("nested too deeply"));
  }
  const std::string text = "]]\\\"[[[";
  EXPECT_THAT(read(input("BYTES", "[1]", "\"data\":[\"" + text + "\"]"))->inputs[0].texts,
              ElementsAre("]]\"[[["));
}

TEST(InferenceJson, bounds_elements_and_inputs_over_the_whole_request) {
  const std::string half = R"({"name":"x","datatype":"FP64","shape":[3000000],"data":[]})";
  const auto two =
      read("{\"inputs\":[" + half.substr(0, half.size() - 1) + "," + R"("parameters":{}}]})");
  ASSERT_FALSE(two);
  EXPECT_THAT(two.error().message(), HasSubstr("3000000 elements, and 0 came"));
  const auto many = read(R"({"inputs":[{"name":"x","datatype":"FP64","shape":[4000000,1,1,2]}]})");
  ASSERT_FALSE(many);
  EXPECT_THAT(many.error().message(), HasSubstr("more than 4000000 elements"));
  std::string inputs;
  for (std::size_t i = 0; i <= kTensorsMax; ++i) {
    inputs += R"({"name":"x","datatype":"FP64","shape":[1],"data":[1]},)";
  }
  inputs.pop_back();
  const auto crowd = read("{\"inputs\":[" + inputs + "]}");
  ASSERT_FALSE(crowd);
  EXPECT_THAT(crowd.error().message(), HasSubstr("more than 2048 inputs"));
}

TEST(InferenceJson, knows_when_the_answer_is_to_be_raw) {
  const std::string one = R"("inputs":[{"name":"x","datatype":"FP64","shape":[1],"data":[1]}])";
  EXPECT_FALSE(read("{" + one + "}")->binary_output);
  EXPECT_TRUE(read("{" + one + R"(,"parameters":{"binary_data_output":true}})")->binary_output);
  const auto request = read("{\"id\":\"7\"," + one +
                            R"(,"outputs":[{"name":"y","parameters":{"binary_data":true}}]})");
  EXPECT_TRUE(request->binary_output);
  EXPECT_EQ(request->id, "7");
  EXPECT_THAT(request->outputs, ElementsAre("y"));
  EXPECT_EQ(raw_fp64(std::vector<double>{1.5, 2}), raw<double>({1.5, 2}));
}

}  // namespace
}  // namespace weir::format
