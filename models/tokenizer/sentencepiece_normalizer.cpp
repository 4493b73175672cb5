// One step after the other takes a rule, a user's piece or a character from the text.
#include "models/tokenizer/sentencepiece_normalizer.h"

#include <algorithm>
#include <array>

#include "ir/error.h"
#include "models/text/utf8.h"
#include "models/tokenizer/charsmap.h"
#include "models/tokenizer/prefix_search.h"
#include "models/tokenizer/sentencepiece_mark.h"

namespace lmc::tokenizer {
namespace {

class SentencePieceNormalizer {
 public:
  explicit SentencePieceNormalizer(const Fields& spec)
      : dummy_prefix_(spec.flag_or("add_dummy_prefix", true)),
        trims_(spec.flag_or("remove_extra_whitespaces", true)),
        suffix_(spec.flag_or("treat_whitespace_as_suffix", false)),
        space_(spec.flag_or("escape_whitespaces", true) ? kMark : " "),
        rules_(read_charsmap(spec)),
        kept_(spec.has("user_defined") ? spec.texts("user_defined") : std::vector<std::string>()) {
    std::sort(kept_.begin(), kept_.end());
    kept_.erase(std::unique(kept_.begin(), kept_.end()), kept_.end());
    if (!kept_.empty() && kept_.front().empty()) kept_.erase(kept_.begin());
    for (const std::string& text : kept_) first_bytes_[static_cast<uint8_t>(text[0])] = true;
  }

  std::string operator()(std::string_view text) const {
    if (trims_) skip_spaces(text);
    std::string out;
    if (text.empty()) return out;
    out.reserve(text.size() * 5 / 4 + 8);
    if (dummy_prefix_ && !suffix_) out += space_;
    bool after_space = trims_;
    while (!text.empty()) {
      auto [length, content] = next(text);
      while (after_space && content.starts_with(' ')) content.remove_prefix(1);
      append(out, content);
      if (!content.empty()) after_space = trims_ && content.ends_with(' ');
      text.remove_prefix(length);
    }
    while (trims_ && out.ends_with(space_)) out.resize(out.size() - space_.size());
    if (dummy_prefix_ && suffix_) out += space_;
    return out;
  }

 private:
  static std::optional<Charsmap> read_charsmap(const Fields& spec) {
    if (!spec.has("precompiled_charsmap")) return std::nullopt;
    return make_charsmap(spec);
  }
  void skip_spaces(std::string_view& text) const {
    while (!text.empty()) {
      const auto [length, content] = next(text);
      if (content != " ") return;
      text.remove_prefix(length);
    }
  }
  // The start of a text and what it becomes.
  Charsmap::Rule next(std::string_view text) const {
    if (first_bytes_[static_cast<uint8_t>(text[0])]) {
      const auto kept = longest_prefix(
          kept_.begin(), kept_.end(), kept_.end(),
          [](const std::string& item) -> std::string_view { return item; }, text);
      if (kept != kept_.end()) return {kept->size(), text.substr(0, kept->size())};
    }
    if (rules_) {
      if (const auto rule = rules_->longest(text)) return *rule;
    }
    const Utf8Char c = first_char(text);
    return {c.length, c.state == Utf8State::kValid ? text.substr(0, c.length) : kReplacement};
  }
  void append(std::string& out, std::string_view content) const {
    for (const char c : content) {
      if (c == ' ') {
        out += space_;
      } else {
        out += c;
      }
    }
  }

  bool dummy_prefix_;
  bool trims_;
  bool suffix_;  // the dummy space goes behind the text
  std::string_view space_;
  std::optional<Charsmap> rules_;
  std::vector<std::string> kept_;  // sorted
  std::array<bool, 256> first_bytes_{};
};

}  // namespace

Normalizer make_sentencepiece_normalizer(const Fields& spec) {
  const auto normalizer = std::make_shared<const SentencePieceNormalizer>(spec);
  return [normalizer](const std::string& text) { return (*normalizer)(text); };
}

}  // namespace lmc::tokenizer
