// The stages. Each passes on at once whatever later tokens cannot change.
#include "models/tokenizer/decoder_stages.h"

#include <algorithm>
#include <optional>

#include "models/text/utf8.h"
#include "models/tokenizer/byte_alphabet.h"
#include "models/tokenizer/model_tokens.h"

namespace lmc::tokenizer {
namespace {

// Of a token that a step rewrites: steps in a row must not multiply.
constexpr size_t most_decoded(size_t bytes) { return 65536 + bytes; }

// Tokens are bytes in GPT-2's alphabet; a character may be split over several.
class ByteLevelStage : public DecoderStage {
 public:
  void push(std::string_view token) override {
    const auto bytes = from_byte_alphabet(token);
    held_ += bytes ? std::string_view(*bytes) : token;
    emit(false);
  }
  void finish() override {
    emit(true);
    next->finish();
  }

 private:
  void emit(bool final) {
    std::string text;
    held_.erase(0, append_lossy(text, held_, final));
    next->push(text);
  }
  std::string held_;
};

// <0xE2> <0x82> <0xAC> is one character. A run of such bytes is text only if all of it is UTF-8, else each
// byte is U+FFFD (as in Hugging Face), so a run is held until it ends.
class ByteFallbackStage : public DecoderStage {
 public:
  void push(std::string_view token) override {
    if (const auto byte = byte_of_token(token)) {
      run_ += static_cast<char>(*byte);
      return;
    }
    end_run();
    next->push(token);
  }
  void finish() override {
    end_run();
    next->finish();
  }

 private:
  void end_run() {
    if (run_.empty()) return;
    if (is_valid_utf8(run_)) {
      next->push(run_);
    } else {
      for (size_t i = 0; i < run_.size(); ++i) next->push(kReplacement);
    }
    run_.clear();
  }
  std::string run_;
};

class ReplaceStage : public DecoderStage {
 public:
  ReplaceStage(Pattern pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}
  void push(std::string_view token) override {
    next->push(pattern_.replace_all(token, content_, most_decoded(token.size())));
  }

 private:
  Pattern pattern_;
  std::string content_;
};

// Before fusing, each token is stripped; behind it, the start and the end of the whole text.
class StripStage : public DecoderStage {
 public:
  StripStage(StripOptions options, bool fused) : options_(std::move(options)), fused_(fused) { reset(); }
  void push(std::string_view token) override {
    while (to_skip_ > 0 && token.starts_with(options_.content)) {
      token.remove_prefix(options_.content.size());
      --to_skip_;
    }
    if (!token.empty()) to_skip_ = 0;
    held_ += token;
    if (fused_) {
      next->push(take_but(trailing()));
    } else {
      next->push(strip_end());
      reset();
    }
  }
  void finish() override {
    if (fused_) next->push(strip_end());
    next->finish();
  }

 private:
  void reset() { to_skip_ = options_.start; }
  size_t trailing() const {  // bytes at the end that may have to go
    size_t size = 0;
    for (size_t i = 0; i < options_.stop; ++i) {
      if (!std::string_view(held_).substr(0, held_.size() - size).ends_with(options_.content)) break;
      size += options_.content.size();
    }
    return size;
  }
  std::string take_but(size_t kept) {
    const std::string out = held_.substr(0, held_.size() - kept);
    held_.erase(0, out.size());
    return out;
  }
  std::string strip_end() {
    const std::string out = take_but(trailing());
    held_.clear();
    return out;
  }

  StripOptions options_;
  bool fused_;
  size_t to_skip_ = 0;
  std::string held_;
};

// Marks are spaces; those of the first token are dropped where a mark is prepended to every text.
class MetaspaceStage : public DecoderStage {
 public:
  MetaspaceStage(const std::string& mark, bool prepends) : mark_(Pattern::literal(mark)), drops_(prepends) {}
  void push(std::string_view token) override {
    next->push(mark_.replace_all(token, drops_ ? "" : " ", most_decoded(token.size())));
    drops_ = false;
  }

 private:
  Pattern mark_;
  bool drops_;
};

// A token that does not continue a word has a space in front. `cleanup` takes back the spaces a tokenizer of
// words put before punctuation, token by token as in Hugging Face.
class WordPieceStage : public DecoderStage {
 public:
  WordPieceStage(std::string mark, bool cleanup) : mark_(std::move(mark)), cleanup_(cleanup) {}
  void push(std::string_view token) override {
    std::string text(token);
    if (!first_ && !mark_.empty() && token.starts_with(mark_)) {
      text.erase(0, mark_.size());
    } else if (!first_) {
      text.insert(0, " ");
    }
    first_ = false;
    next->push(cleanup_ ? clean(text) : text);
  }

 private:
  static std::string clean(std::string text) {
    static constexpr std::pair<const char*, const char*> kRules[] = {
        {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
        {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    for (const auto& [from, to] : kRules)
      text = Pattern::literal(from).replace_all(text, to, most_decoded(text.size()));
    return text;
  }
  std::string mark_;
  bool cleanup_;
  bool first_ = true;
};

// The suffix stands for the space behind a word; behind the last one there is none.
class SuffixStage : public DecoderStage {
 public:
  explicit SuffixStage(const std::string& suffix) : suffix_(Pattern::literal(suffix)) {}
  void push(std::string_view token) override {
    if (held_) next->push(suffix_.replace_all(*held_, " ", most_decoded(held_->size())));
    held_ = token;
  }
  void finish() override {
    if (held_) next->push(suffix_.replace_all(*held_, "", most_decoded(held_->size())));
    held_.reset();
    next->finish();
  }

 private:
  Pattern suffix_;
  std::optional<std::string> held_;
};

class JoinStage : public DecoderStage {
 public:
  void push(std::string_view token) override {
    if (!first_) next->push(" ");
    first_ = false;
    next->push(token);
  }

 private:
  bool first_ = true;
};

class WholeStage : public DecoderStage {
 public:
  void push(std::string_view token) override { text_ += token; }
  void finish() override {
    next->push(text_);
    next->finish();
  }

 private:
  std::string text_;
};

}  // namespace

std::unique_ptr<DecoderStage> make_byte_level_stage() { return std::make_unique<ByteLevelStage>(); }
std::unique_ptr<DecoderStage> make_byte_fallback_stage() { return std::make_unique<ByteFallbackStage>(); }
std::unique_ptr<DecoderStage> make_replace_stage(const Pattern& pattern, const std::string& content) {
  return std::make_unique<ReplaceStage>(pattern, content);
}
std::unique_ptr<DecoderStage> make_strip_stage(const StripOptions& options, bool fused) {
  return std::make_unique<StripStage>(options, fused);
}
std::unique_ptr<DecoderStage> make_metaspace_stage(const std::string& mark, bool prepends) {
  return std::make_unique<MetaspaceStage>(mark, prepends);
}
std::unique_ptr<DecoderStage> make_wordpiece_stage(const std::string& mark, bool cleanup) {
  return std::make_unique<WordPieceStage>(mark, cleanup);
}
std::unique_ptr<DecoderStage> make_suffix_stage(const std::string& suffix) {
  return std::make_unique<SuffixStage>(suffix);
}
std::unique_ptr<DecoderStage> make_join_stage() { return std::make_unique<JoinStage>(); }
std::unique_ptr<DecoderStage> make_whole_stage() { return std::make_unique<WholeStage>(); }

}  // namespace lmc::tokenizer
