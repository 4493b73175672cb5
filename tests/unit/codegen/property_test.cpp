// Every class of kernel against the evaluator: random groups, odd shapes, T from 1 to 130, extreme int8
// values.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "codegen/codegen.h"
#include "codegen/layout.h"
#include "codegen/target.h"
#include "ir/eval.h"
#include "ir/op_def.h"
#include "ir/text.h"
#include "runtime/sampler.h"
#include "runtime/session.h"
#include "side_by_side.h"

namespace lmc {
namespace {

// Weights that are functions of their names.
class SeededWeights : public WeightSource {
 public:
  explicit SeededWeights(const Graph& g) : g_(g) {}
  std::optional<Type> type(const std::string& name) const override { return g_.type(g_.find_weight(name)); }
  void read(const std::string& name, int64_t first, std::span<float> out) const override {
    for (size_t i = 0; i < out.size(); ++i) {
      const uint64_t random = mix(std::hash<std::string>()(name) + static_cast<size_t>(first) + i);
      const auto step = static_cast<int>(random % 129) - 64;
      // Now and then a block's largest value, so that int8 reaches its ends.
      out[i] = (random >> 32) % 37 == 0 ? (step < 0 ? -1.0F : 1.0F) : static_cast<float>(step) / 128.0F;
    }
  }

