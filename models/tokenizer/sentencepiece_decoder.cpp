// U+2581 is a space. The one that opens the text is dropped if encoding puts one there; if encoding trims the
// text, so are further pieces' as long as there is no text. Bytes are joined to characters.
#include "models/tokenizer/sentencepiece_decoder.h"

#include "models/text/utf8.h"
#include "models/tokenizer/model_tokens.h"
#include "models/tokenizer/regex.h"
#include "models/tokenizer/sentencepiece_mark.h"

namespace lmc::tokenizer {
namespace {

struct Options {
  std::string unknown;
  std::string unknown_surface;
  bool strips_first;
  bool strips_all;
};

class SentencePieceStage : public DecoderStage {
 public:
  explicit SentencePieceStage(Options options) : options_(std::move(options)) {}

  void push(std::string_view token) override {
    if (const auto byte = byte_of_token(token)) {
      bytes_ += static_cast<char>(*byte);
      return emit_bytes(false);
    }
    emit_bytes(true);
    if (token == options_.unknown) return emit(options_.unknown_surface);
    if (opens_ && options_.strips_first && token.starts_with(kMark)) {
      token.remove_prefix(kMark.size());
      if (!options_.strips_all) opens_ = false;
    }
    emit(marks_.replace_all(token, " ", token.size()));
  }
  void finish() override {
    emit_bytes(true);
    next->finish();
  }

 private:
  void emit(std::string_view text) {
    if (!text.empty()) opens_ = false;
    next->push(text);
  }
  // Each byte that is of no character is one U+FFFD. Unless `final`, the start of a character is held back.
  void emit_bytes(bool final) {
    std::string text;
    size_t used = 0;
    while (used < bytes_.size()) {
      const Utf8Char c = first_char(std::string_view(bytes_).substr(used));
      if (c.state == Utf8State::kTruncated && !final) break;
      const size_t length = c.state == Utf8State::kValid ? c.length : 1;
      text += c.state == Utf8State::kValid ? std::string_view(bytes_).substr(used, length) : kReplacement;
      used += length;
    }
    bytes_.erase(0, used);
    emit(text);
  }

  Options options_;
  Pattern marks_ = Pattern::literal(std::string(kMark));
  std::string bytes_;
  bool opens_ = true;  // nothing has come out yet
};

}  // namespace

DecoderPlan::MakeStage make_sentencepiece_decoder(const Fields& spec) {
  const Options options{spec.text("unk_token"), spec.text("unk_surface"), spec.flag_or("strips_first", true),
                        spec.flag_or("strips_all", true)};
  return [options] { return std::make_unique<SentencePieceStage>(options); };
}

}  // namespace lmc::tokenizer
