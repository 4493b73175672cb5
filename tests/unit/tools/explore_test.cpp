// The tables behind lmc explore: small, whatever the number of layers, and true.
#include <gtest/gtest.h>

#include <set>

#include "ir/op_def.h"
#include "ir/text.h"
#include "tests/unit/ir/layers.h"
#include "tools/graphs/explore/page.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

PassOptions quiet() {
  PassOptions o;
  o.repro_path = "";
  return o;
}

Json explored(int layers) {
  const PipelineRecord r = record_pipeline(parse_graph(layered_text(layers, 4)), quiet());
  return explore_json(r, std::nullopt, {});
}

// The ops of a part as the page names them.
std::vector<std::string> names_in(const Json& page, size_t part) {
  std::vector<std::string> out;
  const Json& p = page["parts"][part];
  for (const Json& op : page["kinds"][p[0].get<size_t>()]["ops"])
    out.push_back("%" + p[3][op["out"][0].get<size_t>()].get<std::string>());
  return out;
}

TEST(Explore, every_state_names_every_op_once) {
  const PipelineRecord r = record_pipeline(parse_graph(layered_text(6, 4)), quiet());
  const Json page = explore_json(r, std::nullopt, {});
  ASSERT_EQ(page["states"].size(), r.states.size());
  for (size_t s = 0; s < r.states.size(); ++s) {
    std::multiset<std::string> shown, real;
    for (const Json& part : page["states"][s]["parts"]) {
      for (const std::string& name : names_in(page, part.get<size_t>())) shown.insert(name);
    }
    for (OpId id : r.states[s].ops()) real.insert("%" + r.states[s].value(r.states[s].result(id)).name);
    EXPECT_EQ(shown, real) << s;
  }
}

TEST(Explore, rows_hold_every_op_of_both_sides_once) {
  const Json page = explored(6);
  ASSERT_FALSE(page["diffs"].empty());
  for (const Json& diff : page["diffs"]) {
    for (const Json& group : diff["groups"]) {
      for (const Json& member : group["members"]) {
        for (size_t side : {0U, 1U}) {
          std::set<int> seen;
          size_t cells = 0;
          for (const Json& row : page["rows"][group["rows"].get<size_t>()]) {
            if (row[side] < 0) continue;
            ++cells;
            seen.insert(row[side].get<int>());
          }
          const size_t ops = member[side] < 0 ? 0 : names_in(page, member[side].get<size_t>()).size();
          EXPECT_EQ(cells, ops);
          EXPECT_EQ(seen.size(), ops);
        }
      }
    }
  }
}

TEST(Explore, layers_cost_little) {
  const size_t few = explored(8).dump().size();
  const size_t many = explored(80).dump().size();
  EXPECT_LT(many - few, 72 * 7000U);  // lowered to kernels, which reach over the border of layers
}

TEST(Explore, kernels_belong_to_ops) {
  const PipelineRecord r = record_pipeline(parse_graph(R"(graph @g (%tokens: i32[T], %out_rows: i32[R]) {
  weight @embed : f32[64,32]
  weight @up : f32[64,32]
  weight @down : f32[32,64]
  scope embed
  %x = embedding(%tokens, @embed)
  scope layers.0.ffn
  %u = linear(%x, @up) {role=ffn_up}
  %a = silu(%u)
  %d = linear(%a, @down) {role=ffn_down}
  %y = add(%x, %d)
  scope head
  %r = select_rows(%y, %out_rows)
  %logits = linear(%r, @embed) {role=lm_head}
  return %logits
})"),
                                           quiet());
  const KernelMap kernels = kernels_of(r.states.back(), MachineFigures{}, 0);
  EXPECT_EQ(kernels.obstacle, "");
  EXPECT_GT(kernels.stages, 3);
  const Graph& g = r.states.back();
  for (OpId id : g.ops()) {
    if (g.op(id).def->name != "linear") continue;
    ASSERT_GE(kernels.kernel[id], 0);
    const std::string& label = kernels.labels[static_cast<size_t>(kernels.kernel[id])];
    EXPECT_NE(label.find(attr_string(g.op(id), "role")), std::string::npos) << label;
  }
}

TEST(Explore, a_graph_without_a_plan_says_why_and_is_shown_all_the_same) {
  const PipelineRecord r =
      record_pipeline(parse_graph("graph @g (%x: f32[T,4]) {\n %y = silu(%x)\n return %y\n}"), quiet());
  const Json page = explore_json(r, std::nullopt, {});
  EXPECT_EQ(page["states"][0]["totals"]["ops"], 1);
  EXPECT_TRUE(page["kernels"].contains("obstacle") || page["states"][0]["totals"]["kernels"] >= 1);
  const Graph empty = parse_graph("graph @empty (%x: f32[T,4]) {\n return %x\n}");
  EXPECT_NO_THROW(explore_json(record_pipeline(empty.clone(), quiet()), std::nullopt, {}));
}

TEST(Explore, the_page_is_whole_and_loads_nothing) {
  const std::string page =
      explore_page(record_pipeline(parse_graph(layered_text(2)), quiet()), std::nullopt, {});
  EXPECT_TRUE(page.starts_with("<!doctype html>"));
  EXPECT_TRUE(page.ends_with("</html>\n"));
  for (const char* hole : {"/*DATA*/", "/*STYLE*/", "/*SCRIPT*/", "src=", "href=", "http"})
    EXPECT_EQ(page.find(hole), std::string::npos) << hole;
}

}  // namespace
}  // namespace lmc
