// Whatever is wrong with a tokenizer.json is one Error that names the file and what it is.
#include <gtest/gtest.h>

#include "ir/error.h"
#include "tokenizer_test_util.h"

namespace lmc::testing {
namespace {

using nlohmann::json;

std::string error_of(const std::string& text) {
  try {
    Tokenizer::from_json(text, "bad.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

void expect_error(const std::string& text, const std::string& part) {
  const std::string error = error_of(text);
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

TEST(MalformedTokenizer, BadPatternsAndTemplates) {
  const json pattern = {{"type", "Split"}, {"pattern", {{"Regex", "(a"}}}, {"behavior", "Isolated"}};
  expect_error(json{{"pre_tokenizer", pattern}}, "pre_tokenizer.pattern: regex '(a'");
  const json post = json::parse(R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}],
                                    "special_tokens": {"<s>": {"ids": [70000]}}})");
  expect_error(json{{"post_processor", post}}, "the id 70000 of '<s>' is not in the vocabulary");
}

TEST(MalformedTokenizer, AFileThatCannotBeReadIsNamed) {
  for (const std::string path : {"/nowhere/tokenizer.json", "/tmp"}) {
    try {
      Tokenizer::from_json_file(path);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(path + ": cannot read")) << error.what();
    }
  }
}

TEST(MalformedTokenizer, CutAnywhereItIsAnError) {
  const std::string text = small_json().dump();
  for (size_t size = 0; size < text.size(); ++size)
    EXPECT_THROW(Tokenizer::from_json(text.substr(0, size), "cut"), Error);
}

}  // namespace
}  // namespace lmc::testing
