#include "format/inference_json.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/text.h"
#include "format/json_cursor.h"

namespace weir::format {
namespace {

constexpr std::size_t kDepthMax = 64;
constexpr std::size_t kDepthUnderInput = 3;  // the document, the list of inputs, the input
constexpr std::size_t kWholeDigitsMax = 18;

// What is known of an input until all its members were met.
struct Draft {
  Tensor tensor;
  bool named = false;
  std::optional<std::size_t> count;
  std::optional<std::size_t> raw_bytes;
  const char* data = nullptr;  // where it begins, if it came before what says how to read it
  bool filled = false;
};

class Reader {
 public:
  Reader(std::string_view json, std::string_view raw, JsonScratch& scratch)
      : json_(json, kDepthMax, scratch), raw_(raw) {}

  Result<InferenceRequest> read() {
    if (!read_document()) return fail(std::move(*error_));
    return std::move(request_);
  }

 private:
  bool refuse(Error error) {
    error_ = std::move(error);
    return false;
  }
  bool refuse(std::string why) { return refuse(Error(Code::kInvalidArgument, std::move(why))); }
  bool refuse(const Draft& draft, const std::string& why) {
    return draft.named ? refuse(input_error(draft.tensor.name, why)) : refuse("an input: " + why);
  }
  bool refuse_json() { return refuse(json_.fault_text()); }
  bool not_json(std::string_view what) {
    json_.not_json(what);
    return refuse_json();
  }
  bool skip(std::size_t depth) { return json_.skip_value(depth) || refuse_json(); }

  // Each calls `on_value` with the cursor at a value, which that reads.
  template <typename OnValue>
  bool read_members(OnValue on_value);
  template <typename OnValue>
  bool read_elements(OnValue on_value);

  bool read_document();
  bool read_member(std::string_view name);
  bool read_input();
  bool read_input_member(std::string_view name, Draft& draft);
  bool read_shape(Draft& draft);
  bool read_data(Draft& draft);
  bool read_element(Draft& draft);
  bool finish_input(Draft& draft);
  bool read_outputs();
  bool read_flag(std::string_view wanted, std::size_t depth);
  std::optional<std::uint64_t> read_whole();
  bool at_text() { return json_.peek() == '"'; }
  bool read_text(std::string& text);

