#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/proto_buffer_writer.h>

#include <algorithm>

#include "infer_grpc/messages_internal.h"

namespace weir::infer_grpc {
namespace {

using google::protobuf::io::CodedInputStream;
using inference::InferTensorContents;
using inference::ModelInferRequest;

constexpr std::size_t kSmallMessageBytesMax = 64 * 1024;
constexpr std::size_t kAnswerBytesMax = std::size_t{1} << 30;  // 4 million doubles are far below
constexpr int kBlockBytes = 64 * 1024;
constexpr const char* kNotOfThisMethod = "the message is not one of this method";

// Counts the objects that a request would become, from its bytes (the wire format of Protobuf). It
// is stricter than the parser, which keeps a known field of another wire type as an unknown one:
// what is not counted must not be parsed.
class ObjectCount {
 public:
  explicit ObjectCount(CodedInputStream& in) : in_(in) {}
  bool malformed() const { return malformed_; }

  bool few_in_request() {
    return each_field([&](int field) {
      return field == ModelInferRequest::kInputsFieldNumber ? nested([&] { return few_in_input(); })
                                                            : take_object() && skip();
    });
  }

 private:
  bool few_in_input() {
    return take_object() && each_field([&](int field) {
             return field == ModelInferRequest::InferInputTensor::kContentsFieldNumber
                        ? nested([&] { return few_in_contents(); })
                    : field == ModelInferRequest::InferInputTensor::kShapeFieldNumber
                        ? skip_numbers(kVarint)
                        : take_object() && skip();
           });
  }

  bool few_in_contents() {
    return take_object() && each_field([&](int field) {
             if (field == InferTensorContents::kBytesContentsFieldNumber) {
               return ++texts_ <= kTextsMax && skip();
             }
             if (field > InferTensorContents::kBytesContentsFieldNumber) {
               return take_object() && skip();
             }
             return skip_numbers(field == InferTensorContents::kFp32ContentsFieldNumber ? kFixed32
                                 : field == InferTensorContents::kFp64ContentsFieldNumber
                                     ? kFixed64
                                     : kVarint);
           });
  }

  // Packed, or one of them.
  bool skip_numbers(std::uint32_t type) {
    const std::uint32_t found = tag_ & kTypeMask;
    return found == type || found == kLengthDelimited ? skip() : give_up();
  }

  bool take_object() { return ++objects_ <= kObjectsMax; }

  template <typename OnField>
  bool each_field(OnField on_field) {
    for (tag_ = in_.ReadTag(); tag_ != 0; tag_ = in_.ReadTag()) {
      if (!on_field(static_cast<int>(tag_ >> kTypeBits))) return false;
    }
    return true;
  }

  template <typename Walk>
  bool nested(Walk walk) {
    int length = 0;
    if ((tag_ & kTypeMask) != kLengthDelimited || !in_.ReadVarintSizeAsInt(&length)) {
      return give_up();
    }
    const auto limit = in_.PushLimit(length);
    const bool few = walk();
    const bool whole = in_.BytesUntilLimit() == 0;
    in_.PopLimit(limit);
    return few && (whole || give_up());
  }

  bool skip() {
    std::uint64_t number = 0;
    int length = 0;
    switch (tag_ & kTypeMask) {
      case kVarint: return in_.ReadVarint64(&number) || give_up();
      case kFixed64: return in_.Skip(8) || give_up();
      case kFixed32: return in_.Skip(4) || give_up();
      case kLengthDelimited:
        return (in_.ReadVarintSizeAsInt(&length) && in_.Skip(length)) || give_up();
      default: return give_up();  // groups: no message of the protocol has them
    }
  }

  bool give_up() {
    malformed_ = true;
    return false;
  }

  static constexpr int kTypeBits = 3;
  static constexpr std::uint32_t kTypeMask = 7;
  static constexpr std::uint32_t kVarint = 0;
  static constexpr std::uint32_t kFixed64 = 1;
  static constexpr std::uint32_t kLengthDelimited = 2;
  static constexpr std::uint32_t kFixed32 = 5;

