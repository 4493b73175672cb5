// Layers are known from scopes, put in order, and those that are alike are found.
#include "ir/sections.h"

#include <gtest/gtest.h>

#include "ir/extract.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "ir/view.h"
#include "tests/unit/ir/layers.h"

namespace lmc {
namespace {

std::vector<std::string> labels(const Graph& g) {
  const std::vector<GraphSection> all = sections(g);
  std::vector<std::string> texts, out;
  for (const SectionForm& f : section_forms(g, all)) texts.push_back(f.text);
  for (const auto& which : alike(texts)) {
    std::vector<ScopePart> parts;
    for (size_t s : which) parts.push_back(all[s].part);
    out.push_back(sections_label(parts));
  }
  return out;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(Sections, scopes_name_their_part) {
  EXPECT_EQ(part_of_scope("layers.3.attention.q").name, "layers.3");
  EXPECT_EQ(part_of_scope("model.blocks.12").series, "model.blocks");
  EXPECT_EQ(part_of_scope("model.blocks.12").index, 12);
  EXPECT_EQ(part_of_scope("head.norm").name, "head");
  EXPECT_EQ(part_of_scope("head.norm").index, -1);
  EXPECT_EQ(part_of_scope("").name, "");
  EXPECT_EQ(part_of_scope("layers.99999999999999999999").index, -1);
}

TEST(Sections, layer_1_is_not_layer_10) {
  EXPECT_TRUE(scope_within("layers.1.ffn", "layers.1"));
  EXPECT_TRUE(scope_within("layers.1", "layers.1"));
  EXPECT_FALSE(scope_within("layers.10.ffn", "layers.1"));
}

TEST(Sections, equal_layers_are_alike_even_if_one_of_them_makes_what_all_share) {
  EXPECT_EQ(labels(parse_graph(layered_text(26))),
            (std::vector<std::string>{"shared", "embed", "layers.0 … layers.25 × 26", "head"}));
}

TEST(Sections, layers_with_another_attribute_are_their_own_kind) {
  EXPECT_EQ(
      labels(parse_graph(layered_text(7, 3))),
      (std::vector<std::string>{"shared", "embed", "layers.0–1, 3–4, 6 × 5", "layers.2, 5 × 2", "head"}));
}

TEST(Sections, a_layer_that_reads_another_operand_is_not_alike) {
  const std::string text = replaced(layered_text(4), "%x2 = add(%x1, %o2)", "%x2 = add(%x0, %o2)");
  for (const std::string& label : labels(parse_graph(text)))
    EXPECT_EQ(label.find("× 4"), std::string::npos) << label;
}

TEST(Sections, every_op_is_in_one_section_behind_what_it_reads) {
  const Graph g = parse_graph(layered_text(5, 2));
  size_t ops = 0;
  for (const GraphSection& s : sections(g)) {
    std::vector<char> seen(g.num_op_ids(), 0);
    for (OpId id : s.ops) seen[id.v] = 2;
    for (OpId id : s.ops) {
      ++ops;
      for (ValueId v : g.op(id).operands) EXPECT_NE(g.def_op(v) ? seen[g.value(v).def.v] : 1, 2);
      seen[id.v] = 1;
    }
  }
  EXPECT_EQ(ops, g.ops().size());
}

TEST(Sections, many_runs_are_shortened) {
  std::vector<ScopePart> parts;
  for (int i = 0; i < 40; i += 2) parts.push_back({"layers." + std::to_string(i), "layers", i});
  EXPECT_EQ(sections_label(parts), "layers.0, 2, 4, …, 36, 38 × 20");
}

TEST(Extract, a_layer_is_a_graph_of_its_own) {
  const Graph g = parse_graph(layered_text(3));
  const Graph part = extract(g, ops_in_view(g, "layers.1")).graph;
  verify(part);
  const std::string text = print_graph(part);
  EXPECT_EQ(print_graph(parse_graph(text)), text);
  EXPECT_NE(text.find("(%x0: f32[T,8], %angles: f32[T,8], %cache.1: kv_f16[16,1,8], %pos: i32[T])"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("return %kv1, %x1\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("layers.0"), std::string::npos);
}

TEST(Extract, brings_what_it_needs_of_weights) {
  const Graph g = parse_graph(
      "graph @g (%x: f32[T,4]) {\n weight @w : f32[4,8]\n scope prepare\n %t = transpose(@w)\n scope run\n"
      " %y = linear(%x, %t)\n return %y\n}");
  const Graph part = extract(g, ops_in_view(g, "run")).graph;
  EXPECT_EQ(part.ops().size(), 2U);
  EXPECT_EQ(part.inputs().size(), 1U);
}

TEST(View, all_but_collapsed_reads_back) {
  const Graph g = parse_graph(layered_text(4, 2));
  for (const char* view : {"all", "auto", "layer:2", "layers.1.ffn", "head"}) {
    const std::string text = view_text(g, view);
    EXPECT_NO_THROW(parse_graph(text)) << view << "\n" << text;
  }
  EXPECT_EQ(view_text(g, "all"), print_graph(g));
  EXPECT_EQ(view_text(g, "auto"), view_text(g, "layer:0"));
}

TEST(View, a_part_says_which_others_are_like_it) {
  EXPECT_TRUE(
      view_text(parse_graph(layered_text(7, 3)), "layer:0")
          .starts_with("// only layers.0; alike are layers.0–1, 3–4, 6 × 5; others: layers.2, 5 × 2\n"));
}

TEST(View, collapsed_shows_equal_layers_once) {
  const std::string text = view_text(parse_graph(layered_text(26)), "collapsed");
  EXPECT_NE(text.find("// layers.0 … layers.25 × 26, of which layers.0 is shown"), std::string::npos) << text;
  EXPECT_NE(text.find("%x0 = add"), std::string::npos);
  EXPECT_EQ(text.find("%x1 = add"), std::string::npos);
  EXPECT_NE(text.find("%logits = linear"), std::string::npos);
}

TEST(View, without_layers_auto_is_all) {
  const Graph g = parse_graph("graph @g (%x: f32[T,4]) {\n %y = silu(%x)\n return %y\n}");
  EXPECT_EQ(view_text(g, "auto"), print_graph(g));
}

TEST(View, what_is_not_there_is_an_error_that_names_what_is) {
  const Graph g = parse_graph(layered_text(3));
  for (const char* view : {"layer:3", "layers.9", "layer:", "layer:-1", "layer:x", "lay"}) {
    try {
      view_text(g, view);
      FAIL() << view;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(view), std::string::npos) << e.what();
    }
  }
  EXPECT_NO_THROW(view_text(Graph("empty"), "all"));
}

}  // namespace
}  // namespace lmc
