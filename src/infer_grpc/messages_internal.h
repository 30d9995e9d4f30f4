// The protocol's messages, to and from what the gateway's other rooms know. For this room's .cc
// files alone, as what it includes is generated.
//
// Threads: pure functions. Errors: kInvalidArgument, with the words of REST.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <open_inference/open_inference.pb.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "format/tensor.h"
#include "serve/inference.h"

namespace weir::infer_grpc {

inline constexpr std::size_t kObjectsMax = 3 * format::kTensorsMax;  // of a request, texts aside
inline constexpr std::size_t kTextsMax = 1'000'000;                  // of a request

// A ModelInferRequest. Each part of a message becomes an object of its own, from two bytes on; so
// they are counted first, in the bytes.
Status read_message(grpc::ByteBuffer& bytes, inference::ModelInferRequest& request);
// One of the others, which are names.
Status read_message(grpc::ByteBuffer& bytes, google::protobuf::Message& request);
// False where it is too large.
bool write_message(const google::protobuf::Message& message, grpc::ByteBuffer& bytes);

// Texts are views into the request.
Result<std::vector<format::Tensor>> tensors_of(const inference::ModelInferRequest& request);
std::vector<std::string> outputs_of(const inference::ModelInferRequest& request);

void fill(const std::string& model, const serve::ModelForm& form,
          inference::ModelMetadataResponse& response);
// Raw where the request's inputs are.
void fill(const inference::ModelInferRequest& request, std::uint64_t version,
          const std::vector<double>& predictions, inference::ModelInferResponse& response);

}  // namespace weir::infer_grpc