  JsonCursor json_;
  std::string_view raw_;
  InferenceRequest request_;
  std::optional<Error> error_;
  std::size_t elements_left_ = kTensorElementsMax;
  std::vector<std::string_view> met_;  // members of the document
};

template <typename OnValue>
bool Reader::read_members(OnValue on_value) {
  json_.advance(1);
  json_.skip_space();
  if (json_.take('}')) return true;
  for (;;) {
    json_.skip_space();
    std::string_view name;
    bool escaped = false;
    if (!json_.read_string(name, escaped)) return refuse_json();
    json_.skip_space();
    if (!json_.take(':')) return not_json("expected ':'");
    json_.skip_space();
    if (!on_value(name)) return false;
    json_.skip_space();
    if (json_.take(',')) continue;
    return json_.take('}') || not_json("expected ',' or '}'");
  }
}

template <typename OnValue>
bool Reader::read_elements(OnValue on_value) {
  json_.advance(1);
  json_.skip_space();
  if (json_.take(']')) return true;
  for (;;) {
    json_.skip_space();
    if (!on_value()) return false;
    json_.skip_space();
    if (json_.take(',')) continue;
    return json_.take(']') || not_json("expected ',' or ']'");
  }
}

bool Reader::read_document() {
  json_.skip_space();
  if (json_.peek() != '{') return refuse("the body is no JSON object");
  if (!read_members([&](std::string_view name) { return read_member(name); })) return false;
  json_.skip_space();
  if (json_.left() > 0) return not_json("something follows the object");
  if (request_.inputs.empty()) return refuse("there are no inputs");
  if (raw_.empty()) return true;
  return refuse(std::to_string(raw_.size()) + " bytes follow the JSON that no input is made of");
}

bool Reader::read_member(std::string_view name) {
  const bool known = name == "id" || name == "inputs" || name == "outputs" || name == "parameters";
  if (!known) return skip(1);
  if (std::find(met_.begin(), met_.end(), name) != met_.end()) {
    return refuse("'" + std::string(name) + "' comes twice");
  }
  met_.push_back(name);
  if (name == "id") return at_text() ? read_text(request_.id) : skip(1);
  if (name == "parameters") return read_flag("binary_data_output", 1);
  if (name == "outputs") return read_outputs();
  if (json_.peek() != '[') return refuse("there are no inputs");
  return read_elements([&] { return read_input(); });
}

bool Reader::read_input() {
  if (json_.peek() != '{') return refuse("an input is no object");
  if (request_.inputs.size() == kTensorsMax) {
    return refuse("there are more than " + std::to_string(kTensorsMax) + " inputs");
  }
  Draft draft;
  if (!read_members([&](std::string_view name) { return read_input_member(name, draft); })) {
    return false;
  }
  if (!finish_input(draft)) return false;
  request_.inputs.push_back(std::move(draft.tensor));
  return true;
}

bool Reader::read_input_member(std::string_view name, Draft& draft) {
  Tensor& tensor = draft.tensor;
  if (name == "name") {
    if (!at_text() || draft.named) return refuse("an input has no name, or two");
    draft.named = true;
    return read_text(tensor.name);
  }
  if (name == "datatype") {
    if (!at_text() || !tensor.datatype.empty()) return refuse(draft, "its datatype is no text");
    return read_text(tensor.datatype);
  }
  if (name == "shape") return read_shape(draft);
  if (name == "parameters" && json_.peek() == '{') {
    return read_members([&](std::string_view parameter) {
      if (parameter != "binary_data_size") return skip(kDepthUnderInput + 1);
      const auto size = read_whole();
      if (!size) return refuse(draft, "its binary_data_size is no number of bytes");
      draft.raw_bytes = *size;
      return true;
    });
  }
  if (name != "data") return skip(kDepthUnderInput);
  if (draft.data != nullptr || draft.filled) return refuse(draft, "its data comes twice");
  if (json_.peek() != '[') return refuse(draft, "its data is no list");
  if (draft.named && !tensor.datatype.empty() && draft.count) return read_data(draft);
  draft.data = json_.at();
  return skip(kDepthUnderInput);
}

bool Reader::read_shape(Draft& draft) {
  auto& shape = draft.tensor.shape;
  if (json_.peek() != '[' || !shape.empty()) {
    return refuse(draft, "its shape is no list of one to eight sizes");
  }
  const bool read = read_elements([&] {
    const auto size = read_whole();
    if (!size || shape.size() == kTensorDimensionsMax) {
      return refuse(draft, "its shape holds what is no size, or more than eight");
    }
    shape.push_back(static_cast<std::int64_t>(*size));
    return true;
  });
  if (!read) return false;
  const auto count = element_count(draft.tensor.name, shape, elements_left_);
  if (!count) return refuse(count.error());
  draft.count = *count;
  return true;
}

// Without recursion, and with no regard to where the brackets stand: the protocol takes data nested
// or flat.
bool Reader::read_data(Draft& draft) {
  draft.filled = true;
  if (auto known = check_datatype(draft.tensor.name, draft.tensor.datatype); !known) {
    return refuse(std::move(known.error()));
  }
  // What came stands for so many elements at most, whatever the shape says.
  const std::size_t likely = std::min(*draft.count, json_.left() / 2);
  if (draft.tensor.is_text()) draft.tensor.texts.reserve(likely);
  else draft.tensor.numbers.reserve(likely);
  std::size_t open = 0;
  for (;;) {
    json_.skip_space();
    bool ended = true;
    if (json_.take('[')) {
      if (++open > kTensorDimensionsMax) return refuse(draft, "its data is nested too deeply");
      json_.skip_space();
      ended = json_.take(']');
      if (ended) --open;
    } else if (!read_element(draft)) {
      return false;
    }
    while (ended) {
      if (open == 0) return true;
      json_.skip_space();
      if (json_.take(',')) break;
      if (!json_.take(']')) return not_json("expected ',' or ']'");
      --open;
    }
  }
}

bool Reader::read_element(Draft& draft) {
  Tensor& tensor = draft.tensor;
  if (tensor.size() == *draft.count) {
    return refuse(
        draft, "its shape stands for " + std::to_string(*draft.count) + " elements, and more came");
  }
  const char first = json_.peek();
  const auto take_word = [&](std::string_view word) {
    if (json_.left() < word.size() || std::string_view(json_.at(), word.size()) != word)
      return false;
    json_.advance(word.size());
    return true;
  };
  if (tensor.is_text()) {
    std::string_view text;
    bool escaped = false;
    if (first == 'n' && take_word("null")) {
      tensor.texts.emplace_back();
      return true;
    }
    if (first != '"') return refuse(draft, "its data is no list of texts");
    if (!json_.read_string(text, escaped)) return refuse_json();
    tensor.texts.push_back(text);
    return true;
  }
  if (first == 't' && take_word("true")) {
    tensor.numbers.push_back(1);
  } else if (first == 'f' && take_word("false")) {
    tensor.numbers.push_back(0);
  } else if (first == 'n' && take_word("null")) {
    tensor.numbers.push_back(std::numeric_limits<double>::quiet_NaN());
  } else {
    const Decimal decimal = json_.read_number();
    if (decimal.end == nullptr) return refuse(draft, "its data is no list of numbers");
    if (decimal.status != DecimalStatus::kGood) {
      return refuse(draft, "it holds a number that no double can hold");
    }
    tensor.numbers.push_back(decimal.value);
  }
  return true;
}

bool Reader::finish_input(Draft& draft) {
  Tensor& tensor = draft.tensor;
  if (!draft.named) return refuse("an input has no name");
  if (auto known = check_datatype(tensor.name, tensor.datatype); !known) {
    return refuse(std::move(known.error()));
  }
  if (!draft.count) return refuse(draft, "it has no shape");
  if (draft.raw_bytes) {
    if (draft.filled || draft.data != nullptr) return refuse(draft, "it has data in two ways");
    if (*draft.raw_bytes > raw_.size()) {
      return refuse(draft, "fewer bytes follow the JSON than its binary_data_size");
    }
    auto read = read_raw(raw_.substr(0, *draft.raw_bytes), *draft.count, tensor);
    if (!read) return refuse(std::move(read.error()));
    raw_.remove_prefix(*draft.raw_bytes);
    return true;
  }
  if (draft.data != nullptr) {
    const char* const after = json_.at();
    json_.rewind(draft.data);
    if (!read_data(draft)) return false;
    json_.rewind(after);
  }
  if (!draft.filled) return refuse(draft, "it has no data");
  if (tensor.size() == *draft.count) return true;
  return refuse(draft, "its shape stands for " + std::to_string(*draft.count) + " elements, and " +
                           std::to_string(tensor.size()) + " came");
}

bool Reader::read_outputs() {
  if (json_.peek() != '[') return skip(1);
  return read_elements([&] {
    if (json_.peek() != '{') return refuse("an output is no object");
    if (request_.outputs.size() == kTensorsMax) return refuse("there are too many outputs");
    std::optional<std::string> named;
    const bool read = read_members([&](std::string_view name) {
      if (name == "parameters") return read_flag("binary_data", kDepthUnderInput);
      if (name != "name" || !at_text()) return skip(kDepthUnderInput);
      return read_text(named.emplace());
    });
    if (!read) return false;
    if (!named) return refuse("an output has no name");
    request_.outputs.push_back(std::move(*named));
    return true;
  });
}

// Of an object of parameters the one that asks for raw bytes.
bool Reader::read_flag(std::string_view wanted, std::size_t depth) {
  if (json_.peek() != '{') return skip(depth);
  return read_members([&](std::string_view name) {
    if (name == wanted && json_.peek() == 't') request_.binary_output = true;
    return skip(depth + 1);
  });
}

// A number of decimal digits alone.
std::optional<std::uint64_t> Reader::read_whole() {
  const char* const begin = json_.at();
  if (json_.read_number().end == nullptr) return std::nullopt;
  const std::string_view text(begin, static_cast<std::size_t>(json_.at() - begin));
  if (text.size() > kWholeDigitsMax || text.find_first_not_of("0123456789") != text.npos) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*parse_int64(text));
}

bool Reader::read_text(std::string& text) {
  std::string_view view;
  bool escaped = false;
  if (!json_.read_string(view, escaped)) return refuse_json();
  text = view;
  return true;
}

}  // namespace

Result<InferenceRequest> read_inference_json(std::string_view body, std::size_t json_bytes) {
  if (json_bytes > body.size()) {
    return fail(Code::kInvalidArgument, "Inference-Header-Content-Length is more than the body");
  }
  auto scratch = std::make_unique<JsonScratch>();
  auto request = Reader(body.substr(0, json_bytes), body.substr(json_bytes), *scratch).read();
  // Moved, its bytes stay where they are: what holds a request's text is longer than the string
  // object itself.
  if (request && !scratch->unescaped.empty()) {
    request->unescaped = std::make_unique<const std::string>(std::move(scratch->unescaped));
  }
  return request;
}

}  // namespace weir::format
