// The text that `lmc eval` lets models predict, cut as they are given it.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tools/generate/engine.h"

namespace lmc {

struct EvalText {
  std::vector<int32_t> tokens;
  int32_t bos = 0;
};

// Error for a bundle without bos token or tokenizer, and for a file that holds no tokens.
EvalText read_eval_text(const Engine& engine, const std::string& file);

// Pieces of context - 1 tokens, each from nothing with the bos token in front, so that every token is
// predicted once: `predicted[i]` follows `fed[i]`. With a progress bar.
using PieceSink = std::function<void(std::span<const int32_t> fed, std::span<const int32_t> predicted)>;
void for_each_piece(const EvalText& text, int64_t context, const PieceSink& sink);

}  // namespace lmc
