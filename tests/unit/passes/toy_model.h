// A small decoder with everything that passes look for, as IR text: one global and some sliding layers,
// biases, rotary positions, caches, a gated feed-forward part, tied embeddings.
#pragma once

#include <string>

namespace lmc {

struct ToyShape {
  int layers = 4;
  int sliding_layer = 2;  // the only one with a window
  int window = 6;
  bool biased = true;
};

inline std::string toy_model(const ToyShape& shape) {
  std::string inputs = "%tokens: i32[T], %pos: i32[T], %out_rows: i32[R]";
  std::string weights = "  weight @embed : bf16[50,24]\n  weight @final : f32[24]\n";
  std::string body =
      "  %x0 = embedding(%tokens, @embed)\n  %angles = rope_angles(%pos) {dims=8, theta=10000}\n";
  std::string outputs = "%logits";
  for (int i = 0; i < shape.layers; ++i) {
    const std::string n = std::to_string(i);
    const bool sliding = i == shape.sliding_layer;
    const std::string span = sliding ? std::to_string(shape.window) : "64";
    const auto weight = [&](const std::string& name, const std::string& dims) {
      weights += "  weight @l" + n + "." + name + " : f32[" + dims + "]\n";
    };
    const auto linear = [&](const std::string& out, const std::string& in, const std::string& name,
                            const std::string& role) {
      body += "  %" + out + n + " = linear(%" + in + n + ", @l" + n + "." + name +
              (shape.biased ? ", @l" + n + "." + name + "b" : "") + ") {role=" + role + "}\n";
    };
    const auto projection = [&](const std::string& name, int rows, int cols) {
      weight(name, std::to_string(rows) + "," + std::to_string(cols));
      if (shape.biased) weight(name + "b", std::to_string(rows));
    };
    weight("norm", "24");
    weight("norm2", "24");
    projection("q", 16, 24);
    projection("k", 8, 24);
    projection("v", 8, 24);
    projection("o", 24, 16);
    projection("gate", 40, 24);
    projection("up", 40, 24);
    projection("down", 24, 40);
    inputs += ", %kv" + n + ": kv_f16[" + span + ",1,8]";
    body += "  scope layers." + n + ".attention\n  %n" + n + " = rms_norm(%x" + n + ", @l" + n +
            ".norm) {eps=1e-06, offset=1}\n";
    linear("q", "n", "q", "attn_q");
    linear("k", "n", "k", "attn_k");
    linear("v", "n", "v", "attn_v");
    body += "  %qh" + n + " = reshape(%q" + n + ") {shape=[2,8]}\n  %kh" + n + " = reshape(%k" + n +
            ") {shape=[1,8]}\n  %vh" + n + " = reshape(%v" + n + ") {shape=[1,8]}\n  %qr" + n +
            " = rope(%qh" + n + ", %angles)\n  %kr" + n + " = rope(%kh" + n + ", %angles)\n  %kv1." + n +
            " = kv_append(%kv" + n + ", %kr" + n + ", %vh" + n + ", %pos)\n  %a" + n + " = attention(%qr" +
            n + ", %kv1." + n + ", %pos) {scale=0.35" +
            (sliding ? ", window=" + std::to_string(shape.window) : "") + "}\n";
    linear("o", "a", "o", "attn_o");
    body += "  %h" + n + " = add(%x" + n + ", %o" + n + ")\n  scope layers." + n + ".ffn\n  %m" + n +
            " = rms_norm(%h" + n + ", @l" + n + ".norm2) {eps=1e-06, offset=1}\n";
    linear("gate", "m", "gate", "ffn_gate");
    linear("up", "m", "up", "ffn_up");
    body += "  %act" + n + " = gelu_tanh(%gate" + n + ")\n  %g" + n + " = mul(%act" + n + ", %up" + n + ")\n";
    linear("down", "g", "down", "ffn_down");
    body += "  %x" + std::to_string(i + 1) + " = add(%h" + n + ", %down" + n + ")\n";
    outputs += ", %kv1." + n;
  }
  body += "  scope head\n  %rows = select_rows(%x" + std::to_string(shape.layers) +
          ", %out_rows)\n  %fn = rms_norm(%rows, @final) {eps=1e-06, offset=1}\n"
          "  %logits = linear(%fn, @embed) {role=lm_head}\n";
  return "graph @toy (" + inputs + ") {\n" + weights + body + "  return " + outputs + "\n}\n";
}

}  // namespace lmc
