#include "model/onnx_graph.h"

#include <algorithm>
#include <bit>
#include <set>

#include "model/forest.h"
#include "model/protobuf_wire.h"

namespace weir::model {
namespace {

// Numbers and texts of all lists together; a node of a tree has some ten.
constexpr std::size_t kValuesMax = 24 * kTreeNodesMax;
constexpr std::size_t kNodesMax = 1'000;

auto broken(const char* what) { return fail(Code::kCorrupt, what); }

class Parser {
 public:
  Result<OnnxGraph> model(std::string_view bytes) {
    OnnxGraph graph;
    bool has_graph = false;
    WEIR_TRY(each(bytes, [&](const WireField& field) -> Status {
      if (field.number == 2) graph.producer = field.bytes;
      if (field.number == 3) graph.producer_version = field.bytes;
      if (field.number != 7) return {};
      has_graph = true;
      return read_graph(field.bytes, graph);
    }));
    if (!has_graph) return broken("there is no graph in it");
    drop_constants(graph);
    return graph;
  }

 private:
  template <typename Take>
  Status each(std::string_view message, const Take& take) {
    WireReader reader(message);
    while (const auto field = WEIR_TRY(reader.next())) {
      WEIR_TRY(count(1));
      WEIR_TRY(take(*field));
    }
    return {};
  }
  Status count(std::size_t more) {
    if (more > left_) return broken("it has more values than a model's");
    left_ -= more;
    return {};
  }

  // In old files constants stand among the inputs, too.
  static void drop_constants(OnnxGraph& graph) {
    std::set<std::string_view> names;
    for (const OnnxTensor& constant : graph.constants) names.insert(constant.name);
    std::erase_if(graph.inputs, [&](const OnnxInput& input) { return names.contains(input.name); });
  }

  Status read_graph(std::string_view bytes, OnnxGraph& graph) {
    return each(bytes, [&](const WireField& field) -> Status {
      switch (field.number) {
        case 1:
          if (graph.nodes.size() == kNodesMax) return broken("it has more nodes than a model's");
          graph.nodes.push_back(WEIR_TRY(node(field.bytes)));
          return {};
        case 5: graph.constants.push_back(WEIR_TRY(tensor(field.bytes))); return {};
        case 11: graph.inputs.push_back(WEIR_TRY(input(field.bytes))); return {};
        case 12: graph.outputs.push_back(WEIR_TRY(input(field.bytes)).name); return {};
        default: return {};
      }
    });
  }

  Result<OnnxNode> node(std::string_view bytes) {
    OnnxNode node;
    WEIR_TRY(each(bytes, [&](const WireField& field) -> Status {
      if (field.number == 1) node.inputs.push_back(field.bytes);
      if (field.number == 2) node.outputs.push_back(field.bytes);
      if (field.number == 4) node.type = field.bytes;
      if (field.number == 7) node.domain = field.bytes;
      if (field.number != 5) return {};
      std::string_view name;
      OnnxAttribute made = WEIR_TRY(attribute(field.bytes, name));
      if (node.attributes.emplace(name, std::move(made)).second) return {};
      return broken("a node has an attribute twice");
    }));
    return node;
  }

  Result<OnnxAttribute> attribute(std::string_view bytes, std::string_view& name) {
    OnnxAttribute made;
    WEIR_TRY(each(bytes, [&](const WireField& field) -> Status {
      switch (field.number) {
        case 1: name = field.bytes; return {};
        case 2: made.number = field.as_float(); return {};
        case 3: made.whole = field.whole(); return {};
        case 4: made.text = field.bytes; return {};
        case 5: made.tensor = WEIR_TRY(tensor(field.bytes)); return {};
        case 7:
          return counted(made.numbers, [&](auto& to) { return append_floats(field, left_, to); });
        case 8:
          return counted(made.wholes,
                         [&](auto& to) { return append_whole_numbers(field, left_, to); });
        case 9: made.texts.push_back(field.bytes); return {};
        default: return {};
      }
    }));
    return made;
  }

