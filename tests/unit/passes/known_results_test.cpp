// What the built-in passes must make of whole models, by the shapes of two published ones. No weights are
// read.
#include <gtest/gtest.h>

#include "ir/text.h"
#include "passes/engine/manager.h"

namespace lmc {
namespace {

struct Shape {
  int layers, dim, q, kv, ffn, vocab;
  bool gated;  // gate, up and down; else up and down, with biases, q, k and v being slices of one weight
};

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

// Ordinary ops stand for the attention: these passes look at projections only. What would be dead is
// returned.
const char* const kSliced = R"(
  %n# = rms_norm(%x#, @n#) {eps=1e-6}
  %q# = linear(%n#, slice(transpose(@c#)) {start=0, size=DIM}, slice(@cb#) {start=0, size=DIM}) {role=attn_q}
  %k# = linear(%n#, slice(transpose(@c#)) {start=DIM, size=DIM}, slice(@cb#) {start=DIM, size=DIM}) {role=attn_k}
  %v# = linear(%n#, slice(transpose(@c#)) {start=2DIM, size=DIM}, slice(@cb#) {start=2DIM, size=DIM}) {role=attn_v}
  %s# = add(%q#, %k#)
  %t# = add(%s#, %v#)
  %o# = linear(%t#, transpose(@o#), @ob#) {role=attn_o}
  %u# = linear(%o#, transpose(@u#), @ub#) {role=ffn_up}
  %a# = gelu_tanh(%u#)
  %x+ = linear(%a#, transpose(@d#), @ob#) {role=ffn_down}
)";
const char* const kGated = R"(
  %n# = rms_norm(%x#, @n#) {eps=1e-6}
  %q# = linear(%n#, @q#) {role=attn_q}
  %k# = linear(%n#, @k#) {role=attn_k}
  %v# = linear(%n#, @v#) {role=attn_v}
  %s# = add(%k#, %v#)
  %o# = linear(%q#, @o#) {role=attn_o}
  %r# = silu(%o#)
  %g# = linear(%r#, @g#) {role=ffn_gate}
  %u# = linear(%r#, @u#) {role=ffn_up}
  %a# = gelu_tanh(%g#)
  %h# = mul(%a#, %u#)
  %x+ = linear(%h#, @d#) {role=ffn_down}
)";

Graph model(const Shape& s) {
  const auto n = [](int i) { return std::to_string(i); };
  std::string weights = "  weight @embed : f32[" + n(s.vocab) + "," + n(s.dim) + "]\n";
  std::string body = "  %x0 = embedding(%tokens, @embed)\n";
  const auto weight = [&](const std::string& name, int i, const std::string& dims) {
    weights += "  weight @" + name + n(i) + " : f32[" + dims + "]\n";
  };
  for (int i = 0; i < s.layers; ++i) {
    weight("n", i, n(s.dim));
    if (s.gated) {
      weight("q", i, n(s.q) + "," + n(s.dim));
      weight("k", i, n(s.kv) + "," + n(s.dim));
      weight("v", i, n(s.kv) + "," + n(s.dim));
      weight("o", i, n(s.dim) + "," + n(s.q));
      weight("g", i, n(s.ffn) + "," + n(s.dim));
      weight("u", i, n(s.ffn) + "," + n(s.dim));
      weight("d", i, n(s.dim) + "," + n(s.ffn));
    } else {
      weight("c", i, n(s.dim) + "," + n(3 * s.dim));
      weight("cb", i, n(3 * s.dim));
      weight("o", i, n(s.dim) + "," + n(s.dim));
      weight("ob", i, n(s.dim));
      weight("u", i, n(s.dim) + "," + n(s.ffn));
      weight("ub", i, n(s.ffn));
      weight("d", i, n(s.ffn) + "," + n(s.dim));
    }
    const std::string layer = replace_all(s.gated ? kGated : kSliced, "2DIM", n(2 * s.dim));
    body += replace_all(replace_all(replace_all(layer, "DIM", n(s.dim)), "#", n(i)), "%x+", "%x" + n(i + 1));
  }
  std::string outputs = "%logits";
  if (s.gated) {
    for (int i = 0; i < s.layers; ++i) outputs += ", %s" + n(i);
  }
  return parse_graph("graph @m (%tokens: i32[T], %out_rows: i32[R]) {\n" + weights + body +
                     "  %r = select_rows(%x" + n(s.layers) +
                     ", %out_rows)\n  %logits = linear(%r, @embed) {role=lm_head}\n  return " + outputs +
                     "\n}\n");
}

std::map<std::string, PassReport> compile(Graph& g, const std::vector<std::string>& settings) {
  PassOptions o;
  o.repro_path.clear();
  o.only = std::vector<std::string>{"canonicalise", "fuse-qkv",    "fuse-gate-up", "fold-weights",
                                    "quantize",     "fuse-up-act", "fuse-down-act"};
  for (const std::string& s : settings) add_setting(o, s);
  std::map<std::string, PassReport> out;
  for (PassReport& r : run_passes(g, o)) out[r.pass] = std::move(r);
  return out;
}

const Shape kSlicedModel{12, 768, 768, 768, 3072, 50257, false};
const Shape kGatedModel{26, 1152, 1024, 256, 6912, 262144, true};

TEST(KnownResults, with_1024_the_sliced_model_keeps_its_48_attention_projections) {
  Graph g = model(kSlicedModel);
  auto r = compile(g, {"quantize.min_dim=1024"});
  EXPECT_EQ(r["fuse-qkv"].summary, "fused 12 QKV triples");
  EXPECT_EQ(r["fuse-gate-up"].summary, "fused 0 gate+up pairs");
  EXPECT_EQ(r["quantize"].summary, "quantized 25 of 73 projections to Q8_0");
  EXPECT_EQ(r["quantize"].ledger.size(), 73u);
}

TEST(KnownResults, with_768_all_73_are_quantised) {
  Graph g = model(kSlicedModel);
  EXPECT_EQ(compile(g, {"quantize.min_dim=768"})["quantize"].summary,
            "quantized 73 of 73 projections to Q8_0");
}

TEST(KnownResults, skipping_the_biased_variant_changes_no_count_of_projections) {
  Graph g = model(kSlicedModel);
  auto r = compile(g, {"quantize.min_dim=1024", "fuse-qkv.biased=skip"});
  EXPECT_EQ(r["fuse-qkv"].summary, "fused 0 QKV triples");
  EXPECT_EQ(r["quantize"].summary, "quantized 25 of 73 projections to Q8_0");
  EXPECT_EQ(r["quantize"].ledger.front().tensor(), "c0[0:768]");
}

TEST(KnownResults, fusing_the_slices_of_one_weight_leaves_no_concat_and_no_slice) {
  Graph g = model(kSlicedModel);
  compile(g, {});
  const std::string text = print_graph(g);
  EXPECT_EQ(text.find("concat"), std::string::npos);
  EXPECT_EQ(text.find("slice"), std::string::npos);
}

TEST(KnownResults, the_gated_model_quantises_183_of_183) {
  Graph g = model(kGatedModel);
  auto r = compile(g, {"quantize.min_dim=1024"});
  EXPECT_EQ(r["fuse-qkv"].summary, "fused 26 QKV triples");
  EXPECT_EQ(r["fuse-gate-up"].summary, "fused 26 gate+up pairs");
  EXPECT_EQ(r["quantize"].summary, "quantized 183 of 183 projections to Q8_0");
  EXPECT_EQ(r["fuse-up-act"].summary, "fused 26 activations with their up projection");
  EXPECT_EQ(r["fuse-down-act"].applications, 0);
}

TEST(KnownResults, sixty_two_layers_take_milliseconds) {
  Graph g = model({62, 128, 128, 64, 256, 512, true});
  double total = 0;
  for (const auto& [name, r] : compile(g, {})) total += r.milliseconds;
  // About 15 ms as released; the bound leaves room for sanitizers and a busy machine, not for a quadratic
  // pass.
  EXPECT_LT(total, 1000);
}

}  // namespace
}  // namespace lmc
