#include "config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace weir::config {
namespace {

YamlPlace place_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {1, 1};
  return {mark.line + 1, mark.column + 1};
}

// Refusals leave through the parser as its own exception; parse_yaml() catches all of them.
[[noreturn]] void refuse(const YAML::Mark& mark, const std::string& what) {
  throw YAML::ParserException(mark, what);
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  YamlNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) refuse(mark, "a second YAML document");
  }
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string&) override {
    refuse(mark, "anchors (&) are not taken");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases (*) are not taken");
  }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    if (expects_key()) refuse(mark, "a key is missing");
    add(YamlNode{YamlNode::Kind::kNull, place_of(mark), "", {}, {}});
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (expects_key()) {
      open_.back().key = YamlEntry{value, place_of(mark), {}};
      return;
    }
    add(YamlNode{YamlNode::Kind::kScalar, place_of(mark), value, {}, {}});
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(YamlNode::Kind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(YamlNode::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { end(); }

 private:
  struct Open {
    YamlNode node;
    std::optional<YamlEntry> key;  // of a map: a key that waits for its value
  };

  bool expects_key() const {
    return !open_.empty() && open_.back().node.kind == YamlNode::Kind::kMap && !open_.back().key;
  }

  static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) refuse(mark, "anchors (&) are not taken");
  }

  // The parser says "?" of a plain value and "!" of a quoted one.
  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") refuse(mark, "tags (!) are not taken");
  }

  void start(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
             YAML::anchor_t anchor) {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (expects_key()) refuse(mark, "a key must be text");
    if (open_.size() >= kDepthMax) refuse(mark, "nested too deep");
    open_.push_back(Open{YamlNode{kind, place_of(mark), "", {}, {}}, std::nullopt});
  }

  void end() {
    WEIR_CHECK(!open_.empty());
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  void add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::kList) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    parent.key->value = std::move(node);
    parent.node.entries.push_back(std::move(*parent.key));
    parent.key.reset();
  }

  std::vector<Open> open_;
  YamlNode root_;
  int documents_ = 0;
};

// What the parser would pass over in silence: it takes byte 4 for the end of the input, puts U+FFFD
// for what is no UTF-8, and skips directives that it does not know.
std::optional<YamlProblem> find_foreign_byte(std::string_view text) {
  for (int line_number = 1; !text.empty(); ++line_number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with('%')) return YamlProblem{{line_number, 1}, "directives (%) are not taken"};
    if (line.ends_with('\r')) line.pop_back();
    std::replace(line.begin(), line.end(), '\t', ' ');
    const std::string clean = one_line(line);
    const auto differs = std::mismatch(line.begin(), line.end(), clean.begin(), clean.end()).first;
    if (differs == line.end()) continue;
    return YamlProblem{{line_number, static_cast<int>(differs - line.begin()) + 1},
                       "a control character, or a byte that is no UTF-8"};
  }
  return std::nullopt;
}

}  // namespace

tl::expected<YamlNode, YamlProblem> parse_yaml(std::string_view text) {
  if (auto problem = find_foreign_byte(text)) return tl::unexpected(std::move(*problem));
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder;
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take_root();
  } catch (const YAML::Exception& exception) {
    return tl::unexpected(YamlProblem{place_of(exception.mark), exception.msg});
  } catch (const std::exception& exception) {
    return tl::unexpected(YamlProblem{{1, 1}, exception.what()});
  }
}

}  // namespace weir::config