 private:
  // SplitMix64, one step.
  static uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  const Graph& g_;
};

// Compiles `text`, whose inputs are tokens, pos and out_rows, and compares all its logits with the evaluator.
void expect_agreement(const std::string& text, int64_t tokens, double tolerance,
                      const std::string& target = "native") {
  SCOPED_TRACE("T=" + std::to_string(tokens) + "\n" + text);
  Graph g = parse_graph(text);
  const SeededWeights source(g);
  std::vector<int32_t> ids;
  const int64_t limit =
      std::min<int64_t>(11, g.type(g.outputs()[0]).last());  // a vocabulary as wide as the logits
  for (int64_t i = 0; i < tokens; ++i) ids.push_back(static_cast<int32_t>(i * 7 % limit));
  const Tensor want = evaluate(g, step_inputs(ids, true), source)[0];

  add_packing(g);
  CodegenOptions options;
  options.target = target;
  options.context = 256;
  options.prefill_tokens = 48;
  const CodegenResult code = generate(g, options);
  const LoadedKernels kernels(code.object);
  const WeightPacker packer(code.graph, code.packs, source);
  std::vector<std::vector<std::byte>> memory;
  std::vector<const void*> weights;
  for (size_t w = 0; w < packer.weights(); ++w) {
    memory.push_back(packer.pack(w, 64));
    weights.push_back(memory.back().data());
  }
  const auto functions = [&](const StepPlan& step) {
    std::vector<KernelFn> out;
    for (const PlanStage& s : step.stages) out.push_back(reinterpret_cast<KernelFn>(kernels.find(s.symbol)));
    return out;
  };
  std::vector<float> first;
  for (int64_t block : {int64_t{0}, int64_t{1}, int64_t{13}}) {
    SessionOptions o;
    o.threads = 1;
    o.block = block;
    o.schedule = Schedule::shuffled;
    Session s(code.plan, functions(code.plan.decode), functions(code.plan.prefill), weights, o);
    std::vector<float> got;
    s.forward(ids, Rows::all, [&](int64_t, int64_t rows, const float* l) {
      got.insert(got.end(), l, l + rows * code.plan.vocab);
    });
    ASSERT_EQ(got.size(), want.data.size());
    if (first.empty()) first = got;
    EXPECT_EQ(first, got) << "the bits depend on the block";
    if (block == 0) {
      o.threads = 3;
      o.schedule = Schedule::graph;
      Session several(code.plan, functions(code.plan.decode), functions(code.plan.prefill), weights, o);
      EXPECT_EQ(first, all_logits(several, ids)) << "the bits depend on the threads";
    }
    if (code.plan.decode.best_stage < 0) continue;
    // Asked for the likeliest token alone, a step names the same without writing logits.
    s.reset();
    const auto vocab = static_cast<size_t>(code.plan.vocab);
    for (size_t i = 0; i < ids.size(); ++i)
      EXPECT_EQ(s.next(std::span(ids).subspan(i, 1)), greedy(std::span(first).subspan(i * vocab, vocab)));
  }
  Session s(code.plan, functions(code.plan.decode), functions(code.plan.prefill), weights, {.threads = 1});
  std::vector<std::vector<int32_t>> texts = {ids};
  for (int64_t length : {tokens / 2, int64_t{1}, tokens - 1, tokens / 3, tokens}) {
    auto& text = texts.emplace_back();
    for (int64_t i = 0; i < std::max<int64_t>(length, 1); ++i)
      text.push_back(static_cast<int32_t>((i * 5 + static_cast<int64_t>(texts.size())) % limit));
  }
  std::vector<std::vector<float>> alone;
  for (const auto& text : texts) alone.push_back(all_logits(s, text));
  expect_alone_and_side_by_side_alike(s, texts, alone, 4);
  double scale = 1e-3;
  for (double v : want.data) scale = std::max(scale, std::fabs(v));
  for (size_t i = 0; i < first.size(); ++i)
    ASSERT_NEAR(first[i], want.data[i], tolerance * scale) << "element " << i;
}

std::string num(int64_t n) { return std::to_string(n); }

std::string model(int64_t dim, const std::string& weights, const std::string& body,
                  const std::string& result = "%y", const std::string& caches = "") {
  return "graph @g (%tokens: i32[T], %pos: i32[T], %out_rows: i32[R]" + caches +
         ") {\n  weight @embed : f32[11," + num(dim) + "]\n" + weights +
         "  %x = embedding(%tokens, @embed)\n" + body + "  %r = select_rows(" + result + ", %out_rows)\n" +
         "  %logits = scale(%r) {by=1.5}\n  return %logits\n}\n";
}

TEST(Kernels, linear_f32_of_any_shape_agrees) {
  for (auto [k, n] :
       {std::pair<int64_t, int64_t>{1, 1}, {3, 7}, {8, 8}, {33, 9}, {64, 40}, {100, 257}, {7, 300}}) {
    const std::string w =
        "  weight @w : f32[" + num(n) + "," + num(k) + "]\n  weight @b : f32[" + num(n) + "]\n";
    for (int64_t t : {1, 2, 5, 48, 61}) expect_agreement(model(k, w, "  %y = linear(%x, @w, @b)\n"), t, 1e-5);
  }
}

TEST(Kernels, linear_q8_0_of_any_shape_agrees) {
  for (auto [k, n] :
       {std::pair<int64_t, int64_t>{1, 1}, {31, 5}, {32, 8}, {33, 9}, {96, 70}, {257, 24}, {64, 1200}}) {
    const std::string w = "  weight @w : bf16[" + num(n) + "," + num(k) + "]\n";
    for (int64_t t : {1, 3, 47, 130}) {
      expect_agreement(model(k, w, "  %q = quantize(%x)\n  %qw = quantize(@w)\n  %y = linear(%q, %qw)\n"), t,
                       1e-5);
    }
  }
}

TEST(Kernels, linear_of_four_bits_and_any_shape_agrees) {
  for (const std::string format : {"q4_0", "q4_k"}) {
    for (auto [k, n] : {std::pair<int64_t, int64_t>{1, 1}, {33, 9}, {257, 24}, {600, 200}}) {
      const std::string w = "  weight @w : bf16[" + num(n) + "," + num(k) + "]\n";
      const std::string body =
          "  %q = quantize(%x)\n  %qw = quantize(@w) {format=" + format + "}\n  %y = linear(%q, %qw)\n";
      expect_agreement(model(k, w, body), 47, 1e-5);  // in blocks of one, too
    }
  }
}

TEST(Kernels, linear_of_half_precision_and_any_shape_agrees) {
  for (const std::string format : {"f16", "bf16"}) {
    for (auto [k, n] : {std::pair<int64_t, int64_t>{1, 1}, {3, 7}, {33, 9}, {100, 257}}) {
      const std::string w = "  weight @w : f32[" + num(n) + "," + num(k) + "]\n";
      const std::string body = "  %qw = quantize(@w) {format=" + format + "}\n  %y = linear(%x, %qw)\n";
      expect_agreement(model(k, w, body), 48, 1e-5);
    }
  }
}

TEST(Kernels, a_rounded_table_is_read_by_lookup_and_projection_alike) {
  for (const std::string format : {"q8_0", "q4_0", "q4_k", "f16"}) {
    for (int64_t dim : {40, 300}) {
      const std::string text =
          "graph @g (%tokens: i32[T], %pos: i32[T], %out_rows: i32[R]) {\n  weight @embed : bf16[19," +
          num(dim) + "]\n  %t = quantize(@embed) {format=" + format +
          "}\n  %x = embedding(%tokens, %t)\n  %r = select_rows(%x, %out_rows)\n" +
          (format == "f16" ? "  %logits = linear(%r, %t)\n"
                           : "  %q = quantize(%r)\n  %logits = linear(%q, %t)\n") +
          "  return %logits\n}\n";
      expect_agreement(text, 9, 1e-4);
    }
  }
}

TEST(Kernels, a_head_of_any_size_names_its_largest_logit) {
  for (int64_t vocab : {1, 5, 8, 31, 64, 700}) {
    for (const bool capped : {false, true}) {
      const std::string text =
          "graph @g (%tokens: i32[T], %pos: i32[T], %out_rows: i32[R]) {\n  weight @embed : f32[11,40]\n"
          "  weight @w : f32[" +
          num(vocab) + ",40]\n  %x = embedding(%tokens, @embed)\n  %r = select_rows(%x, %out_rows)\n" +
          (capped ? "  %logits = group(%r, @w) {name=head} : f32[R," + num(vocab) +
                        "] {\n    inputs (%r: f32[R,40], %w: f32[" + num(vocab) +
                        ",40])\n    %l = linear(%r, %w)\n    %c = softcap(%l) {cap=2}\n    return %c\n  }\n"
                  : std::string("  %logits = linear(%r, @w)\n")) +
          "  return %logits\n}\n";
      expect_agreement(text, 5, 2e-5);
    }
  }
}

TEST(Kernels, norms_of_any_width_agree) {
  for (int64_t n : {1, 2, 7, 8, 9, 63, 100}) {
    const std::string w = "  weight @w : f16[" + num(n) + "]\n  weight @b : bf16[" + num(n) + "]\n";
    expect_agreement(model(n, w, "  %y = rms_norm(%x, @w) {eps=1e-6, offset=1}\n"), 5, 1e-5);
    expect_agreement(model(n, w, "  %y = layer_norm(%x, @w, @b) {eps=1e-3}\n"), 5, 1e-4);
  }
}

TEST(Kernels, attention_over_rings_windows_and_grouped_heads_agrees) {
  struct Case {
    int64_t heads, kv_heads, dim, window, tokens;
    const char* cache;
    double softcap, alibi;
  };
  for (const Case& c : {Case{1, 1, 1, 0, 3, "kv_f32", 0, 0}, Case{4, 2, 12, 0, 130, "kv_f32", 0, 0},
                        Case{3, 1, 20, 5, 130, "kv_f32", 0, 0}, Case{2, 2, 9, 33, 100, "kv_f16", 0, 0},
                        Case{4, 1, 32, 64, 200, "kv_f16", 0, 0}, Case{2, 1, 16, 7, 60, "kv_f32", 5, 0},
                        Case{6, 3, 8, 0, 200, "kv_f32", 0, 0.5}, Case{2, 1, 8, 9, 40, "kv_f32", 3, 1}}) {
    const int64_t width = (c.heads + 2 * c.kv_heads) * c.dim;
    const int64_t q = c.heads * c.dim;
    const int64_t kv = c.kv_heads * c.dim;
    const std::string body =
        "  %q, %k, %v = split(%x) {sizes=[" + num(q) + "," + num(kv) + "," + num(kv) +
        "]}\n  %qh = reshape(%q) {shape=[" + num(c.heads) + "," + num(c.dim) +
        "]}\n  %kh = reshape(%k) {shape=[" + num(c.kv_heads) + "," + num(c.dim) +
        "]}\n  %vh = reshape(%v) {shape=[" + num(c.kv_heads) + "," + num(c.dim) + "]}\n" +
        (c.dim % 2 == 0 ? "  %an = rope_angles(%pos) {dims=" + num(c.dim) +
                              ", theta=10000, factor=2}\n  %qr = rope(%qh, %an)\n"
                        : std::string("  %qr = scale(%qh) {by=1}\n")) +
        "  %kv1 = kv_append(%kv, %kh, %vh, %pos)\n  %y = attention(%qr, %kv1, %pos) {scale=0.5, window=" +
        num(c.window) + ", softcap=" + std::to_string(c.softcap) + ", alibi=" + std::to_string(c.alibi) +
        "}\n";
    const std::string cache = std::string(", %kv: ") + c.cache + "[" + num(c.window > 0 ? c.window : 256) +
                              "," + num(c.kv_heads) + "," + num(c.dim) + "]";
    expect_agreement(model(width, "", body, "%y", cache), c.tokens, 2e-5);
  }
}

TEST(Kernels, rows_taken_from_every_block_of_a_weight_agree) {
  const std::string w = "  weight @w : bf16[30,12]\n  weight @b : f32[30]\n";
  expect_agreement(
      model(12, w,
            "  %y = linear(%x, slice(@w) {start=2, size=3, every=6}, slice(@b) {start=2, size=3, "
            "every=6})\n"),
      9, 1e-5);
  // Parts of such rows, and columns.
  expect_agreement(
      model(12, w, "  %y = linear(%x, slice(slice(@w) {start=1, size=4, every=10}) {start=3, size=6})\n"), 5,
      1e-5);
  expect_agreement(model(20, "  weight @w : f32[12,30]\n",
                         "  %y = linear(%x, slice(@w) {axis=1, start=1, size=2, every=3})\n"),
                   5, 1e-5);
}

TEST(Kernels, rotation_in_bands_of_frequency_agrees) {
  expect_agreement(
      model(40, "",
            "  %h = reshape(%x) {shape=[2,20]}\n  %an = rope_angles(%pos) {dims=20, theta=500, factor=8, "
            "low_freq_factor=1, high_freq_factor=4, original=32}\n  %p = rope(%h, %an)\n"
            "  %y = reshape(%p) {shape=[40]}\n"),
      40, 1e-5);
}

TEST(Kernels, partial_rotation_leaves_the_rest_alone) {
  expect_agreement(model(40, "",
                         "  %h = reshape(%x) {shape=[2,20]}\n  %an = rope_angles(%pos) {dims=6, theta=100}\n "
                         " %p = rope(%h, %an)\n"
                         "  %y = reshape(%p) {shape=[40]}\n"),
                   9, 1e-5);
}

// A random chain of elementwise ops over %x and a vector, as text.
std::string random_chain(std::mt19937& random, const std::string& from, const std::string& other, int length,
                         std::string& last) {
  static const char* const unary[] = {"gelu_tanh", "gelu_erf", "silu", "relu", "tanh"};
  std::string out;
  last = from;
  for (int i = 0; i < length; ++i) {
    const std::string name = "%c" + std::to_string(random());
    switch (random() % 5) {
      case 0:
        out += "  " + name + " = add(" + last + ", " + other + ")\n";
        break;
      case 1:
        out += "  " + name + " = mul(" + last + ", @vector)\n";
        break;
      case 2:
        out += "  " + name + " = scale(" + last + ") {by=0.75}\n";
        break;
      case 3:
        out += "  " + name + " = softcap(" + last + ") {cap=3}\n";
        break;
      default:
        out += "  " + name + " = " + unary[random() % 5] + "(" + last + ")\n";
    }
    last = name;
  }
  return out;
}

TEST(Kernels, random_groups_agree) {
  std::mt19937 random(7);
  for (int round = 0; round < 40; ++round) {
    const auto n = static_cast<int64_t>(random() % 90 + 1);
    const bool quantised = random() % 2 == 0;
    const bool norm_after = random() % 2 == 0;
    const auto prologue = static_cast<int>(random() % 4);
    const auto epilogue = static_cast<int>(random() % 4);
    std::string last;
    std::string body = "    inputs (%a: f32[T," + num(n) + "], %w: " + (quantised ? "q8_0" : "f32") + "[" +
                       num(n) + "," + num(n) + "], %vec: f32[" + num(n) + "])\n";
    std::string chain = random_chain(random, "%a", "%a", prologue, last);
    body += chain;
    if (quantised) {
      body += "    %q = quantize(" + last + ")\n";
      last = "%q";
    }
    body += "    %l = linear(" + last + ", %w)\n";
    body += random_chain(random, "%l", "%a", epilogue, last);
    if (norm_after) {
      body += "    %nn = rms_norm(" + last + ", %vec) {eps=1e-5}\n    %ad = add(%nn, %a)\n";
      last = "%ad";
    }
    for (size_t at = 0; (at = body.find("@vector", at)) != std::string::npos;) body.replace(at, 7, "%vec");
    const std::string weights =
        "  weight @w : f32[" + num(n) + "," + num(n) + "]\n  weight @vector : f32[" + num(n) + "]\n";
    const std::string group = std::string(quantised ? "  %qw = quantize(@w)\n" : "") + "  %y = group(%x, " +
                              (quantised ? "%qw" : "@w") + ", @vector) {name=random} : f32[T," + num(n) +
                              "] {\n" + body + "    return " + last + "\n  }\n";
    // Activations that are quantised may fall on either side of a tie.
    expect_agreement(model(n, weights, group), static_cast<int64_t>(random() % 60 + 1),
                     quantised ? 2e-2 : 2e-4);
  }
}

// In a step of one token each worker computes these rows for itself; what others read is still there for
// them.
TEST(Kernels, rows_in_front_of_a_linear_that_others_read_too_agree) {
  for (int64_t n : {1, 9, 40, 100}) {
    for (const bool quantised : {false, true}) {
      const std::string w =
          "  weight @w : f32[" + num(n) + "," + num(n) + "]\n  weight @g : f32[" + num(n) + "]\n";
      const std::string dims = "," + num(n) + "]";
      const std::string body =
          std::string(quantised ? "  %qw = quantize(@w)\n" : "") + "  %s, %y1 = group(%x, " +
          (quantised ? "%qw" : "@w") + ", @g) {name=norm} : f32[T" + dims + ", f32[T" + dims +
          " {\n    inputs (%a: f32[T" + dims + ", %w: " + (quantised ? "q8_0[" : "f32[") + num(n) + dims +
          ", %g: f32[" + num(n) + "])\n    %t = tanh(%a)\n    %s = add(%a, %t)\n" +
          "    %n = rms_norm(%s, %g) {eps=1e-6}\n" +
          (quantised ? "    %q = quantize(%n)\n    %l = linear(%q, %w)\n" : "    %l = linear(%n, %w)\n") +
          "    %z = add(%l, %s)\n    return %s, %z\n  }\n  %y = add(%s, %y1)\n";
      for (int64_t t : {1, 20}) expect_agreement(model(n, w, body), t, quantised ? 2e-2 : 2e-4);
    }
  }
}

TEST(Kernels, rows_chosen_in_front_of_the_last_linear_agree) {
  const std::string text =
      "graph @g (%tokens: i32[T], %pos: i32[T], %out_rows: i32[R]) {\n  weight @embed : f32[11,40]\n"
      "  weight @w : f32[11,40]\n  weight @g : f32[40]\n  %x = embedding(%tokens, @embed)\n"
      "  %logits = group(%x, %out_rows, @w, @g) {name=head} : f32[R,11] {\n"
      "    inputs (%a: f32[T,40], %rows: i32[R], %w: f32[11,40], %g: f32[40])\n    %s = add(%a, %a)\n"
      "    %r = select_rows(%s, %rows)\n    %n = rms_norm(%r, %g) {eps=1e-6}\n    %l = linear(%n, %w)\n"
      "    %c = softcap(%l) {cap=2}\n    return %c\n  }\n  return %logits\n}\n";
  for (int64_t t : {1, 20}) expect_agreement(text, t, 2e-5);
}

TEST(Kernels, attention_in_one_group_with_its_projection_agrees) {
  for (const bool quantised : {false, true}) {
    const std::string w = "  weight @w : f32[32,32]\n";
    const std::string body =
        std::string(quantised ? "  %qw = quantize(@w)\n" : "") +
        "  %h = reshape(%x) {shape=[4,8]}\n  %kv1 = kv_append(%kv, %h, %h, %pos)\n  %y = group(%h, %kv1, "
        "%pos, " +
        (quantised ? "%qw" : "@w") + ", %x) {name=out} : f32[T,32] {\n    inputs (%h: f32[T,4,8], %kv: " +
        "kv_f32[256,4,8], %p: i32[T], %w: " + (quantised ? "q8_0" : "f32") + "[32,32], %r: f32[T,32])\n" +
        "    %a = attention(%h, %kv, %p) {scale=0.5}\n" +
        (quantised ? "    %q = quantize(%a)\n    %l = linear(%q, %w)\n" : "    %l = linear(%a, %w)\n") +
        "    %s = add(%r, %l)\n    return %s\n  }\n";
    for (int64_t t : {1, 150}) {
      expect_agreement(model(32, w, body, "%y", ", %kv: kv_f32[256,4,8]"), t, quantised ? 2e-2 : 2e-4);
    }
  }
}

// A router and a gated network of `experts`, of which each token takes `chosen`; with the activation in one
// group with the projection in front of it or behind it, as the passes do, or in none.
enum class With { none, up, down };

// `format` of the experts' weights: what bf16 ones are quantised to, or bf16 or f32, as they come. Where the
// router is `even`, all experts look alike to it: it always picks the first ones.
std::string experts_text(int64_t dim, int64_t ffn, int64_t experts, int64_t chosen, const std::string& format,
                         With with, bool even) {
  const bool quantised = format.starts_with("q");
  std::string weights = "  weight @router : f32[" + num(experts) + "," + num(dim) + "]\n";
  const std::string from = format == "f32" ? " : f32[" : " : bf16[";
  std::string gates, ups, downs;
  for (int64_t e = 0; e < experts; ++e) {
    const std::string comma = e > 0 ? ", @" : "@";
    weights += "  weight @g" + num(e) + from + num(ffn) + "," + num(dim) + "]\n  weight @u" + num(e) + from +
               num(ffn) + "," + num(dim) + "]\n  weight @d" + num(e) + from + num(dim) + "," + num(ffn) +
               "]\n";
    gates += comma + "g" + num(e);
    ups += comma + "u" + num(e);
    downs += comma + "d" + num(e);
  }
  const std::string q = quantised ? "q" : "";
  const std::string x_type = (quantised ? "q8_0[T," : "f32[T,") + num(dim) + "]";
  const std::string stored = format + "[";
  const std::string w_type = stored + num(experts) + "," + num(2 * ffn) + "," + num(dim) + "]";
  const std::string h_type = (quantised ? "q8_0[T," : "f32[T,") + num(chosen) + "," + num(ffn) + "]";
  const std::string wq = format == "bf16" || format == "f32" ? "" : "q";
  std::string body = "  %l = linear(%x, @router)\n  %s = scale(%l) {by=" + std::string(even ? "0" : "1") +
                     "}\n  %p, %ids = route(%s) {k=" + num(chosen) + "}\n" + "  %w = concat(stack(" + gates +
                     "), stack(" + ups + ")) {axis=1}\n  %dw = stack(" + downs + ")\n";
  if (quantised) body += "  %xq = quantize(%x)\n";
  for (const std::string w : {"w", "dw"}) {
    if (!wq.empty()) body += "  %" + w + "q = quantize(%" + w + ") {format=" + format + "}\n";
  }
  const std::string up = "  %gu = linear_experts(%x" + q + ", %w" + wq + ", %ids)\n";
  std::string act = "  %gate, %up = split(%gu) {sizes=[" + num(ffn) + "," + num(ffn) +
                    "]}\n  %a = silu(%gate)\n  %h = mul(%a, %up)\n";
  if (quantised) act += "  %hq = quantize(%h)\n";
  const std::string down = "  %d = linear_experts(%h" + q + ", %dw" + wq + ", %ids)\n";
  const std::string ids = ", %ids: i32[T," + num(chosen) + "])\n";
  if (with == With::up) {
    body += "  %h" + q + " = group(%x" + q + ", %w" + wq + ", %ids) {name=up} : " + h_type +
            " {\n    inputs (%x" + q + ": " + x_type + ", %w" + wq + ": " + w_type + ids + up + act +
            "    return %h" + q + "\n  }\n" + down;
  } else if (with == With::down) {
    const std::string gu_type = "f32[T," + num(chosen) + "," + num(2 * ffn) + "]";
    body += up + "  %d = group(%gu, %dw" + wq + ", %ids) {name=down} : f32[T," + num(chosen) + "," +
            num(dim) + "] {\n    inputs (%gu: " + gu_type + ", %dw" + wq + ": " + stored + num(experts) +
            "," + num(dim) + "," + num(ffn) + "]" + ids + act + down + "    return %d\n  }\n";
  } else {
    body += up + act + down;
  }
  body += "  %y = weighted_sum(%d, %p)\n";
  return model(dim, weights, body);
}

struct Mixture {
  int64_t dim, ffn, experts, chosen, tokens;
  const char* format;
  With with;
  bool even = false;
};

void expect_agreement(const Mixture& c, const std::string& target = "native") {
  // Activations that are quantised may fall on either side of a tie.
  expect_agreement(experts_text(c.dim, c.ffn, c.experts, c.chosen, c.format, c.with, c.even), c.tokens,
                   c.format[0] == 'q' ? 2e-2 : 1e-5, target);
}

TEST(Kernels, experts_of_any_shape_agree) {
  for (const Mixture& c : {Mixture{5, 1, 1, 1, 3, "bf16", With::none},
                           {8, 8, 2, 1, 5, "bf16", With::up},
                           {33, 9, 3, 2, 60, "bf16", With::down},
                           {40, 44, 6, 2, 20, "f16", With::up},
                           {40, 44, 6, 2, 13, "q8_0", With::none},
                           {64, 64, 4, 3, 60, "q8_0", With::up},
                           {24, 160, 3, 3, 21, "q8_0", With::up},
                           {24, 160, 3, 2, 7, "q8_0", With::down},
                           {32, 96, 5, 2, 70, "q4_0", With::up},
                           {96, 64, 3, 2, 47, "q4_k", With::up}})
    expect_agreement(c);
}

// Many tokens for one expert, in numbers that blocks of 8 divide and do not divide, and experts without any.
TEST(Kernels, experts_that_all_tokens_or_none_choose_agree) {
  for (const auto& [tokens, chosen] : {std::pair<int64_t, int64_t>{15, 1}, {83, 2}}) {
    expect_agreement({40, 44, 5, chosen, tokens, "f32", With::none, true});
    expect_agreement({32, 64, 5, chosen, tokens, "q8_0", With::up, true});
  }
}

TEST(Kernels, experts_of_several_tiles_agree_on_every_target) {
  for (const Target* target : targets_here())
    expect_agreement({64, 512, 3, 2, 50, "q8_0", With::up}, target->name());
}

TEST(Kernels, shares_of_all_experts_agree) {
  expect_agreement(model(20, "  weight @router : f32[11,20]\n",
                         "  %s = linear(%x, @router)\n  %p, %ids = route(%s) {k=4, normalise=0}\n"
                         "  %h = reshape(%x) {shape=[4,5]}\n  %y = weighted_sum(%h, %p)\n"),
                   9, 1e-5);
}

TEST(Kernels, a_group_with_two_contractions_is_refused_with_the_reason) {
  const std::string text =
      model(8, "  weight @w : f32[8,8]\n",
            "  %y = group(%x, @w) {name=two} : f32[T,8] {\n    inputs (%a: f32[T,8], %w: f32[8,8])\n"
            "    %b = linear(%a, %w)\n    %c = linear(%b, %w)\n    return %c\n  }\n");
  Graph g = parse_graph(text);
  add_packing(g);
  try {
    generate(g, {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("holds two contractions"), std::string::npos) << e.what();
  }
}

TEST(Kernels, a_linear_over_several_rows_of_a_token_is_refused_with_the_reason) {
  Graph g = parse_graph(model(8, "  weight @w : f32[4,4]\n",
                              "  %h = reshape(%x) {shape=[2,4]}\n  %l = linear(%h, @w)\n"
                              "  %y = reshape(%l) {shape=[8]}\n"));
  add_packing(g);
  try {
    generate(g, {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("linear %l reads f32[T,2,4]"), std::string::npos) << e.what();
  }
}

TEST(Kernels, extreme_int8_values_are_exact) {
  // Weights of -1 and 1 only and activations likewise: every product is ±127², every sum as large as it can
  // be.
  const std::string text =
      model(256, "  weight @w : f32[64,256]\n",
            "  %big = scale(%x) {by=1e6}\n  %one = tanh(%big)\n  %q = quantize(%one)\n  %qw = quantize(@w)\n"
            "  %y = linear(%q, %qw)\n");
  expect_agreement(text, 3, 1e-6);
}

// Sums of 4 bits stay exact too where every activation is at its end.
TEST(Kernels, numbers_of_four_bits_at_their_ends_do_not_saturate) {
  for (const std::string format : {"q4_0", "q4_k"}) {
    const std::string text = model(256, "  weight @w : f32[64,256]\n",
                                   "  %big = scale(%x) {by=1e6}\n  %one = tanh(%big)\n  %q = quantize(%one)\n"
                                   "  %qw = quantize(@w) {format=" +
                                       format + "}\n  %y = linear(%q, %qw)\n");
    for (const Target* target : targets_here()) expect_agreement(text, 3, 1e-6, target->name());
  }
}

// Layers whose stages look alike share kernels, whatever the weights behind them need to know of their input.
TEST(Kernels, formats_stand_side_by_side_on_every_target) {
  const auto layer = [](const std::string& from, const std::string& to, const std::string& format) {
    return "  %n" + to + " = rms_norm(%" + from + ", @norm) {eps=1e-6}\n  %q" + to + " = quantize(%n" + to +
           ")\n  %w" + to + " = quantize(@w) {format=" + format + "}\n  %" + to + " = linear(%q" + to +
           ", %w" + to + ")\n";
  };
  const std::string weights = "  weight @norm : f32[64]\n  weight @w : f32[64,64]\n";
  for (const Target* target : targets_here()) {
    const std::string body = layer("x", "a", "q8_0") + layer("a", "b", "q8_0") + layer("b", "c", "q4_0") +
                             layer("c", "d", "q8_0") + layer("d", "y", "q4_k");
    expect_agreement(model(64, weights, body), 13, 1e-4, target->name());
  }
}

TEST(Layout, packing_and_unpacking_give_the_weights_back) {
  Graph g = parse_graph(
      "graph @g (%x: f32[T,37]) {\n weight @a : f32[5,37]\n weight @b : f32[6,37]\n weight @t : "
      "f32[37,13]\n"
      " weight @f : f32[5,37]\n weight @i : f32[2,37]\n"
      " %s = linear(%x, @i)\n %p, %ids = route(%s) {k=1}\n"
      " %m = linear_experts(%x, concat(stack(@a, @f), stack(@b, @b)) {axis=1}, %ids)\n"
      " %c = concat(@a, @b)\n %y = linear(%x, %c)\n %u = transpose(@t)\n %z = linear(%x, slice(%u) "
      "{start=3, "
      "size=9})\n return %y, %z\n}");
  const SeededWeights source(g);
  add_packing(g);
  std::vector<ValueId> packs;
  for (OpId id : g.ops()) {
    if (g.op(id).def->name == "pack") packs.push_back(g.result(id));
  }
  ASSERT_EQ(packs.size(), 4U);
  const WeightPacker packer(g, packs, source);
  for (size_t w = 0; w < packs.size(); ++w) {
    const Type& t = g.type(packs[w]);
    const std::vector<std::byte> bytes = packer.pack(w);
    std::vector<float> got(static_cast<size_t>(t.elements()));
    std::vector<float> want(got.size());
    unpack("f32.rows8", t, bytes.data(), 0, got);
    read_weight_rows(g, packs[w], source, 0, want);
    EXPECT_EQ(got, want);
  }
}

}  // namespace
}  // namespace lmc
