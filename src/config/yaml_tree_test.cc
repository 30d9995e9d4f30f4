#include "config/yaml_tree.h"

#include <gtest/gtest.h>

namespace weir::config {
namespace {

std::string refusal(std::string_view text) {
  const auto tree = parse_yaml(text);
  if (tree) return "taken";
  return std::to_string(tree.error().place.line) + ":" + std::to_string(tree.error().place.column) +
         " " + tree.error().what;
}

TEST(YamlTree, keeps_order_places_and_doubled_keys) {
  const auto tree = parse_yaml("a: 1\nb: {c: [x, 'y'], d: }\na: 2\n");
  ASSERT_TRUE(tree);
  ASSERT_EQ(tree->entries.size(), 3u);
  EXPECT_EQ(tree->entries[2].key, "a");
  EXPECT_EQ(tree->entries[2].place.line, 3);
  const YamlNode& b = tree->entries[1].value;
  EXPECT_EQ(b.kind, YamlNode::Kind::kMap);
  EXPECT_EQ(b.entries[0].value.items[1].text, "y");
  EXPECT_EQ(b.entries[0].value.items[1].place.column, 12);
  EXPECT_EQ(b.entries[1].value.kind, YamlNode::Kind::kNull);
}

TEST(YamlTree, takes_an_empty_document_as_null) {
  for (const char* text : {"", "\n", "# only words\n", "---\n", "~"}) {
    const auto tree = parse_yaml(text);
    ASSERT_TRUE(tree) << text;
    EXPECT_EQ(tree->kind, YamlNode::Kind::kNull);
  }
}

TEST(YamlTree, refuses_aliases_anchors_tags_and_second_documents) {
  EXPECT_EQ(refusal("a: &x 1\nb: 2\n"), "1:4 anchors (&) are not taken");
  EXPECT_EQ(refusal("b: 2\na: *x\n").substr(0, 4), "2:4 ");
  EXPECT_EQ(refusal("a: !!int 1\n"), "1:4 tags (!) are not taken");
  EXPECT_EQ(refusal("a: 1\n---\nb: 2\n").substr(0, 2), "2:");
  EXPECT_EQ(refusal("? [a]\n: 1\n"), "1:3 a key must be text");
  EXPECT_EQ(refusal("~: 1\n"), "1:1 a key is missing");
}

TEST(YamlTree, refuses_bytes_that_the_parser_would_pass_over) {
  const std::string foreign = " a control character, or a byte that is no UTF-8";
  EXPECT_EQ(refusal(std::string_view("a: 1\nb\0: 2", 10)), "2:2" + foreign);
  EXPECT_EQ(refusal("a: 1\n\x04\nb: 2\n"), "2:1" + foreign);
  EXPECT_EQ(refusal("a: \xff\n"), "1:4" + foreign);
  EXPECT_EQ(refusal("\xff\xfe"), "1:1" + foreign);
  EXPECT_EQ(refusal("%a: 1\n"), "1:1 directives (%) are not taken");
  EXPECT_EQ(refusal("\xef\xbb\xbf"
                    "a: \"ü\ty\"  # x\r\n"),
            "taken");
}

TEST(YamlTree, refuses_what_is_nested_too_deep) {
  EXPECT_EQ(refusal("a: " + std::string(15, '[') + std::string(15, ']')), "taken");
  EXPECT_EQ(refusal("a: " + std::string(16, '[') + std::string(16, ']')), "1:19 nested too deep");
  EXPECT_NE(refusal(std::string(50'000, '[')), "taken");
  EXPECT_NE(refusal(std::string(50'000, '{')), "taken");
  std::string indented;
  for (int i = 0; i < 500; ++i) indented += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_EQ(refusal(indented), "17:17 nested too deep");
}

}  // namespace
}  // namespace weir::config
