#include <gmock/gmock.h>

#include <cstring>

#include "infer_grpc/messages_internal.h"

namespace weir::infer_grpc {
namespace {

using inference::ModelInferRequest;
using testing::ElementsAre;
using testing::HasSubstr;

grpc::ByteBuffer buffer_of(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

Status read(const std::string& bytes, ModelInferRequest& request) {
  grpc::ByteBuffer buffer = buffer_of(bytes);
  return read_message(buffer, request);
}

ModelInferRequest::InferInputTensor& add_input(ModelInferRequest& request, const std::string& type,
                                               std::initializer_list<std::int64_t> shape) {
  auto& input = *request.add_inputs();
  input.set_name("x" + std::to_string(request.inputs_size()));
  input.set_datatype(type);
  for (const std::int64_t size : shape) input.add_shape(size);
  return input;
}

std::string refusal(const ModelInferRequest& request) {
  const auto tensors = tensors_of(request);
  return tensors ? "nothing was refused" : tensors.error().message();
}

TEST(Messages, takes_the_elements_of_the_field_that_the_datatype_has) {
  ModelInferRequest request;
  add_input(request, "FP64", {2}).mutable_contents()->mutable_fp64_contents()->Add(1.5);
  request.mutable_inputs(0)->mutable_contents()->add_fp64_contents(-2);
  add_input(request, "FP32", {1}).mutable_contents()->add_fp32_contents(0.1F);
  add_input(request, "BOOL", {1, 1}).mutable_contents()->add_bool_contents(true);
  add_input(request, "INT8", {1}).mutable_contents()->add_int_contents(-7);
  add_input(request, "UINT32", {1}).mutable_contents()->add_uint_contents(4'000'000'000);
  add_input(request, "UINT64", {1}).mutable_contents()->add_uint64_contents(9);
  add_input(request, "INT64", {1}).mutable_contents()->add_int64_contents(-9);
  add_input(request, "BYTES", {1}).mutable_contents()->add_bytes_contents("ab");
  ModelInferRequest came;
  ASSERT_TRUE(read(request.SerializeAsString(), came));
  const auto tensors = tensors_of(came);
  ASSERT_TRUE(tensors) << tensors.error().message();
  EXPECT_THAT((*tensors)[0].numbers, ElementsAre(1.5, -2));
  EXPECT_THAT((*tensors)[1].numbers, ElementsAre(double{0.1F}));
  EXPECT_THAT((*tensors)[2].numbers, ElementsAre(1));
  EXPECT_THAT((*tensors)[2].shape, ElementsAre(1, 1));
  EXPECT_THAT((*tensors)[3].numbers, ElementsAre(-7));
  EXPECT_THAT((*tensors)[4].numbers, ElementsAre(4e9));
  EXPECT_THAT((*tensors)[5].numbers, ElementsAre(9));
  EXPECT_THAT((*tensors)[6].numbers, ElementsAre(-9));
  EXPECT_THAT((*tensors)[7].texts, ElementsAre("ab"));
}

TEST(Messages, takes_raw_elements_for_all_inputs_or_none) {
  ModelInferRequest request;
  add_input(request, "FP64", {2});
  add_input(request, "BYTES", {1});
  const double numbers[] = {1.5, -2};
  request.add_raw_input_contents(numbers, sizeof numbers);
  EXPECT_THAT(refusal(request), HasSubstr("2 inputs, and raw_input_contents of 1"));
  request.add_raw_input_contents(std::string("\2\0\0\0ab", 6));
  const auto tensors = tensors_of(request);
  ASSERT_TRUE(tensors);
  EXPECT_THAT((*tensors)[0].numbers, ElementsAre(1.5, -2));
  EXPECT_THAT((*tensors)[1].texts, ElementsAre("ab"));
  *request.mutable_raw_input_contents(1) = std::string("\3\0\0\0ab", 6);
  EXPECT_THAT(refusal(request), HasSubstr("input 'x2': its bytes are not those of 1 BYTES"));
  request.mutable_inputs(0)->mutable_contents()->add_fp64_contents(1);
  EXPECT_THAT(refusal(request), HasSubstr("one or the other"));
}

TEST(Messages, refuses_shapes_that_do_not_agree_and_names_the_input) {
  for (const auto& shape : std::vector<std::vector<std::int64_t>>{{},
                                                                  {-1},
                                                                  {2},
                                                                  {4'000'001},
                                                                  {4'000'000, 2},
                                                                  {std::int64_t{1} << 62, 4},
                                                                  {1, 1, 1, 1, 1, 1, 1, 1, 1}}) {
    ModelInferRequest request;
    auto& input = add_input(request, "FP64", {});
    input.mutable_shape()->Add(shape.begin(), shape.end());
    input.mutable_contents()->add_fp64_contents(1);
    EXPECT_THAT(refusal(request), HasSubstr("input 'x1': "));
  }
  ModelInferRequest request;
  EXPECT_THAT(refusal(request), HasSubstr("no inputs"));
  for (int i = 0; i < 3; ++i) add_input(request, "FP64", {0, 4'000'000});
  EXPECT_TRUE(tensors_of(request)) << "no elements are no elements";
}

TEST(Messages, counts_the_parts_of_a_request_before_it_makes_objects_of_them) {
  const auto repeated = [](std::string_view part, std::size_t times) {
    std::string bytes;
    for (std::size_t i = 0; i < times; ++i) bytes += part;
    return bytes;
  };
  const auto in_field = [](int field, const std::string& bytes) {
    std::string whole(1, static_cast<char>(field << 3 | 2));
    for (std::size_t left = bytes.size();; left >>= 7) {
      whole += static_cast<char>((left & 127) | (left > 127 ? 128 : 0));
      if (left <= 127) break;
    }
    return whole + bytes;
  };
  const std::size_t many = kObjectsMax + 1;
  ModelInferRequest request;
  const auto refused = [&](const std::string& bytes) {
    const auto outcome = read(bytes, request);
    return outcome ? "" : outcome.error().message();
  };
  EXPECT_THAT(refused(repeated(std::string("\x2a\0", 2), many)), HasSubstr("parts"));  // inputs
  EXPECT_THAT(refused(repeated(std::string("\x3a\0", 2), many)), HasSubstr("parts"));  // raw
  EXPECT_THAT(refused(repeated(std::string("\xf8\x01\0", 3), many)),
              HasSubstr("parts"));  // unknown
  EXPECT_THAT(refused(in_field(5, repeated(std::string("\x22\0", 2), many))),
              HasSubstr("parts"));  // parameters of an input
  const std::string texts = repeated(std::string("\x42\0", 2), kTextsMax + 1);
  EXPECT_THAT(refused(in_field(5, in_field(5, texts))), HasSubstr("texts"));
  EXPECT_EQ(refused(in_field(5, in_field(5, texts.substr(2)))), "");
  // A field of another wire type would be kept as an unknown one.
  EXPECT_THAT(refused(repeated(std::string("\x28\0", 2), 1)), HasSubstr("not one of this method"));
  EXPECT_THAT(refused(in_field(5, in_field(5, std::string("\x38\0", 2)))),
              HasSubstr("not one of this method"));  // doubles
  EXPECT_THAT(refused(in_field(5, std::string("\x1d\0\0\0\0", 5))),
              HasSubstr("not one of this method"));  // a shape
}

TEST(Messages, refuses_each_truncation_or_reads_what_is_whole) {
  ModelInferRequest whole;
  whole.set_model_name("boston");
  add_input(whole, "FP64", {1}).mutable_contents()->add_fp64_contents(1.5);
  (*whole.mutable_parameters())["a"].set_bool_param(true);
  const std::string bytes = whole.SerializeAsString();
  for (std::size_t i = 0; i <= bytes.size(); ++i) {
    ModelInferRequest counted;
    ModelInferRequest parsed;
    EXPECT_EQ(read(bytes.substr(0, i), counted).has_value(),
              parsed.ParseFromString(bytes.substr(0, i)))
        << i;
  }
}

TEST(Messages, answers_raw_where_it_was_asked_raw) {
  ModelInferRequest request;
  request.set_id("7");
  request.set_model_name("boston");
  inference::ModelInferResponse response;
  fill(request, 3, {1.5, 2}, response);
  EXPECT_THAT(response.outputs(0).contents().fp64_contents(), ElementsAre(1.5, 2));
  EXPECT_EQ(response.id(), "7");
  EXPECT_EQ(response.model_version(), "3");
  request.add_raw_input_contents("");
  response.Clear();
  fill(request, 3, {1.5, 2}, response);
  EXPECT_EQ(response.raw_output_contents(0), format::raw_fp64(std::vector<double>{1.5, 2}));
  EXPECT_FALSE(response.outputs(0).has_contents());
}

}  // namespace
}  // namespace weir::infer_grpc
