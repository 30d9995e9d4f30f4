#include "model/xgboost_document.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"

namespace weir::model {
namespace {

// Numbers become floats at once: read as doubles first, they could be rounded twice.
using Document = nlohmann::basic_json<std::map, std::vector, std::string, bool, std::int64_t,
                                      std::uint64_t, float>;

// Those whose prediction is the sum of the leaves, not a function of it.
constexpr std::array<std::string_view, 5> kPlainObjectives = {
    "reg:squarederror", "reg:squaredlogerror", "reg:absoluteerror", "reg:pseudohubererror",
    "reg:quantileerror"};

// What a document may hold at most; parsers would build any depth, and any number of values, in
// memory, and UBJSON has arrays whose elements take no byte. XGBoost's are eight levels deep, and
// have some twenty numbers for each node.
constexpr std::size_t kVersionBytesMax = 40;
constexpr int kDepthMax = 32;
constexpr std::size_t kValuesMax = 24 * kTreeNodesMax;

// Told of each value as it is read, before any is kept; a false ends the reading.
class Limits final : public Document::json_sax_t {
 public:
  bool null() override { return count(); }
  bool boolean(bool) override { return count(); }
  bool number_integer(std::int64_t) override { return count(); }
  bool number_unsigned(std::uint64_t) override { return count(); }
  bool number_float(float, const std::string&) override { return count(); }
  bool string(std::string&) override { return count(); }
  bool binary(Document::binary_t&) override { return false; }
  bool key(std::string&) override { return count(); }
  bool start_object(std::size_t count) override { return begin(count); }
  bool start_array(std::size_t count) override { return begin(count); }
  bool end_object() override { return end(); }
  bool end_array() override { return end(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

  bool passed() const { return passed_; }

 private:
  bool count() { return ++values_ <= kValuesMax || over(); }
  // Of UBJSON's containers some say beforehand how many values they have.
  bool begin(std::size_t announced) {
    if (announced != static_cast<std::size_t>(-1) && announced > kValuesMax) return over();
    return count() && (++depth_ <= kDepthMax || over());
  }
  bool end() {
    --depth_;
    return true;
  }
  bool over() {
    passed_ = true;
    return false;
  }

  int depth_ = 0;
  std::size_t values_ = 0;
  bool passed_ = false;
};

Error corrupt(const std::string& what) { return Error(Code::kCorrupt, what); }

// XGBoost keeps parameters as text.
Result<std::int64_t> whole_number(const Document& json, const char* name) {
  const auto& text = json.at(name).get_ref<const std::string&>();
  const auto value = parse_int64(text);
  if (!value) return fail(corrupt("\"" + std::string(name) + "\" is no whole number"));
  return *value;
}

// "2.25E1", or in a list of one.
Result<float> base_score(const Document& json) {
  std::string_view text = json.at("base_score").get_ref<const std::string&>();
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(corrupt("\"base_score\" is not one number"));
  }
  return value;
}

// The lists of a tree, by XGBoost's own numbers of its nodes.
struct Nodes {
  const Document::array_t& left;
  const Document::array_t& right;
  const Document::array_t& feature;
  const Document::array_t& value;
  const Document::array_t& missing_left;

  static const Document::array_t& list(const Document& tree, const char* name) {
    return tree.at(name).get_ref<const Document::array_t&>();
  }
  explicit Nodes(const Document& tree)
      : left(list(tree, "left_children")),
        right(list(tree, "right_children")),
        feature(list(tree, "split_indices")),
        value(list(tree, "split_conditions")),
        missing_left(list(tree, "default_left")) {}

  // How much of the data came by each node; not in all documents.
  static const Document::array_t* covers(const Document& tree, std::size_t count) {
    const auto found = tree.find("sum_hessian");
    if (found == tree.end()) return nullptr;
    const auto& list = found->get_ref<const Document::array_t&>();
    return list.size() == count ? &list : nullptr;
  }

