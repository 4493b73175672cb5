// Pictures: boxes do not overlap, edges go down, and every op is drawn.
#include "tools/graphs/picture/picture.h"

#include <gtest/gtest.h>

#include <random>

#include "ir/text.h"
#include "ir/view.h"
#include "tests/unit/ir/layers.h"

namespace lmc {
namespace {

void expect_sound(const Layout& l) {
  for (size_t i = 0; i < l.nodes.size(); ++i) {
    const LayoutNode& a = l.nodes[i];
    EXPECT_GE(a.x, 0);
    EXPECT_GE(a.y, 0);
    EXPECT_LE(a.x + a.width, l.width);
    EXPECT_LE(a.y + a.height, l.height);
    for (size_t j = 0; j < i; ++j) {
      const LayoutNode& b = l.nodes[j];
      const bool apart =
          a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
      EXPECT_TRUE(apart) << i << " and " << j;
    }
  }
  for (const LayoutEdge& e : l.edges) {
    EXPECT_LT(l.nodes[e.from].y + l.nodes[e.from].height, l.nodes[e.to].y + 1e-6);
    EXPECT_TRUE(e.path.starts_with("M")) << e.path;
  }
}

TEST(Layout, random_graphs_are_drawn_without_overlaps) {
  std::mt19937 random(7);
  for (int round = 0; round < 30; ++round) {
    Layout l;
    const size_t n = 1 + random() % 40;
    for (size_t i = 0; i < n; ++i)
      l.nodes.push_back({20.0 + random() % 200, 20.0 + random() % 60, random() % 4 == 0, 0, 0});
    for (size_t i = 1; i < n; ++i) {
      for (size_t k = 0; k < random() % 3; ++k) l.edges.push_back({random() % i, i, ""});
    }
    place(l);
    expect_sound(l);
  }
}

TEST(Layout, a_chain_is_a_straight_line) {
  Layout l;
  for (double width : {60.0, 200.0, 90.0, 140.0}) l.nodes.push_back({width, 30, false, 0, 0});
  for (size_t i = 0; i + 1 < 4; ++i) l.edges.push_back({i, i + 1, ""});
  place(l);
  for (const LayoutNode& n : l.nodes)
    EXPECT_NEAR(n.x + n.width / 2, l.nodes[0].x + l.nodes[0].width / 2, 0.5);
}

TEST(Layout, two_pairs_do_not_cross) {
  Layout l;
  for (int i = 0; i < 4; ++i) l.nodes.push_back({40, 20, false, 0, 0});
  l.edges = {{0, 3, ""}, {1, 2, ""}};
  place(l);
  EXPECT_EQ(l.nodes[0].x < l.nodes[1].x, l.nodes[3].x < l.nodes[2].x);
}

TEST(Layout, of_nothing_and_of_a_circle_ends) {
  Layout none;
  place(none);
  EXPECT_EQ(none.width, 0);
  Layout circle;
  circle.nodes.resize(3, {30, 20, false, 0, 0});
  circle.edges = {{0, 1, ""}, {1, 2, ""}, {2, 0, ""}, {1, 1, ""}};
  place(circle);
  EXPECT_GT(circle.height, 0);
}

TEST(Picture, of_a_layer_holds_its_ops_and_what_comes_and_goes) {
  const Graph g = parse_graph(layered_text(3));
  const std::vector<OpId> ops = ops_in_view(g, "layers.1");
  const Picture p = picture_of(g, ops);
  expect_sound(p.layout);
  size_t drawn = 0;
  for (const PictureBox& b : p.boxes) drawn += b.op.valid();
  EXPECT_EQ(drawn, ops.size());
  const std::string svg = svg_text(g, p);
  for (const char* text : {"linear · attn_q", "%angles", "%x0", "%kv1", "@1.q f32[8,8]", "</svg>"})
    EXPECT_NE(svg.find(text), std::string::npos) << text;
}

}  // namespace
}  // namespace lmc
