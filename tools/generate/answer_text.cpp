#include "tools/generate/answer_text.h"

#include <algorithm>
#include <utility>

namespace lmc {

AnswerText::AnswerText(const Tokenizer* tokenizer, std::vector<std::string> stops,
                       std::span<const int32_t> hidden, Show show, bool skip_special)
    : hidden_(hidden.begin(), hidden.end()), stops_(std::move(stops)), show_(std::move(show)) {
  if (tokenizer) decoder_.emplace(*tokenizer, skip_special);
}

bool AnswerText::push(int32_t id) {
  if (!decoder_) {
    hand_out(std::to_string(id) + " ");
  } else if (std::find(hidden_.begin(), hidden_.end(), id) == hidden_.end()) {
    hand_out(stops_.push(decoder_->push(id)));
  }
  return !stops_.matched();
}

void AnswerText::finish() {
  if (decoder_) hand_out(stops_.push(decoder_->flush()));
  hand_out(stops_.flush());
}

void AnswerText::hand_out(const std::string& piece) {
  if (piece.empty()) return;
  text_ += piece;
  if (show_) show_(piece);
}

}  // namespace lmc
