// A small graph with many layers, as text.
#pragma once

#include <string>

namespace lmc {

// `layers` layers of a norm, two projections, and a window that differs in every `odd`-th layer; all read the
// same angles, which layer 0 makes.
inline std::string layered_text(int layers, int odd = 0) {
  std::string weights, body;
  std::string x = "%e";
  for (int l = 0; l < layers; ++l) {
    const std::string n = std::to_string(l);
    const std::string base = "@layers." + n + ".";
    for (const char* w : {"norm : f32[8]", "q : f32[8,8]", "o : f32[8,8]"})
      weights += "  weight " + base + w + "\n";
    body += "  scope layers." + n + ".attention\n";
    body += "  %n" + n + " = rms_norm(" + x + ", " + base + "norm) {eps=1e-6}\n";
    body += "  %q" + n + " = linear(%n" + n + ", " + base + "q) {role=attn_q}\n";
    if (l == 0) body += "  %angles = rope_angles(%pos) {dims=8, theta=10000}\n";
    body += "  %h" + n + " = reshape(%q" + n + ") {shape=[1,8]}\n";
    body += "  %r" + n + " = rope(%h" + n + ", %angles)\n";
    body += "  %kv" + n + " = kv_append(%cache." + n + ", %r" + n + ", %h" + n + ", %pos)\n";
    const bool global = odd > 0 && (l + 1) % odd == 0;
    body += "  %a" + n + " = attention(%r" + n + ", %kv" + n +
            ", %pos) {scale=1.0, window=" + (global ? "0" : "16") + "}\n";
    body += "  scope layers." + n + ".ffn\n";
    body += "  %o" + n + " = linear(%a" + n + ", " + base + "o) {role=attn_o}\n";
    body += "  %x" + n + " = add(" + x + ", %o" + n + ")\n";
    x = "%x" + n;
  }
  std::string inputs = "%tokens: i32[T], %pos: i32[T]";
  std::string outputs = "%logits";
  for (int l = 0; l < layers; ++l) {
    inputs += ", %cache." + std::to_string(l) + ": kv_f16[16,1,8]";
    outputs += ", %kv" + std::to_string(l);
  }
  return "graph @g (" + inputs + ") {\n  weight @embed : f32[32,8]\n" + weights +
         "  scope embed\n  %e = embedding(%tokens, @embed)\n" + body + "  scope head\n  %logits = linear(" +
         x + ", @embed) {role=lm_head}\n  return " + outputs + "\n}\n";
}

}  // namespace lmc
