// Every text of the reference vectors gives the reference's ids and text, from JSON and from the binary form.
#include <gtest/gtest.h>

#include <filesystem>

#include "tokenizer_test_util.h"

namespace lmc::testing {
namespace {

using Ids = std::vector<int32_t>;

std::string stream_decode(const Tokenizer& tokenizer, const Ids& ids, bool skip_special) {
  StreamDecoder stream(tokenizer, skip_special);
  std::string out;
  for (const int32_t id : ids) out += stream.push(id);
  return out + stream.flush();
}

void check_vector(const Tokenizer& tokenizer, const nlohmann::json& vector) {
  const auto ids = vector.at("ids").get<Ids>();
  SCOPED_TRACE(vector.value("text", vector.at("ids").dump()));
  if (vector.contains("text")) {
    EXPECT_EQ(tokenizer.encode(vector.at("text").get<std::string>(), false), ids);
  }
  const auto with_special = vector.value("ids_with_special", Ids());
  if (vector.contains("ids_with_special")) {
    EXPECT_EQ(tokenizer.encode(vector.at("text").get<std::string>(), true), with_special);
  }
  if (vector.contains("decoded")) {
    EXPECT_EQ(tokenizer.decode(ids, false), vector.at("decoded").get<std::string>());
  }
  if (vector.contains("decoded_skip_special")) {
    EXPECT_EQ(tokenizer.decode(ids, true), vector.at("decoded_skip_special").get<std::string>());
  }
  EXPECT_EQ(stream_decode(tokenizer, ids, false), tokenizer.decode(ids, false));
  EXPECT_EQ(stream_decode(tokenizer, with_special, true), tokenizer.decode(with_special, true));
}

void check_vectors(const Tokenizer& from_json, const nlohmann::json& file, const char* key) {
  const Tokenizer from_binary = Tokenizer::from_binary(from_json.to_binary(), "binary form");
  const nlohmann::json& vectors = file.is_object() ? file.at(key) : file;
  ASSERT_FALSE(vectors.empty());
  for (const auto& vector : vectors) {
    check_vector(from_json, vector);
    check_vector(from_binary, vector);
  }
}

class GoldenTokenizer : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenTokenizer, GivesTheReferencesIdsAndText) {
  const std::string folder = source_path(std::string("tests/data/golden/") + GetParam());
  check_vectors(Tokenizer::from_json_file(folder + "/tokenizer.json"),
                nlohmann::json::parse(read_text(folder + "/golden.json")), "text_vectors");
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, GoldenTokenizer,
                         ::testing::Values("olmo2-a", "smollm3-a", "qwen3moe-a", "glm4-a", "cohere2-a",
                                           "gptoss-a", "gptoss-b", "gpt2-a", "gpt2-b", "gemma3-a", "gemma3-b",
                                           "gemma3-c", "gemma3-mm"));

// Small ones, made by the scripts beside them: each has other features, the vectors are the reference
// libraries'.
class SmallTokenizer : public ::testing::TestWithParam<const char*> {};

TEST_P(SmallTokenizer, GivesTheReferencesIdsAndText) {
  const std::string file = source_path(std::string("tests/data/tokenizers/") + GetParam());
  const std::string vectors = file.substr(0, file.rfind('.')) + ".vectors.json";
  check_vectors(Tokenizer::open(file), nlohmann::json::parse(read_text(vectors)), "vectors");
}

INSTANTIATE_TEST_SUITE_P(HuggingFace, SmallTokenizer,
                         ::testing::Values("added.json", "bpe-bytes.json", "bpe-prefix.json",
                                           "bpe-suffix.json", "splits.json", "unigram.json",
                                           "unigram-bytes.json", "wordlevel.json", "wordpiece.json"));
INSTANTIATE_TEST_SUITE_P(SentencePiece, SmallTokenizer,
                         ::testing::Values("sp-unigram.model", "sp-unigram-bytes.model", "sp-bpe.model",
                                           "sp-bpe-bytes.model", "sp-bpe-plain.model",
                                           "sp-bpe-suffix.model"));

class PublishedTokenizer : public ::testing::TestWithParam<const char*> {};

TEST_P(PublishedTokenizer, GivesTheReferencesIdsAndText) {
  const std::string folder = shared_path(std::string("tokenizers/") + GetParam());
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " does not exist (set LMC_SHARED)";
  const Tokenizer tokenizer = Tokenizer::from_json_file(folder + "/tokenizer.json");
  for (const char* name : {"/vectors.json", "/vectors_ext.json"}) {
    if (!std::filesystem::exists(folder + name)) continue;
    check_vectors(tokenizer, nlohmann::json::parse(read_text(folder + name)), "vectors");
  }
}

INSTANTIATE_TEST_SUITE_P(Shared, PublishedTokenizer,
                         ::testing::Values("gpt2", "gemma-like", "falcon", "starcoder", "llama-spm",
                                           "llama-spm-metaspace", "phi-3", "llama3-like", "qwen2-like"));

TEST(TinyTokenizer, RoundTripsItsTrainingLanguage) {
  for (const char* name : {"gemma3", "gpt2"}) {
    const auto tokenizer =
        Tokenizer::from_json_file(source_path(std::string("models/tiny/") + name + "/tokenizer.json"));
    EXPECT_EQ(tokenizer.vocab_size(), 2048);
    const std::string text = "First Citizen:\nBefore we proceed any further, hear me speak.\n\n  été 日本 😀";
    const auto ids = tokenizer.encode(text, true);
    EXPECT_EQ(tokenizer.decode(ids, true), text);
  }
}

}  // namespace
}  // namespace lmc::testing
