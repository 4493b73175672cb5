// What each kind of normalizer, pre-tokenizer, added token, post-processor and decoder does.
#include <gtest/gtest.h>

#include "ir/error.h"
#include "models/tokenizer/normalizer.h"
#include "models/tokenizer/pretokenizer.h"
#include "tokenizer_test_util.h"

namespace lmc::testing {
namespace {

using nlohmann::json;

std::string normalized(const char* spec, const std::string& text) {
  const json value = json::parse(spec);
  return tokenizer::make_normalizer(tokenizer::Fields(value, "t.json", "normalizer"))(text);
}

std::string words(const char* spec, const std::string& text) {
  const json value = json::parse(spec);
  tokenizer::Pieces pieces{text, {{0, text.size(), true}}};
  tokenizer::make_pretokenizer(tokenizer::Fields(value, "t.json", "pre_tokenizer"))(pieces);
  std::string out;
  for (const auto& piece : pieces.pieces) out += (out.empty() ? "" : "|") + std::string(pieces.view(piece));
  return out;
}

std::string split(const std::string& behavior, bool invert = false) {
  const json spec = {
      {"type", "Split"}, {"pattern", {{"String", "-"}}}, {"behavior", behavior}, {"invert", invert}};
  return words(spec.dump().c_str(), "the-final--countdown");
}

TEST(Normalizer, EachTypeChangesTheTextAsItsNameSays) {
  EXPECT_EQ(normalized(R"({"type": "NFC"})", "e\u0301"), "\u00e9");
  EXPECT_EQ(normalized(R"({"type": "NFD"})", "\u00e9"), "e\u0301");
  EXPECT_EQ(normalized(R"({"type": "NFKC"})", "\ufb01\u00b2"), "fi2");
  EXPECT_EQ(normalized(R"({"type": "NFKD"})", "\u00bd"), "1\u20442");
  EXPECT_EQ(normalized(R"({"type": "NFC"})", "\u1100\u1161\u11a8"), "\uac01");
  EXPECT_EQ(normalized(R"({"type": "Lowercase"})", "ÀΣİ"), "àσi\u0307");
  EXPECT_EQ(normalized(R"({"type": "Strip", "strip_left": true, "strip_right": false})", " \u3000a "), "a ");
  EXPECT_EQ(normalized(R"({"type": "Prepend", "prepend": "_"})", "a"), "_a");
  EXPECT_EQ(normalized(R"({"type": "Prepend", "prepend": "_"})", ""), "");
  EXPECT_EQ(normalized(R"({"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": "$1"})", "a  b"),
            "a$1b");
}

TEST(Normalizer, MarksAreOrderedByClassHoweverManyThereAre) {
  std::string marks = "a";
  for (int i = 0; i < 100000; ++i) marks += i % 2 != 0 ? "\u0323" : "\u0301";  // below (220), above (230)
  const std::string ordered = normalized(R"({"type": "NFD"})", marks);
  EXPECT_EQ(ordered.substr(0, 5), "a\u0323\u0323");
  EXPECT_EQ(ordered.substr(ordered.size() - 4), "\u0301\u0301");
}

TEST(PreTokenizer, SplitKnowsFiveBehaviours) {
  EXPECT_EQ(split("Removed"), "the|final|countdown");
  EXPECT_EQ(split("Isolated"), "the|-|final|-|-|countdown");
  EXPECT_EQ(split("MergedWithPrevious"), "the-|final-|-|countdown");
  EXPECT_EQ(split("MergedWithNext"), "the|-final|-|-countdown");
  EXPECT_EQ(split("Contiguous"), "the|-|final|--|countdown");
  EXPECT_EQ(split("Removed", true), "-|-|-");
}

TEST(PreTokenizer, ARegexMayMatchBetweenCharacters) {
  const char* spec = R"x({"type": "Split", "pattern": {"Regex": "(?=(\\d{3})+$)"}, "behavior": "Isolated"})x";
  EXPECT_EQ(words(spec, "1234567"), "1|234|567");
}

TEST(PreTokenizer, SpaceMeansUnicodeWhiteSpaceInARegex) {
  const char* spec = R"({"type": "Split", "pattern": {"Regex": "\\s"}, "behavior": "Removed"})";
  EXPECT_EQ(words(spec, "a\u3000b\u0085c"), "a|b|c");
  EXPECT_EQ(words(spec, "a\u180eb"), "a\u180eb");
}

TEST(PreTokenizer, EachTypeCutsAsItsNameSays) {
  EXPECT_EQ(words(R"({"type": "Digits", "individual_digits": true})", "a12²"), "a|1|2|²");
  EXPECT_EQ(words(R"({"type": "Digits"})", "a12b"), "a|12|b");
  EXPECT_EQ(words(R"({"type": "Punctuation"})", "a$?b"), "a|$|?|b");
  EXPECT_EQ(words(R"({"type": "Punctuation", "behavior": "Contiguous"})", "a$?b"), "a|$?|b");
  EXPECT_EQ(words(R"({"type": "Whitespace"})", "Hey, you!! ça"), "Hey|,|you|!!|ça");
  EXPECT_EQ(words(R"({"type": "WhitespaceSplit"})", " Hey,\n you"), "Hey,|you");
  EXPECT_EQ(words(R"({"type": "ByteLevel", "add_prefix_space": true})", "it's é"), "Ġit|'s|ĠÃ©");
  EXPECT_EQ(words(R"({"type": "Metaspace", "prepend_scheme": "always"})", "a  b"), "▁a|▁|▁b");
  EXPECT_EQ(words(R"({"type": "Metaspace", "prepend_scheme": "never", "split": false})", "a b"), "a▁b");
}

TEST(PreTokenizer, FixedLengthCutsByCharacters) {
  EXPECT_EQ(words(R"({"type": "FixedLength", "length": 2})", "aéb日c"), "aé|b日|c");
}

TEST(PreTokenizer, MetaspaceFirstMarksOnlyTheStartOfTheText) {
  const auto tokenizer =
      small_tokenizer({{"pre_tokenizer", {{"type", "Metaspace"}, {"prepend_scheme", "first"}}}});
  EXPECT_EQ(tokens_of(tokenizer, "abc<s>abc"), "▁|abc|<s>|abc");
  EXPECT_EQ(tokens_of(tokenizer, "<s>abc"), "<s>|abc");
}

json added(int id, const std::string& content, const std::string& flag = "special") {
  return {{"id", id}, {"content", content}, {flag, true}};
}

TEST(AddedTokens, TheLeftmostThenTheLongestWins) {
  const auto tokenizer =
      small_tokenizer({{"added_tokens", {added(9, "<x>"), added(10, "<x>b"), added(11, "c<")}}});
  EXPECT_EQ(tokens_of(tokenizer, "a<x>bb<x>"), "a|<x>b|b|<x>");
  EXPECT_EQ(tokens_of(tokenizer, "c<x>"), "c<");
}

TEST(AddedTokens, TakeTheSpacesTheyAreToldTo) {
  const auto tokenizer = small_tokenizer(
      {{"added_tokens",
        {added(9, "<l>", "lstrip"), added(10, "<r>", "rstrip"), added(11, "w", "single_word")}}});
  EXPECT_EQ(tokens_of(tokenizer, "a <l> a"), "a|<l>| |a");
  EXPECT_EQ(tokens_of(tokenizer, "a <r>  a"), "a| |<r>|a");
  EXPECT_EQ(tokens_of(tokenizer, "a w aw"), "a| |w| |a");
}

TEST(AddedTokens, NormalizedOnesMatchTheNormalizedText) {
  const auto tokenizer =
      small_tokenizer({{"normalizer", {{"type", "Lowercase"}}},
                       {"added_tokens", {added(9, "CAB", "normalized"), added(10, "BA")}}});
  EXPECT_EQ(tokens_of(tokenizer, "aCabBA"), "a|CAB|BA");
  EXPECT_EQ(tokens_of(tokenizer, "ba"), "b|a");
}

TEST(Bpe, UnknownCharactersAreDroppedOrFusedAsTheModelSays) {
  EXPECT_EQ(tokens_of(small_tokenizer(), "axyb"), "ab");  // nothing to stand for x and y
  EXPECT_EQ(tokens_of(small_tokenizer({{"model", {{"unk_token", "<unk>"}}}}), "axyb"), "a|<unk>|<unk>|b");
  EXPECT_EQ(tokens_of(small_tokenizer({{"model", {{"unk_token", "<unk>"}, {"fuse_unk", true}}}}), "axyb"),
            "a|<unk>|b");
}

TEST(Bpe, IgnoreMergesTakesAWholeWordAtOnce) {
  const json vocab = {{"bc", 9}};
  EXPECT_EQ(tokens_of(small_tokenizer({{"model", {{"vocab", vocab}}}}), "bc"), "b|c");
  EXPECT_EQ(tokens_of(small_tokenizer({{"model", {{"vocab", vocab}, {"ignore_merges", true}}}}), "bc"), "bc");
}

TEST(Bpe, InvalidUtf8IsReadAsTheReplacementCharacter) {
  const auto tokenizer = small_tokenizer({{"model", {{"vocab", {{"\ufffd", 9}}}}}});
  EXPECT_EQ(tokenizer.encode("a\xE2\x82z\xFF\xC3", false), (std::vector<int32_t>{1, 9, 9, 9}));
}

TEST(PostProcessor, PutsTheTemplatesTokensAround) {
  const json post = json::parse(R"({"type": "Sequence", "processors": [{"type": "ByteLevel"},
      {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}},
       {"SpecialToken": {"id": "<s>"}}], "special_tokens": {"<s>": {"ids": [7]}}}]})");
  EXPECT_EQ(tokens_of(small_tokenizer({{"post_processor", post}}), "ab", true), "<s>|ab|<s>");
  EXPECT_EQ(tokens_of(small_tokenizer({{"post_processor", post}}), "ab", false), "ab");
}

