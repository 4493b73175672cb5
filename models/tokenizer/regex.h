// Regular expressions of tokenizer.json (written for Oniguruma, as Hugging Face uses it), run by PCRE2.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace lmc::tokenizer {

using MatchSink = std::function<void(size_t begin, size_t end)>;

class Regex {
 public:
  // Throws lmc::Error with PCRE2's reason and the offset if `pattern` cannot be compiled.
  explicit Regex(const std::string& pattern);
  // Every match in valid UTF-8 from left to right. Throws lmc::Error when PCRE2 gives up (match limit), or
  // when it takes more than half a second and 2 us a byte.
  void for_each_match(std::string_view text, const MatchSink& sink) const;

 private:
  std::string pattern_;
  std::shared_ptr<const void> code_;  // pcre2_code
};

// What {"String": s} or {"Regex": r} of a tokenizer.json finds.
class Pattern {
 public:
  static Pattern literal(std::string text);
  static Pattern regex(const std::string& pattern);
  void for_each_match(std::string_view text, const MatchSink& sink) const;
  // Throws lmc::Error if the result has more than `most` bytes.
  std::string replace_all(std::string_view text, std::string_view content, size_t most) const;

 private:
  std::string literal_;
  std::optional<Regex> regex_;
};

}  // namespace lmc::tokenizer
