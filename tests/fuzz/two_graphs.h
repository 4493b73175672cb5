// Two small graphs for a pass that a fuzzer made.
#pragma once

#include "fuzz.h"
#include "ir/error.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/pattern/fusion.h"

namespace lmc::fuzz {

constexpr const char* kDecoder = R"(graph @g (%x: f32[T,8], %y: f32[T,8], %pos: i32[T], %kv: kv_f16[16,1,8]) {
  weight @n : f32[8]
  weight @q : f32[16,8]
  weight @k : f32[8,8]
  weight @v : f32[8,8]
  weight @b : f32[8]
  scope layers.0.attention
  %n = rms_norm(%x, @n) {eps=1e-06, offset=1}
  %q = linear(%n, @q) {role=attn_q}
  %k = linear(%n, @k, @b) {role=attn_k}
  %v = linear(%n, @v) {role=attn_v}
  %qh = reshape(%q) {shape=[2,8]}
  %kh = reshape(%k) {shape=[1,8]}
  %vh = reshape(%v) {shape=[1,8]}
  %kv1 = kv_append(%kv, %kh, %vh, %pos)
  %a = attention(%qh, %kv1, %pos) {scale=0.35, window=16}
  %s, %t = split(%a) {sizes=[8,8]}
  %g = gelu_tanh(%s)
  %m = mul(%g, %t)
  %r = add(%x, %m)
  %z = add(%r, %y)
  return %z, %kv1
})";
constexpr const char* kChain = R"(graph @g (%x: f32[T,4]) {
  %a = silu(%x)
  %b = tanh(%a)
  %c = add(%a, %b)
  %d = scale(%c) {by=2}
  return %d, %b
})";

// Runs the pass over both: a mistake in its texts is an Error, what applies leaves a sound graph.
inline void run_on_two_graphs(const FusionSpec& spec) {
  static const Graph decoder = parse_graph(kDecoder);
  static const Graph chain = parse_graph(kChain);
  const std::unique_ptr<Pass> pass = make_fusion(spec);
  for (const Graph* from : {&decoder, &chain}) {
    Graph g = from->clone();
    PassContext context;
    context.limit = 50;  // what a replacement makes may match again
    try {
      pass->run(g, context);
    } catch (const Error&) {
      continue;  // half done perhaps: the manager throws such a graph away
    }
    accepted = true;
    verify(g);
    const std::string text = print_graph(g);
    require(print_graph(parse_graph(text)) == text, "the text does not round-trip");
  }
}

}  // namespace lmc::fuzz
