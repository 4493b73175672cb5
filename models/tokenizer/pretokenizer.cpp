// Each pre-tokenizer type is one small function.
#include "models/tokenizer/pretokenizer.h"

#include "models/text/utf8.h"
#include "models/tokenizer/byte_alphabet.h"
#include "models/tokenizer/normalizer.h"

namespace lmc::tokenizer {
namespace {

// Words, numbers and the rest each with a space before them, from OpenAI's encoder.py.
constexpr const char* kGpt2Words =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// A delimiter is each single character that `matches`.
Finder each_char(bool (*matches)(char32_t)) {
  return [matches](std::string_view text, const MatchSink& sink) {
    for (size_t i = 0; i < text.size();) {
      const Utf8Char c = first_char(text.substr(i));
      if (matches(c.code)) sink(i, i + c.length);
      i += c.length;
    }
  };
}

Finder each_match(Pattern pattern) {
  return [pattern = std::move(pattern)](std::string_view text, const MatchSink& sink) {
    pattern.for_each_match(text, sink);
  };
}

PreTokenizer splitter(Finder find, SplitBehavior behavior, bool invert = false) {
  return [=](Pieces& pieces) { split_pieces(pieces, find, behavior, invert); };
}

SplitBehavior read_behavior(const Fields& spec, const std::string& name) {
  if (name == "Removed") return SplitBehavior::kRemoved;
  if (name == "Isolated") return SplitBehavior::kIsolated;
  if (name == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (name == "Contiguous") return SplitBehavior::kContiguous;
  spec.fail_unknown("behavior", name);
}

PreTokenizer make_byte_level(const Fields& spec) {
  const bool add_space = spec.flag_or("add_prefix_space", true);
  Finder words = spec.flag_or("use_regex", true) ? each_match(Pattern::regex(kGpt2Words)) : Finder();
  return [add_space, words](Pieces& pieces) {
    if (add_space) {
      rewrite_pieces(pieces, [](std::string_view text, bool) {
        return (text.starts_with(' ') ? "" : " ") + std::string(text);
      });
    }
    if (words) split_pieces(pieces, words, SplitBehavior::kIsolated, false);
    rewrite_pieces(pieces, [](std::string_view text, bool) { return to_byte_alphabet(text); });
  };
}

PreTokenizer make_metaspace(const Fields& spec) {
  const MetaspaceOptions options = read_metaspace(spec);
  const Pattern space = Pattern::literal(" ");
  const Finder mark = each_match(Pattern::literal(options.replacement));
  const bool split = spec.flag_or("split", true);
  return [=](Pieces& pieces) {
    rewrite_pieces(pieces, [&](std::string_view text, bool opens_text) {
      const std::string marked = space.replace_all(text, options.replacement, most_normalized(text.size()));
      const bool prepends =
          options.prepend_scheme == "always" || (options.prepend_scheme == "first" && opens_text);
      return prepends && !marked.starts_with(options.replacement) ? options.replacement + marked : marked;
    });
    if (split) split_pieces(pieces, mark, SplitBehavior::kMergedWithNext, false);
  };
}

PreTokenizer make_split(const Fields& spec) {
  const SplitBehavior behavior = read_behavior(spec, spec.text("behavior"));
  return splitter(each_match(make_pattern(spec)), behavior, spec.flag_or("invert", false));
}

PreTokenizer make_digits(const Fields& spec) {
  const bool single = spec.flag_or("individual_digits", false);
  return splitter(each_char(is_numeric), single ? SplitBehavior::kIsolated : SplitBehavior::kContiguous);
}

PreTokenizer make_punctuation(const Fields& spec) {
  return splitter(each_char(is_punctuation), read_behavior(spec, spec.text_or("behavior", "Isolated")));
}

// \w+|[^\w\s]+ : runs of word characters, runs of other marks; space is dropped.
PreTokenizer make_whitespace() {
  return [words = splitter(each_char(is_word), SplitBehavior::kContiguous),
          spaces = splitter(each_char(is_space), SplitBehavior::kRemoved)](Pieces& pieces) {
    spaces(pieces);
    words(pieces);
  };
}

// Space is dropped, every mark of punctuation is a word.
PreTokenizer make_bert() {
  return [spaces = splitter(each_char(is_space), SplitBehavior::kRemoved),
          marks = splitter(each_char(is_punctuation), SplitBehavior::kIsolated)](Pieces& pieces) {
    spaces(pieces);
    marks(pieces);
  };
}

PreTokenizer make_char_delimiter(const Fields& spec) {
  const std::string delimiter = spec.text("delimiter");
  if (delimiter.empty() || first_char(delimiter).length != delimiter.size())
    spec.fail("'delimiter' must be one character");
  return splitter(each_match(Pattern::literal(delimiter)), SplitBehavior::kRemoved);
}

PreTokenizer make_fixed_length(const Fields& spec) {
  const int64_t length = spec.integer_or("length", 5);
  if (length < 1) spec.fail("'length' must be at least 1");
  const Finder parts = [length](std::string_view text, const MatchSink& sink) {
    size_t begin = 0;
    int64_t count = 0;
    for (size_t i = 0; i < text.size();) {
      i += first_char(text.substr(i)).length;
      if (++count < length && i < text.size()) continue;
      sink(begin, i);
      begin = i;
      count = 0;
    }
  };
  return splitter(parts, SplitBehavior::kIsolated);
}

PreTokenizer make_pre_sequence(const Fields& spec) {
  std::vector<PreTokenizer> steps;
  for (const Fields& step : spec.objects("pretokenizers")) steps.push_back(make_pretokenizer(step));
  return [steps](Pieces& pieces) {
    for (const PreTokenizer& step : steps) step(pieces);
  };
}

}  // namespace

PreTokenizer make_pretokenizer(const Fields& spec) {
  const std::string type = spec.type();
  if (type == "Sequence") return make_pre_sequence(spec);
  if (type == "ByteLevel") return make_byte_level(spec);
  if (type == "Metaspace") return make_metaspace(spec);
  if (type == "Split") return make_split(spec);
  if (type == "Digits") return make_digits(spec);
  if (type == "Punctuation") return make_punctuation(spec);
  if (type == "Whitespace") return make_whitespace();
  if (type == "WhitespaceSplit") return splitter(each_char(is_space), SplitBehavior::kRemoved);
  if (type == "BertPreTokenizer") return make_bert();
  if (type == "CharDelimiterSplit") return make_char_delimiter(spec);
  if (type == "FixedLength") return make_fixed_length(spec);
  spec.fail_unknown("pre-tokenizer", type);
}

MetaspaceOptions read_metaspace(const Fields& spec) {
  MetaspaceOptions out;
  out.replacement = spec.text_or("replacement", "\xE2\x96\x81");  // U+2581
  if (out.replacement.empty() || first_char(out.replacement).length != out.replacement.size()) {
    spec.fail("'replacement' must be one character");
  }
  out.prepend_scheme = spec.text_or("prepend_scheme", "always");
  if (!spec.flag_or("add_prefix_space", true)) out.prepend_scheme = "never";
  if (out.prepend_scheme != "always" && out.prepend_scheme != "first" && out.prepend_scheme != "never") {
    spec.fail_unknown("prepend_scheme", out.prepend_scheme);
  }
  return out;
}

}  // namespace lmc::tokenizer
