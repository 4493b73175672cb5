// What the manager guarantees whoever wrote the pass.
#include "passes/engine/manager.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "ir/op_def.h"
#include "ir/text.h"
#include "passes/pattern/match.h"
#include "tests/unit/temporary.h"

namespace lmc {
namespace {

const char* const kGraph = R"(graph @g (%x: f32[T,8]) {
  weight @q : f32[8,8]
  weight @k : f32[8,8]
  weight @v : f32[8,8]
  scope layers.0.attention
  %q = linear(%x, @q) {role=attn_q} : f32[T,8]
  %k = linear(%x, @k) {role=attn_k} : f32[T,8]
  %v = linear(%x, @v) {role=attn_v} : f32[T,8]
  return %q, %k, %v
}
)";

// Passes that misbehave, registered for these tests only; the pipeline runs them only by name.
class Bad : public Pass {
 public:
  Bad(std::string name, std::function<bool(Graph&)> body) : name_(std::move(name)), body_(std::move(body)) {}
  std::string name() const override { return name_; }
  std::string doc() const override { return "misbehaves"; }
  std::vector<std::string> after() const override { return {"kv-format", "fuse-down-act"}; }
  bool run(Graph& g, PassContext&) const override { return body_(g); }

 private:
  std::string name_;
  std::function<bool(Graph&)> body_;
};

OpId first_linear(const Graph& g) {
  for (OpId id : g.ops()) {
    if (g.op(id).def->name == "linear") return id;
  }
  return {};
}

const RegisterPass kLies(std::make_unique<Bad>("bad-claims-change", [](Graph&) { return true; }));
const RegisterPass kHides(std::make_unique<Bad>("bad-hides-change", [](Graph& g) {
  g.set_attr(first_linear(g), "role", std::string("other"));
  return false;
}));
const RegisterPass kBreaks(std::make_unique<Bad>("bad-types", [](Graph& g) {
  g.set_type(g.inputs()[0], Type{DType::f32, {kDimT, 9}});
  return true;
}));
const RegisterPass kSwaps(std::make_unique<Bad>("bad-swaps-k-and-v", [](Graph& g) {
  std::vector<ValueId> out = g.outputs();
  std::swap(out[1], out[2]);
  g.set_outputs(out);
  return true;
}));

std::string run_error(const std::string& pass, bool check = false) {
  Graph g = parse_graph(kGraph);
  PassOptions o;
  o.only = std::vector<std::string>{pass};
  o.check = check;
  o.repro_path = temporary("repro.lmir");
  std::filesystem::remove(o.repro_path);
  try {
    run_passes(g, o);
  } catch (const Error& e) {
    EXPECT_TRUE(std::filesystem::exists(o.repro_path));
    return e.what();
  }
  return "";
}

TEST(Manager, the_built_in_order_is_this) {
  std::vector<std::string> names;
  for (const Pass* p : ordered_passes()) {
    const bool built_in = origin_flags(p->name()).empty() && !p->name().starts_with("bad-");
    if (built_in) names.push_back(p->name());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"canonicalise", "fuse-qkv", "fuse-gate-up", "fold-weights",
                                             "quantize", "kv-format", "shard", "fuse-up-act", "fuse-softcap",
                                             "fuse-down-act", "fuse-residual", "fuse-attention-out",
                                             "fuse-norm-linear", "fuse-rope-append"}));
}

TEST(Manager, a_pass_on_request_runs_where_it_is_named) {
  const auto runs = [](const PassOptions& o) {
    const std::vector<const Pass*> passes = pipeline(o);
    return std::any_of(passes.begin(), passes.end(),
                       [](const Pass* p) { return p->name() == "fuse-rope-append"; });
  };
  PassOptions usual, enabled, only, both;
  enabled.enabled = {"fuse-rope-append"};
  only.only = std::vector<std::string>{"fuse-rope-append"};
  both.enabled = both.disabled = {"fuse-rope-append"};
  EXPECT_FALSE(runs(usual));
  EXPECT_TRUE(runs(enabled));
  EXPECT_TRUE(runs(only));
  EXPECT_FALSE(runs(both));
}

TEST(Manager, a_pass_that_lies_about_changing_the_graph_is_refused) {
  EXPECT_NE(run_error("bad-claims-change").find("says that it changed the graph, and did not"),
            std::string::npos);
  EXPECT_NE(run_error("bad-hides-change").find("changed the graph and says that it did not"),
            std::string::npos);
}

