// Two passes that want the same op: the price decides, and the report says by how much.
#include "passes/engine/rivals.h"

#include <gtest/gtest.h>

#include "ir/text.h"
#include "passes/pattern/fusion.h"

namespace lmc {
namespace {

// The activation between two others belongs to one of them.
LMC_FUSION(bad_rival_left, "joins an activation with what is in front of it")
    .summary("joined {} to the left")
    .before("bad-rival-right")
    .match("%y = tanh(%a)\n%a = silu(%x)")
    .group("left");
LMC_FUSION(bad_rival_right, "joins an activation with what is behind it")
    .summary("joined {} to the right")
    .rival("bad-rival-left")
    .match("%z = relu(%y)\n%y = tanh(%a)")
    .group("right");

const char* const kGraph =
    "graph @g (%x: f32[T,4]) {\n  %a = silu(%x)\n  %y = tanh(%a)\n  %z = relu(%y)\n  %b = silu(%z)\n"
    "  %c = tanh(%b)\n  %d = relu(%c)\n  return %d\n}\n";

int64_t groups(const Graph& g, const std::string& name) {
  int64_t out = 0;
  for (OpId id : g.ops()) out += g.op(id).body && attr_string(g.op(id), "name") == name;
  return out;
}

// A group called so costs so much; everything else one.
std::vector<std::string> summaries(double left, double right, PassOptions o = {}) {
  Graph g = parse_graph(kGraph);
  o.only = std::vector<std::string>{"bad-rival-left", "bad-rival-right"};
  o.repro_path.clear();
  o.check = true;
  if (left > 0) {
    o.price = [=](const Graph& now) {
      return 90 + left * static_cast<double>(groups(now, "left")) +
             right * static_cast<double>(groups(now, "right"));
    };
  }
  std::vector<std::string> out;
  for (const PassReport& r : run_passes(g, o)) out.push_back(r.summary);
  return out;
}

TEST(Rivals, the_cheaper_of_two_comes_first_and_says_so) {
  EXPECT_EQ(summaries(5, 6),
            (std::vector<std::string>{"joined 2 to the left (bad-rival-right: 2 candidates, 2.0% dearer)",
                                      "joined 0 to the right"}));
  EXPECT_EQ(summaries(10, 5),
            (std::vector<std::string>{"joined 2 to the right (bad-rival-left: 2 candidates, 10.0% dearer)",
                                      "joined 0 to the left"}));
  EXPECT_EQ(summaries(5, 5)[0], "joined 2 to the left (bad-rival-right: 2 candidates, no dearer)");
}

TEST(Rivals, without_a_price_the_order_decides) {
  EXPECT_EQ(summaries(0, 0), (std::vector<std::string>{"joined 2 to the left", "joined 0 to the right"}));
  PassOptions failing;
  failing.price = [](const Graph&) -> double { throw Error("there is no plan for it"); };
  EXPECT_EQ(summaries(0, 0, failing)[0], "joined 2 to the left");
}

TEST(Rivals, a_limit_counts_what_is_applied_not_what_is_tried) {
  PassOptions o;
  o.limit = 1;
  EXPECT_EQ(summaries(10, 5, o)[0], "joined 1 to the right (bad-rival-left: 2 candidates, 10.0% dearer)");
}

TEST(Rivals, passes_that_do_not_meet_are_not_priced) {
  Graph g = parse_graph(
      "graph @g (%x: f32[T,4]) {\n  %a = silu(%x)\n  %y = tanh(%a)\n  %b = tanh(%x)\n  %z = relu(%b)\n"
      "  return %y, %z\n}\n");
  PassOptions o;
  o.only = std::vector<std::string>{"bad-rival-left", "bad-rival-right"};
  o.price = [](const Graph&) -> double {
    ADD_FAILURE() << "priced";
    return 1;
  };
  const std::vector<PassReport> r = run_passes(g, o);
  EXPECT_EQ(r[0].summary, "joined 1 to the left");
  EXPECT_EQ(r[1].summary, "joined 1 to the right");
}

}  // namespace
}  // namespace lmc