  template <typename Values, typename Append>
  Status counted(Values& to, const Append& append) {
    const std::size_t before = to.size();
    WEIR_TRY(append(to));
    return count(to.size() - before);
  }

  Result<OnnxTensor> tensor(std::string_view bytes) {
    OnnxTensor made;
    std::string_view raw;
    bool elsewhere = false;
    WEIR_TRY(each(bytes, [&](const WireField& field) -> Status {
      auto& values = made.values;
      switch (field.number) {
        case 1:
          return counted(made.dims,
                         [&](auto& to) { return append_whole_numbers(field, left_, to); });
        case 2: made.type = field.whole(); return {};
        case 4: return counted(values, [&](auto& to) { return append_floats(field, left_, to); });
        case 7: {
          std::vector<std::int64_t> wholes;
          WEIR_TRY(
              counted(wholes, [&](auto& to) { return append_whole_numbers(field, left_, to); }));
          for (const std::int64_t whole : wholes) values.push_back(static_cast<double>(whole));
          return {};
        }
        case 8: made.name = field.bytes; return {};
        case 9: raw = field.bytes; return {};
        case 10: return counted(values, [&](auto& to) { return append_doubles(field, left_, to); });
        case 13: elsewhere = true; return {};
        default: return {};
      }
    }));
    if (elsewhere) {
      return fail(Code::kUnsupported,
                  "a constant lies in another file (external data): save it in one");
    }
    if (!raw.empty()) WEIR_TRY(read_raw(raw, made));
    return made;
  }

  // Little-endian bytes in the place of a list.
  Status read_raw(std::string_view raw, OnnxTensor& made) {
    const WireField packed{0, WireField::kBytes, 0, raw};
    if (made.type == kOnnxFloat) {
      return counted(made.values, [&](auto& to) { return append_floats(packed, left_, to); });
    }
    const std::size_t first = made.values.size();
    if (made.type != kOnnxDouble && made.type != kOnnxInt64) return {};
    WEIR_TRY(counted(made.values, [&](auto& to) { return append_doubles(packed, left_, to); }));
    if (made.type == kOnnxInt64) {
      for (std::size_t i = first; i < made.values.size(); ++i) {
        made.values[i] = static_cast<double>(std::bit_cast<std::int64_t>(made.values[i]));
      }
    }
    return {};
  }

  // ValueInfoProto, and in it TypeProto, its Tensor, its shape, its dimensions.
  Result<OnnxInput> input(std::string_view bytes) {
    OnnxInput made;
    WEIR_TRY(each(bytes, [&](const WireField& field) -> Status {
      if (field.number == 1) made.name = field.bytes;
      if (field.number != 2) return {};
      return each(field.bytes, [&](const WireField& type) -> Status {
        return type.number == 1 ? tensor_type(type.bytes, made) : Status();
      });
    }));
    return made;
  }

  Status tensor_type(std::string_view bytes, OnnxInput& made) {
    return each(bytes, [&](const WireField& field) -> Status {
      if (field.number == 1) made.type = field.whole();
      if (field.number != 2) return {};
      return each(field.bytes, [&](const WireField& dimension) -> Status {
        std::int64_t size = 0;
        WEIR_TRY(each(dimension.bytes, [&](const WireField& value) -> Status {
          if (value.number == 1) size = value.whole();
          return {};
        }));
        made.dims.push_back(size);
        return {};
      });
    });
  }

  std::size_t left_ = kValuesMax;
};

}  // namespace

// The first field of a model is the version of its format, a small number.
bool begins_as_onnx(std::string_view document) {
  return document.size() > 2 && document[0] == 0x08 && document[1] > 0 && document[1] < 0x20;
}

Result<OnnxGraph> parse_onnx(std::string_view document) { return Parser().model(document); }

}  // namespace weir::model
