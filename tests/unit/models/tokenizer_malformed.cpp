// Whatever is wrong with a tokenizer.json is one Error that names the file and what it is.
#include <gtest/gtest.h>

#include "ir/error.h"
#include "tests/unit/error_of.h"
#include "tokenizer_test_util.h"

namespace lmc::testing {
namespace {

using nlohmann::json;

std::string tokenizer_error(const std::string& text) {
  return error_of([&] { Tokenizer::from_json(text, "bad.json"); });
}

void expect_error(const std::string& text, const std::string& part) {
  const std::string error = tokenizer_error(text);
  EXPECT_NE(error.find(part), std::string::npos) << error;
  EXPECT_TRUE(error.starts_with("bad.json")) << error;
}

void expect_error(const json& parts, const std::string& part) {
  expect_error(small_json(parts).dump(), part);
}

json model(const char* key, const json& value) { return {{"model", {{key, value}}}}; }

TEST(MalformedTokenizer, NotJsonNamesTheLine) {
  expect_error(std::string("{\n  \"model\": }"), "bad.json:2:");
  expect_error(std::string(), "not well-formed JSON");
  expect_error(std::string("{\"a\": \"\xFF\"}"), "not well-formed JSON");
  expect_error(std::string("[1]"), "expected an object, found array");
  expect_error(std::string(100000, '['), "nested deeper");
}

TEST(MalformedTokenizer, MissingParts) {
  expect_error(std::string("{}"), "'model' is missing");
  expect_error(json{{"model", "BPE"}}, "model: expected an object");
  expect_error(model("vocab", nullptr), "'vocab' is missing");
  expect_error(model("merges", nullptr), "'merges' is missing");
  expect_error(model("merges", "a b"), "'merges' is missing");
  expect_error(json{{"added_tokens", {{{"id", 3}}}}}, "added_tokens[0]: 'content' is missing");
}

TEST(MalformedTokenizer, MergesThatFitNoVocabulary) {
  expect_error(model("merges", {"a b", "a z"}), "model.merges[1]: 'z' is not in model.vocab");
  expect_error(model("merges", {"b a"}), "model.merges[0]: 'ba' is not in model.vocab");
  expect_error(model("merges", {"ab"}), "model.merges[0]: expected two tokens");
  expect_error(model("merges", {"a b c"}), "model.merges[0]: expected two tokens");
  expect_error(model("merges", json::array({json::array({"a"})})), "expected two tokens, found 1");
  expect_error(model("merges", {{"a", "b", "c", "d"}}), "expected two tokens");
  expect_error(model("merges", {7}), "model.merges[0]: expected a string");
  expect_error(model("merges", {{{"a", "b"}}, {"a", json::array()}}), "model.merges[");
}

TEST(MalformedTokenizer, IdsOutOfRange) {
  expect_error(model("vocab", {{"x", -1}}), "model.vocab['x']: the id -1");
  expect_error(model("vocab", {{"x", 4294967296}}), "the id 4294967296");
  expect_error(model("vocab", {{"x", 18446744073709551615u}}), "model.vocab['x']");
  expect_error(model("vocab", {{"x", 1.5}}), "model.vocab['x']: expected an integer id");
  expect_error(model("vocab", {{"x", json::object()}}), "model.vocab['x']: expected an integer id");
  expect_error(model("vocab", {{"x", 1}}), "has the id 1");
  expect_error(json{{"added_tokens", {{{"id", -3}, {"content", "q"}}}}}, "added_tokens[0]: the id -3");
  expect_error(json{{"added_tokens", {{{"id", 1}, {"content", "q"}}}}}, "has the id 1 of 'a'");
  expect_error(json{{"added_tokens", {{{"id", 9}, {"content", "a"}}}}}, "'a' has two ids, 1 and 9");
  expect_error(json{{"added_tokens", {{{"id", "9"}, {"content", "a"}}}}},
               "expected an integer, found string");
}

TEST(MalformedTokenizer, UnknownTypesAreNamed) {
  expect_error(model("type", "Other"), "the model type 'Other' is not supported");
  expect_error(json{{"normalizer", {{"type", "Nope"}}}}, "the normalizer 'Nope'");
  expect_error(json{{"pre_tokenizer", {{"type", "Nope"}}}}, "pre_tokenizer: the pre-tokenizer 'Nope'");
  expect_error(json{{"post_processor", {{"type", "Nope"}}}}, "the post-processor 'Nope'");
  expect_error(json{{"decoder", {{"type", "CTC"}}}}, "the decoder 'CTC'");
  expect_error(json{{"decoder", {{"type", "Sequence"}, {"decoders", {{{"type", 3}}}}}}},
               "decoder.decoders[0].type: expected a string, found number");
  expect_error(model("dropout", 0.1), "'dropout' is not supported");
  expect_error(model("unk_token", "<none>"), "unk_token '<none>' is not in the vocabulary");
  expect_error(model("byte_fallback", 1), "model.byte_fallback: expected true or false");
}

std::string unigram(const std::string& vocab, const std::string& options = R"("unk_id": 0)") {
  return R"({"model": {"type": "Unigram", "vocab": )" + vocab + ", " + options + "}}";
}

TEST(MalformedTokenizer, UnigramPieces) {
  for (const char* piece : {R"(["a"])", R"(["a", "b"])", R"(["a", 1, 2])", R"([1, "a"])", R"("a")", "7",
                            "null", R"(["a", null])", R"(["a", [1]])", R"({"a": 1})", "[]"}) {
    expect_error(unigram(std::string(R"([["<unk>", 0], )") + piece + "]"),
                 "model.vocab[1]: expected [token, score]");
  }
  expect_error(unigram(R"([["a", 0], ["a", 0]])"), "the token 'a' has two ids, 0 and 1");
  expect_error(unigram("[]"), "model: 'vocab' is empty");
  expect_error(unigram(R"([["a", 0]])", R"("unk_id": 1)"), "model: the unk_id 1 is not in the vocabulary");
  expect_error(unigram(R"([["a", 0]])", R"("unk_id": "0")"),
               "model.unk_id: expected an integer, found string");
  expect_error(unigram(R"([["a", 1e999]])"), "not well-formed JSON");
  expect_error(unigram(R"([["a", NaN]])"), "not well-formed JSON");
  expect_error(model("type", "Unigram"), "must be a list of [token, score] for Unigram");
  expect_error(std::string(R"({"model": {"type": "BPE", "vocab": [["a", 0]], "merges": []}})"),
               "must be an object of token: id for BPE");
}

TEST(MalformedTokenizer, AUnigramModelWithoutUnknownSaysWhatItCannotWrite) {
  const Tokenizer tokenizer = Tokenizer::from_json(unigram(R"([["a", -1]])", R"("unk_id": null)"), "t.json");
  EXPECT_EQ(tokenizer.encode("aa", false), (std::vector<int32_t>{0, 0}));
  try {
    tokenizer.encode("ab", false);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "cannot tokenize 'b': the tokenizer has no token for it and no unk_id");
  }
}

TEST(MalformedTokenizer, MergesThatLeadNowhere) {
  // A merge that gives one of its own halves would never end.
  expect_error(std::string(R"({"model": {"vocab": {"": 0, "a": 1}, "merges": [["", "a"]]}})"),
               "model.merges[0]: one of the two tokens is empty");
  expect_error(std::string(R"({"model": {"vocab": {"##": 0, "a": 1}, "continuing_subword_prefix": "##",
                                         "merges": ["a ##"]}})"),
               "model.merges[0]: one of the two tokens is empty");
  expect_error(model("continuing_subword_prefix", "##"), "'b' lacks the continuing_subword_prefix");
}