TEST(Manager, a_pass_that_leaves_the_graph_unsound_is_refused) {
  EXPECT_NE(run_error("bad-types").find("not sound"), std::string::npos);
}

TEST(Manager, the_numeric_gate_catches_a_wrong_pass) {
  EXPECT_EQ(run_error("bad-swaps-k-and-v"), "");
  EXPECT_NE(run_error("bad-swaps-k-and-v", true).find("it is exact, but results changed"), std::string::npos);
}

TEST(Manager, dumps_are_numbered_and_show_one_layer) {
  const std::string dir = temporary("dumps");
  std::filesystem::remove_all(dir);
  Graph g = parse_graph(kGraph);
  PassOptions o;
  o.only = std::vector<std::string>{"fuse-qkv", "quantize"};
  o.dump_dir = dir;
  run_passes(g, o);
  for (const char* name : {"000.import.lmir", "001.fuse-qkv.before.lmir", "001.fuse-qkv.after.lmir",
                           "002.quantize.before.lmir", "002.quantize.after.lmir"}) {
    EXPECT_TRUE(std::filesystem::exists(dir + "/" + name)) << name;
  }
}

TEST(Manager, pass_limit_stops_after_so_many_applications) {
  Graph g = parse_graph(kGraph);
  PassOptions o;
  o.only = std::vector<std::string>{"fuse-qkv"};
  o.limit = 0;
  EXPECT_FALSE(run_passes(g, o)[0].changed);
}

TEST(Manager, print_before_and_after_show_the_ir) {
  Graph g = parse_graph(kGraph);
  std::ostringstream out;
  PassOptions o;
  o.only = std::vector<std::string>{"fuse-qkv"};
  o.print_before = {"fuse-qkv"};
  o.print_after = {"all"};
  o.print_to = &out;
  run_passes(g, o);
  EXPECT_NE(out.str().find("// before fuse-qkv"), std::string::npos);
  EXPECT_NE(out.str().find("role=attn_qkv"), std::string::npos);
}

TEST(Manager, settings_of_unknown_passes_and_keys_are_refused) {
  PassOptions o;
  EXPECT_THROW(add_setting(o, "fuse-qkv.biasd=skip"), Error);
  EXPECT_THROW(add_setting(o, "nothing.key=1"), Error);
  EXPECT_THROW(add_setting(o, "fuse-qkv"), Error);
}

const RegisterPass kThrows(std::make_unique<Bad>("bad-throws",
                                                 [](Graph&) -> bool { throw std::out_of_range("map::at"); }));

TEST(Manager, an_exception_of_any_kind_names_the_pass_and_leaves_a_repro) {
  EXPECT_NE(run_error("bad-throws").find("pass bad-throws: map::at"), std::string::npos);
}

TEST(Manager, the_repro_replays_settings_and_limit) {
  Graph g = parse_graph(kGraph);
  PassOptions o;
  o.only = std::vector<std::string>{"kv-format"};
  o.limit = 3;
  o.repro_path = temporary("repro_settings.lmir");
  add_setting(o, "kv-format.format=q9");
  EXPECT_THROW(run_passes(g, o), Error);
  std::ifstream in(o.repro_path);
  std::string line;
  std::getline(in, line);
  EXPECT_NE(line.find("--passes=kv-format --set kv-format.format=q9 --pass-limit=3"), std::string::npos)
      << line;
}

TEST(Manager, the_limit_counts_over_all_passes) {
  for (int64_t limit : {0, 1, 2, 3}) {
    Graph g = parse_graph(kGraph);
    PassOptions o;
    o.only = std::vector<std::string>{"canonicalise", "fuse-qkv",  "fold-weights",
                                      "quantize",     "kv-format", "fuse-down-act"};
    o.limit = limit;
    int64_t applied = 0;
    for (const PassReport& r : run_passes(g, o)) applied += r.applications;
    EXPECT_EQ(applied, std::min<int64_t>(limit, 2)) << limit;  // one triple, one quantised projection
  }
}

TEST(Manager, simplifying_stops_at_the_limit_too) {
  Graph g = parse_graph(
      "graph @g (%x: f32[T,8]) {\n%a = scale(%x) {by=1}\n%b = scale(%a) {by=1}\n%y = tanh(%b)\nreturn %y\n}");
  PassOptions o;
  o.only = std::vector<std::string>{"canonicalise"};
  o.limit = 1;
  run_passes(g, o);
  EXPECT_EQ(print_graph(g).find("%a ="), std::string::npos);
  EXPECT_NE(print_graph(g).find("%b ="), std::string::npos);
}