TEST(Decoder, WithoutOneTokensAreJoinedBySpaces) {
  EXPECT_EQ(small_tokenizer().decode(std::vector<int32_t>{1, 7, 5}, false), "a <s> abc");
  EXPECT_EQ(small_tokenizer().decode(std::vector<int32_t>{1, 7, 5, 999, -1}, true), "a abc");
}

TEST(Decoder, MetaspaceDropsTheMarkOfTheFirstTokenOnly) {
  const auto tokenizer =
      small_tokenizer({{"decoder", {{"type", "Metaspace"}, {"prepend_scheme", "always"}}}});
  EXPECT_EQ(tokenizer.decode(std::vector<int32_t>{8, 1, 8, 2}, false), "a b");
}

TEST(Regex, GivesUpWithAnErrorInsteadOfHanging) {
  const char* spec = R"x({"type": "Split", "pattern": {"Regex": "(a|aa)+(x|y)"}, "behavior": "Removed"})x";
  EXPECT_THROW(words(spec, std::string(200, 'a')), Error);
}

TEST(Regex, SetsWithinSetsAreRefused) {
  EXPECT_THROW(words(R"({"type": "Split", "pattern": {"Regex": "[\\w&&[^a]]"}, "behavior": "Removed"})", "a"),
               Error);
}

}  // namespace
}  // namespace lmc::testing
