// A small graph, given as text, compiled and run in this process: what kernels cost without a model around
// them. Weights are made up.
#pragma once

#include <cstdint>
#include <string>

#include "tools/machine/memory_program.h"

namespace lmc {

class GraphProgram {
 public:
  // Inputs and output as generate() wants them. `context`: most positions.
  GraphProgram(const std::string& text, int64_t context, int threads, const std::string& target = "native");

  Session& session() { return program_.session(); }
  const Plan& plan() const { return program_.code().plan; }
  double weight_bytes() const;  // read by a decode step

 private:
  MemoryProgram program_;
};

// A step around `body`, which makes %y (f32[T,out]) of %x (f32[T,in]): a lookup before it, the logits behind.
// `weights` and `inputs` are further declarations, such as "  weight @w : f32[8,8]\n" and ", %kv: kv_f16[…]".
std::string step_text(int64_t in, const std::string& weights, const std::string& body,
                      const std::string& inputs = "");

enum class LinearFormat : uint8_t { f32, q8_0 };
// `pairs` times a projection in → out and one back, each with weights of its own, after each other. With
// Q8_0 the activations are quantised before each, as in a model.
std::string linear_chain(int64_t in, int64_t out, int64_t pairs, LinearFormat format);

}  // namespace lmc