  bool of_one_size() const {
    return right.size() == left.size() && feature.size() == left.size() &&
           value.size() == left.size() && missing_left.size() == left.size() && !left.empty();
  }
};

// A node is the child of one other at most, or the walk might never end.
Result<std::size_t> child(const Document& number, std::vector<bool>& is_child) {
  const auto index = number.get<std::int64_t>();
  if (index <= 0 || static_cast<std::uint64_t>(index) >= is_child.size()) {
    return fail(corrupt("a node has a child that there is not"));
  }
  const auto at = static_cast<std::size_t>(index);
  if (is_child[at]) return fail(corrupt("a node is the child of two"));
  is_child[at] = true;
  return at;
}

bool is_set(const Document& flag) {
  return flag.is_boolean() ? flag.get<bool>() : flag.get<std::int64_t>() != 0;
}

// How much of the data came by a node; NaN where that is no number.
double cover_of(const Document& number) {
  return number.is_null() ? std::nan("") : static_cast<double>(number.get<float>());
}
bool is_cover(double value) { return std::isfinite(value) && value >= 0; }

// Breadth first from the root; XGBoost numbers nodes in the order in which they grew.
Result<Tree> tree_from(const Document& json) {
  if (const auto types = json.find("split_type"); types != json.end()) {
    for (const Document& type : *types) {
      if (is_set(type)) {
        return fail(Code::kUnsupported,
                    "it splits on categories, which this program does not; train it on numbers "
                    "(one column for each category, say)");
      }
    }
  }
  const Nodes nodes(json);
  if (!nodes.of_one_size()) return fail(corrupt("its lists are of different lengths, or empty"));
  const Document::array_t* const covers = Nodes::covers(json, nodes.left.size());
  std::vector<bool> is_child(nodes.left.size(), false);
  Tree tree;
  std::vector<std::size_t> order{0};
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t at = order[i];
    if (!nodes.value[at].is_number()) return fail(corrupt("a threshold or leaf is no number"));
    tree.value.push_back(static_cast<double>(nodes.value[at].get<float>()));
    if (covers) tree.cover.push_back(cover_of((*covers)[at]));
    if (nodes.left[at].get<std::int64_t>() == -1) {
      tree.feature.push_back(Tree::kLeaf);
      continue;
    }
    order.push_back(WEIR_TRY(child(nodes.left[at], is_child)));
    order.push_back(WEIR_TRY(child(nodes.right[at], is_child)));
    const auto feature = nodes.feature[at].get<std::int64_t>();
    if (feature < 0 || static_cast<std::uint64_t>(feature) >= kColumnsMax) {
      return fail(corrupt("a node asks for a feature that there is not"));
    }
    tree.feature.push_back(static_cast<std::int32_t>(feature));
    tree.missing_left.push_back(is_set(nodes.missing_left[at]) ? 1 : 0);
  }
  // Predictions do not need them, and contributions say that they are missing.
  if (!std::all_of(tree.cover.begin(), tree.cover.end(), is_cover)) tree.cover.clear();
  return tree;
}

Status check_kind(const Document& learner) {
  const std::string booster = learner.at("gradient_booster").at("name");
  if (booster != "gbtree") {
    return fail(Code::kUnsupported, "the booster '" + one_line(booster) +
                                        "' is not one that this program evaluates: gbtree is");
  }
  const std::string objective = learner.at("objective").at("name");
  for (const std::string_view plain : kPlainObjectives) {
    if (objective == plain) return {};
  }
  return fail(Code::kUnsupported, "the objective '" + one_line(objective) +
                                      "' is not one that this program evaluates: " +
                                      std::string(kPlainObjectives[0]) + " and the like are");
}

// "2.1.4", where the document says so.
std::string version_of(const Document& json) {
  std::string version;
  if (const auto found = json.find("version"); found != json.end()) {
    for (const Document& part : found->get_ref<const Document::array_t&>()) {
      version += (version.empty() ? "" : ".") + std::to_string(part.get<std::int64_t>());
    }
  }
  return version.substr(0, kVersionBytesMax);
}

// With early stopping, some of XGBoost's own ways to predict leave out the last trees.
void note_best_iteration(const Document& learner, std::size_t trees, ForeignModel& model) {
  const auto attributes = learner.find("attributes");
  if (attributes == learner.end() || !attributes->contains("best_iteration")) return;
  const auto& text = attributes->at("best_iteration").get_ref<const std::string&>();
  const auto best = parse_int64(text);
  if (!best || *best < 0 || static_cast<std::uint64_t>(*best) + 1 >= trees) return;
  model.notes.push_back("training stopped early: the best iteration was " + std::to_string(*best) +
                        ", and all " + std::to_string(trees) +
                        " trees are used, as Booster.predict does; for the best ones alone save "
                        "booster[:" +
                        std::to_string(*best + 1) + "]");
}

Result<ForeignModel> model_from(const Document& json) {
  const Document& learner = json.at("learner");
  WEIR_TRY(check_kind(learner));
  const Document& param = learner.at("learner_model_param");
  for (const char* const several : {"num_class", "num_target"}) {
    if (param.contains(several) && WEIR_TRY(whole_number(param, several)) > 1) {
      return fail(Code::kUnsupported, "it predicts several numbers (\"" + std::string(several) +
                                          "\"); a model of this program predicts one");
    }
  }
  ForeignModel model;
  model.tool = "XGBoost " + version_of(json);
  const std::int64_t features = WEIR_TRY(whole_number(param, "num_feature"));
  if (features < 1 || static_cast<std::uint64_t>(features) >= kColumnsMax) {
    return fail(corrupt("\"num_feature\" is " + std::to_string(features) + "; a model has 1 to " +
                        std::to_string(kColumnsMax - 1) + " features"));
  }
  model.feature_count = static_cast<std::size_t>(features);
  if (const auto names = learner.find("feature_names"); names != learner.end()) {
    model.features = names->get<std::vector<std::string>>();
  }
  ForeignTrees body;
  body.base = static_cast<double>(WEIR_TRY(base_score(param)));
  for (const Document& tree : Nodes::list(learner.at("gradient_booster").at("model"), "trees")) {
    body.trees.push_back(
        WEIR_TRY(during(tree_from(tree), "reading tree " + std::to_string(body.trees.size()))));
  }
  note_best_iteration(learner, body.trees.size(), model);
  model.body = std::move(body);
  return model;
}

// UBJSON begins with '{' too, but the length of a key follows, not white space or a quote.
bool is_ubjson(std::string_view document) {
  return document.size() > 1 && document[0] == '{' &&
         std::string_view("LUiIl").find(document[1]) != std::string_view::npos;
}

// Words that XGBoost writes for numbers and that are no JSON, such as NaN where a node has no
// threshold; here they become null, so that the document can be read as far as to say what it is.
constexpr std::array<std::string_view, 3> kNoNumbers = {"NaN", "Infinity", "-Infinity"};

std::string_view no_number_at(std::string_view json) {
  for (const std::string_view word : kNoNumbers) {
    if (json.starts_with(word)) return word;
  }
  return {};
}

std::string without_no_numbers(std::string_view json) {
  std::string text;
  text.reserve(json.size() + json.size() / 3);
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (const auto word = in_string ? std::string_view() : no_number_at(json.substr(i));
        !word.empty()) {
      text += "null";
      i += word.size() - 1;
      continue;
    }
    text += c;
    if (c == '"') in_string = !in_string;
    if (in_string && c == '\\' && i + 1 < json.size()) text += json[++i];
  }
  return text;
}

// No object where it is none.
Result<Document> parse_document(std::string_view document) {
  const bool ubjson = is_ubjson(document);
  std::string mended;
  if (!ubjson && (document.find("NaN") != document.npos || document.find("Inf") != document.npos)) {
    mended = without_no_numbers(document);
    document = mended;
  }
  Limits limits;
  Document::sax_parse(document, &limits,
                      ubjson ? Document::input_format_t::ubjson : Document::input_format_t::json);
  if (limits.passed()) return fail(corrupt("it is deeper or has more values than a model's"));
  return ubjson ? Document::from_ubjson(document, true, false)
                : Document::parse(document, nullptr, false);
}

}  // namespace

bool begins_as_xgboost(std::string_view document) {
  const std::size_t first = document.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && document[first] == '{';
}

Result<ForeignModel> read_xgboost(std::string_view document) {
  if (document.size() > kXgboostBytesMax) {
    return fail(corrupt("a document of " + format_bytes(document.size()) +
                        " is over the limit of " + format_bytes(kXgboostBytesMax)));
  }
  try {
    const Document json = WEIR_TRY(parse_document(document));
    if (!json.is_object()) return fail(corrupt("it is no whole document of JSON or UBJSON"));
    return model_from(json);
  } catch (const Document::exception& e) {
    return fail(corrupt(std::string("it is not as XGBoost writes it: ") + e.what()));
  }
}

Result<BoostedModel> model_from_xgboost(std::string_view document, record::Schema schema) {
  ForeignModel foreign = WEIR_TRY(read_xgboost(document));
  WEIR_TRY(check_feature_count(foreign, schema));
  auto& trees = std::get<ForeignTrees>(foreign.body);
  return BoostedModel::make(std::move(schema), trees.base, std::move(trees.trees));
}

}  // namespace weir::model
