#include "tools/measure/eval_text.h"

#include <algorithm>

#include "tools/cli/console.h"
#include "tools/system/files.h"

namespace lmc {

EvalText read_eval_text(const Engine& engine, const std::string& file) {
  const Bundle& bundle = engine.bundle();
  const Tokenizer& tokenizer = engine.tokenizer();
  if (bundle.info.bos_ids.empty())
    throw Error(bundle.path + ": its checkpoint names no bos token, which --text starts with");
  EvalText out{tokenizer.encode(read_input(file), false), bundle.info.bos_ids[0]};
  if (out.tokens.empty()) throw Error(file + ": holds no tokens");
  return out;
}

void for_each_piece(const EvalText& text, int64_t context, const PieceSink& sink) {
  const std::span<const int32_t> tokens = text.tokens;
  const auto piece = static_cast<size_t>(std::max<int64_t>(context - 1, 1));
  Progress progress("evaluating");
  for (size_t at = 0; at < tokens.size(); at += piece) {
    const auto predicted = tokens.subspan(at, std::min(piece, tokens.size() - at));
    std::vector<int32_t> fed{text.bos};
    fed.insert(fed.end(), predicted.begin(), predicted.end() - 1);
    sink(fed, predicted);
    progress.update(static_cast<int64_t>(at + predicted.size()), static_cast<int64_t>(tokens.size()));
  }
}

}  // namespace lmc