TEST(Manager, ops_on_weights_alone_cost_a_step_nothing) {
  Graph g = parse_graph(kGraph);
  PassOptions o;
  o.only = std::vector<std::string>{"fuse-qkv", "quantize"};
  const PassReport quantise = run_passes(g, o)[1];
  EXPECT_EQ(quantise.ops_before, 2);  // the linear and the split, not the concat
  EXPECT_EQ(quantise.ops_after, 3);   // and the input's quantize, not the weight's
  EXPECT_EQ(quantise.weight_bytes_before, 24 * 8 * 4);
  EXPECT_EQ(quantise.weight_bytes_after, 24 * 34);
}

TEST(Manager, quantize_reports_its_error) {
  Graph g = parse_graph(kGraph);
  PassOptions o;
  o.only = std::vector<std::string>{"quantize"};
  o.check = true;
  const auto reports = run_passes(g, o);
  ASSERT_EQ(reports[0].checks.size(), 2u);
  EXPECT_EQ(reports[0].checks[1].tokens, 7);
  EXPECT_GT(reports[0].checks[1].max_abs, 0);
  EXPECT_GT(reports[0].checks[1].sqnr_db, 30);
  EXPECT_LT(reports[0].checks[1].sqnr_db, 60);
}

// Only a name and an order.
class Ordered : public Pass {
 public:
  Ordered(std::string name, std::vector<std::string> after, std::vector<std::string> before = {})
      : name_(std::move(name)), after_(std::move(after)), before_(std::move(before)) {}
  std::string name() const override { return name_; }
  std::string doc() const override { return ""; }
  std::vector<std::string> after() const override { return after_; }
  std::vector<std::string> before() const override { return before_; }
  bool run(Graph&, PassContext&) const override { return false; }

 private:
  std::string name_;
  std::vector<std::string> after_, before_;
};

TEST(Manager, the_order_does_not_depend_on_the_order_of_registration) {
  const Ordered a("a", {"c"});
  const Ordered b("b", {});
  const Ordered c("c", {}, {"b"});
  const Ordered d("d", {"a", "nobody"});
  const std::vector<const Pass*> expected{&c, &a, &b, &d};
  EXPECT_EQ(order_passes({&a, &b, &c, &d}), expected);
  EXPECT_EQ(order_passes({&d, &c, &b, &a}), expected);
}

TEST(Manager, a_circle_and_two_passes_of_one_name_are_errors) {
  const Ordered a("a", {"b"});
  const Ordered b("b", {"a"});
  EXPECT_THROW(order_passes({&a, &b}), Error);
  EXPECT_THROW(order_passes({&a, &a}), Error);
}

TEST(Matcher, commutative_operands_match_both_ways) {
  const Graph g =
      parse_graph("graph @g (%x: f32[T,4], %z: f32[T,4]) {\n%a = silu(%x)\n%y = mul(%z, %a)\nreturn %y\n}");
  const Pattern p("%h = mul(%a, %up)\n%a = silu(%gate)", "test");
  const auto m = p.match_at(g, p.anchors(g).at(0), nullptr);
  ASSERT_TRUE(m);
  EXPECT_EQ(g.value((*m)["up"]).name, "z");
}

TEST(Matcher, a_variable_stands_for_one_value_everywhere) {
  const Graph g = parse_graph("graph @g (%x: f32[T,4], %z: f32[T,4]) {\n%y = mul(%x, %z)\nreturn %y\n}");
  const Pattern p("%y = mul(%a, %a)", "test");
  EXPECT_FALSE(p.match_at(g, p.anchors(g).at(0), nullptr));
}

TEST(Matcher, a_near_miss_says_what_refused) {
  const Graph g = parse_graph(
      "graph @g (%x: f32[T,4]) {\nweight @w : f32[4,4]\n%q = linear(%x, @w) {role=attn_q}\n%k = linear(%x, "
      "@w) {role=other}\nreturn %q, %k\n}");
  const Pattern p("%q = linear(%x, %a) {role=attn_q}\n%k = linear(%x, %b) {role=attn_k}", "test");
  std::string near;
  EXPECT_FALSE(p.match_at(g, p.anchors(g).at(0), &near));
  EXPECT_NE(near.find("role is other, not attn_k"), std::string::npos) << near;
}

}  // namespace
}  // namespace lmc