  CodedInputStream& in_;
  std::uint32_t tag_ = 0;
  std::size_t objects_ = 0;
  std::size_t texts_ = 0;
  bool malformed_ = false;
};

Status parse(grpc::ByteBuffer& bytes, google::protobuf::Message& message) {
  grpc::ProtoBufferReader reader(&bytes);
  if (reader.status().ok() && message.ParseFromZeroCopyStream(&reader)) return {};
  return fail(Code::kInvalidArgument, kNotOfThisMethod);
}

template <typename Numbers>
std::size_t read_numbers(const Numbers& numbers, format::Tensor& tensor) {
  tensor.numbers.assign(numbers.begin(), numbers.end());
  return tensor.numbers.size();
}

// The elements of the field that belongs to the datatype; how many there are.
std::size_t read_contents(const InferTensorContents& contents, format::Tensor& tensor) {
  const std::string& type = tensor.datatype;
  if (type == "FP64") return read_numbers(contents.fp64_contents(), tensor);
  if (type == "FP32") return read_numbers(contents.fp32_contents(), tensor);
  if (type == "INT64") return read_numbers(contents.int64_contents(), tensor);
  if (type == "UINT64") return read_numbers(contents.uint64_contents(), tensor);
  if (type == "BOOL") return read_numbers(contents.bool_contents(), tensor);
  if (type.starts_with("INT")) return read_numbers(contents.int_contents(), tensor);
  if (type.starts_with("UINT")) return read_numbers(contents.uint_contents(), tensor);
  const auto& texts = contents.bytes_contents();
  tensor.texts.assign(texts.begin(), texts.end());
  return tensor.texts.size();
}

Result<format::Tensor> tensor_of(const ModelInferRequest& request, int index,
                                 std::size_t& elements_left) {
  const auto& input = request.inputs(index);
  format::Tensor tensor;
  tensor.name = input.name();
  tensor.datatype = input.datatype();
  WEIR_TRY(format::check_datatype(tensor.name, tensor.datatype));
  if (input.shape_size() > static_cast<int>(format::kTensorDimensionsMax)) {
    return fail(format::input_error(tensor.name, "its shape is no list of one to eight sizes"));
  }
  tensor.shape.assign(input.shape().begin(), input.shape().end());
  const std::size_t count =
      WEIR_TRY(format::element_count(tensor.name, tensor.shape, elements_left));
  if (request.raw_input_contents_size() > 0) {
    if (input.has_contents()) {
      return fail(format::input_error(
          tensor.name, "it has contents, and there are raw_input_contents: one or the other"));
    }
    WEIR_TRY(format::read_raw(request.raw_input_contents(index), count, tensor));
    return tensor;
  }
  const std::size_t came = read_contents(input.contents(), tensor);
  if (came == count) return tensor;
  return fail(format::input_error(tensor.name, "its shape stands for " + std::to_string(count) +
                                                   " elements, and " + std::to_string(came) +
                                                   " came in the contents of " + tensor.datatype));
}

template <typename Metadata>
void fill_form(const serve::TensorForm& form, Metadata& metadata) {
  metadata.set_name(form.name);
  metadata.set_datatype(std::string(form.datatype));
  for (const std::int64_t size : form.shape) metadata.add_shape(size);
}

}  // namespace

Status read_message(grpc::ByteBuffer& bytes, ModelInferRequest& request) {
  {
    grpc::ProtoBufferReader reader(&bytes);
    if (!reader.status().ok()) return fail(Code::kInvalidArgument, "the message cannot be read");
    CodedInputStream in(&reader);
    ObjectCount count(in);
    if (!count.few_in_request()) {
      if (count.malformed()) return fail(Code::kInvalidArgument, kNotOfThisMethod);
      return fail(Code::kInvalidArgument,
                  "the request has more than " + std::to_string(kObjectsMax) + " parts, or " +
                      std::to_string(kTextsMax) + " texts, the limits here");
    }
  }
  return parse(bytes, request);
}

Status read_message(grpc::ByteBuffer& bytes, google::protobuf::Message& request) {
  if (bytes.Length() > kSmallMessageBytesMax) {
    return fail(Code::kInvalidArgument, "the message is larger than " +
                                            std::to_string(kSmallMessageBytesMax) +
                                            " bytes, the limit of this method");
  }
  return parse(bytes, request);
}

bool write_message(const google::protobuf::Message& message, grpc::ByteBuffer& bytes) {
  const std::size_t size = message.ByteSizeLong();
  if (size > kAnswerBytesMax) return false;
  bytes.Clear();
  // gRPC's writer takes no message without a byte; for few bytes a copy costs less than it does.
  if (size <= kBlockBytes) {
    const grpc::Slice slice(message.SerializeAsString());
    bytes = grpc::ByteBuffer(&slice, 1);
    return true;
  }
  grpc::ProtoBufferWriter writer(&bytes, kBlockBytes, static_cast<int>(size));
  return message.SerializeToZeroCopyStream(&writer);
}

Result<std::vector<format::Tensor>> tensors_of(const ModelInferRequest& request) {
  if (request.inputs().empty()) return fail(Code::kInvalidArgument, "there are no inputs");
  if (request.inputs_size() > static_cast<int>(format::kTensorsMax)) {
    return fail(Code::kInvalidArgument,
                "there are more than " + std::to_string(format::kTensorsMax) + " inputs");
  }
  const int raw = request.raw_input_contents_size();
  if (raw > 0 && raw != request.inputs_size()) {
    return fail(Code::kInvalidArgument, "there are " + std::to_string(request.inputs_size()) +
                                            " inputs, and raw_input_contents of " +
                                            std::to_string(raw));
  }
  std::vector<format::Tensor> tensors;
  tensors.reserve(static_cast<std::size_t>(request.inputs_size()));
  std::size_t elements_left = format::kTensorElementsMax;
  for (int i = 0; i < request.inputs_size(); ++i) {
    tensors.push_back(WEIR_TRY(tensor_of(request, i, elements_left)));
  }
  return tensors;
}

std::vector<std::string> outputs_of(const ModelInferRequest& request) {
  std::vector<std::string> outputs;
  for (const auto& output : request.outputs()) outputs.push_back(output.name());
  return outputs;
}

void fill(const std::string& model, const serve::ModelForm& form,
          inference::ModelMetadataResponse& response) {
  response.set_name(model);
  response.add_versions(std::to_string(form.version));
  response.set_platform(form.platform);
  for (const serve::TensorForm& input : form.inputs) fill_form(input, *response.add_inputs());
  fill_form(form.output, *response.add_outputs());
}

void fill(const ModelInferRequest& request, std::uint64_t version,
          const std::vector<double>& predictions, inference::ModelInferResponse& response) {
  response.set_model_name(request.model_name());
  response.set_model_version(std::to_string(version));
  response.set_id(request.id());
  auto& output = *response.add_outputs();
  output.set_name(std::string(serve::kPredictionOutput));
  output.set_datatype("FP64");
  output.add_shape(static_cast<std::int64_t>(predictions.size()));
  if (request.raw_input_contents_size() > 0) {
    response.add_raw_output_contents(format::raw_fp64(predictions));
    return;
  }
  output.mutable_contents()->mutable_fp64_contents()->Add(predictions.begin(), predictions.end());
}

}  // namespace weir::infer_grpc
