// Graphs in text form, compiled and run, against the evaluator.
#pragma once

#include <cstdint>
#include <string>

#include "passes/engine/manager.h"

namespace lmc {

// Compiles `text`, whose inputs are tokens, pos and out_rows, proves every tile of every kernel, and compares
// all logits with the evaluator's: within `tolerance` of the largest, with the same bits whatever the block,
// alone and side by side. `passes`: settings of the lowering.
void expect_agreement(const std::string& text, int64_t tokens, double tolerance,
                      const std::string& target = "native", const PassOptions& passes = {});

std::string num(int64_t n);
// A model of 11 tokens: `body` computes `result` from %x : f32[T,dim].
std::string model(int64_t dim, const std::string& weights, const std::string& body,
                  const std::string& result = "%y", const std::string& caches = "");

}  // namespace lmc