TEST(MalformedTokenizer, BadOptionsOfSteps) {
  expect_error(json{{"normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", "A*=="}}}},
               "normalizer: precompiled_charsmap: not base64");
  expect_error(json{{"normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", "AAAA"}}}},
               "the charsmap is too short");
  expect_error(json{{"pre_tokenizer", {{"type", "CharDelimiterSplit"}, {"delimiter", "ab"}}}},
               "pre_tokenizer: 'delimiter' must be one character");
  expect_error(json{{"pre_tokenizer", {{"type", "FixedLength"}, {"length", 0}}}},
               "'length' must be at least 1");
  expect_error(json{{"post_processor", {{"type", "BertProcessing"}, {"cls", {"a", 1}}, {"sep", "b"}}}},
               "post_processor: 'sep' must be [token, id]");
  expect_error(json{{"post_processor", {{"type", "BertProcessing"}, {"cls", {"a", 1}}, {"sep", {"b", 99}}}}},
               "the id 99 of 'sep' is not in the vocabulary");
  expect_error(json{{"model", {{"type", "WordLevel"}}}}, "model: 'unk_token' is missing");
}

TEST(MalformedTokenizer, BadPatternsAndTemplates) {
  const json pattern = {{"type", "Split"}, {"pattern", {{"Regex", "(a"}}}, {"behavior", "Isolated"}};
  expect_error(json{{"pre_tokenizer", pattern}}, "pre_tokenizer.pattern: regex '(a'");
  const json post = json::parse(R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}],
                                    "special_tokens": {"<s>": {"ids": [70000]}}})");
  expect_error(json{{"post_processor", post}}, "the id 70000 of '<s>' is not in the vocabulary");
}

TEST(MalformedTokenizer, AFileThatCannotBeReadIsNamed) {
  const auto error = [](const std::string& path) {
    return error_of([&] { Tokenizer::from_json_file(path); });
  };
  EXPECT_EQ(error("/nowhere/tokenizer.json"),
            "/nowhere/tokenizer.json: cannot open: No such file or directory");
  EXPECT_EQ(error("/tmp"), "/tmp: is a folder, not a file");
}

TEST(MalformedTokenizer, CutAnywhereItIsAnError) {
  const std::string text = small_json().dump();
  for (size_t size = 0; size < text.size(); ++size)
    EXPECT_THROW(Tokenizer::from_json(text.substr(0, size), "cut"), Error);
}

}  // namespace
}  // namespace lmc::testing
