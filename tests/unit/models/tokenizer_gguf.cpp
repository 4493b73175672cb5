// Tokenizers out of GGUF metadata give the ids of the files they were made from.
#include <gtest/gtest.h>

#include <functional>

#include "gguf_bytes.h"
#include "ir/error.h"
#include "models/gguf/gguf_writer.h"
#include "models/tokenizer/gguf_tokens.h"
#include "models/tokenizer/json_source.h"
#include "models/tokenizer/protobuf.h"
#include "tokenizer_test_util.h"

namespace lmc::testing {
namespace {

constexpr auto kNoProgress = [](int64_t, int64_t) {};

std::string write(const GgufWriter& w) {
  const std::string path = temporary("tokenizer.gguf");
  w.write(path, kNoProgress);
  return path;
}

void add_flags(GgufWriter& w, bool bos, bool space) {
  w.add("tokenizer.ggml.add_bos_token", bos);
  w.add("tokenizer.ggml.add_space_prefix", space);
}

// As llama.cpp's converter writes the byte-level tokenizer of a tokenizer.json.
GgufWriter byte_level(const nlohmann::json& file) {
  std::vector<std::string> tokens(331);
  std::vector<int32_t> types(tokens.size(), 1);
  for (const auto& [token, id] : file.at("model").at("vocab").items()) tokens.at(id.get<size_t>()) = token;
  for (const auto& added : file.at("added_tokens")) {
    tokens.at(added.at("id").get<size_t>()) = added.at("content");
    types.at(added.at("id").get<size_t>()) = 3;
  }
  std::vector<std::string> merges;
  for (const auto& m : file.at("model").at("merges"))
    merges.push_back(m.is_string() ? m.get<std::string>()
                                   : m[0].get<std::string>() + " " + m[1].get<std::string>());
  GgufWriter w;
  w.add("tokenizer.ggml.model", std::string_view("gpt2"));
  w.add("tokenizer.ggml.pre", std::string_view("gpt-2"));
  w.add("tokenizer.ggml.tokens", tokens);
  w.add("tokenizer.ggml.token_type", types);
  w.add("tokenizer.ggml.merges", merges);
  w.add("tokenizer.ggml.bos_token_id", uint32_t{330});
  return w;
}

// … and the pieces of a SentencePiece model.
GgufWriter pieces_of(const std::string& model) {
  std::vector<std::string> tokens;
  std::vector<float> scores;
  std::vector<int32_t> types;
  tokenizer::WireReader reader(model, "model", "");
  for (tokenizer::WireField field; reader.next(field);) {
    if (field.number() != 1) continue;
    float score = 0;
    int32_t type = 1;
    tokenizer::WireReader piece(field.bytes("piece"), "model", "piece");
    for (tokenizer::WireField f; piece.next(f);) {
      if (f.number() == 1) tokens.emplace_back(f.text("piece"));
      if (f.number() == 2) score = f.real("score");
      if (f.number() == 3) type = static_cast<int32_t>(f.integer("type"));
    }
    scores.push_back(score);
    types.push_back(type);
  }
  GgufWriter w;
  w.add("tokenizer.ggml.model", std::string_view("llama"));
  w.add("tokenizer.ggml.tokens", tokens);
  w.add("tokenizer.ggml.scores", scores);
  w.add("tokenizer.ggml.token_type", types);
  w.add("tokenizer.ggml.bos_token_id", uint32_t{1});
  return w;
}

// A SentencePiece model does not look for its control pieces in text; out of GGUF they are found, as chat
// templates need it. `specials`: compare texts with such too.
void expect_same(const Tokenizer& a, const Tokenizer& b, bool add_special, bool specials = true) {
  ASSERT_EQ(a.vocab_size(), b.vocab_size());
  for (const auto& text : nlohmann::json::parse(read_text(source_path("tests/data/tokenizers/texts.json")))) {
    const auto t = text.get<std::string>();
    if (!specials && (t.find('<') != std::string::npos || t.find('[') != std::string::npos)) continue;
    const auto ids = a.encode(t, add_special);
    EXPECT_EQ(ids, b.encode(t, add_special)) << t;
    EXPECT_EQ(a.decode(ids, true), b.decode(ids, true)) << t;
  }
}

TEST(GgufTokenizer, byte_level_bpe_is_that_of_the_tokenizer_json) {
  const std::string path = source_path("tests/data/golden/gpt2-a/tokenizer.json");
  const auto w = byte_level(nlohmann::json::parse(read_text(path)));
  expect_same(Tokenizer::from_json_file(path), Tokenizer::open(write(w)), true);
}

TEST(GgufTokenizer, sentencepiece_bpe_is_that_of_the_model) {
  for (const bool space : {false, true}) {
    const std::string path = source_path(std::string("tests/data/tokenizers/") +
                                         (space ? "sp-bpe-bytes.model" : "sp-bpe-plain.model"));
    const std::string model = read_text(path);
    for (const bool bos : {false, true}) {
      auto w = pieces_of(model);
      add_flags(w, bos, space);
      expect_same(Tokenizer::from_sentencepiece(model, path, bos, false), Tokenizer::open(write(w)), true,
                  false);
    }
  }
}

TEST(GgufTokenizer, placeholders_are_no_tokenizer) {
  GgufWriter w;
  tokenizer::write_gguf_tokens(w, tokenizer::placeholder_tokens(300));
  tokenizer::mark_placeholders(w);
  const GgufFile file(write(w));
  EXPECT_EQ(file.find("tokenizer.ggml.tokens")->count, 300U);
  EXPECT_FALSE(tokenizer::has_gguf_tokenizer(file));
}

// Written out of a tokenizer.json and read back, the ids are the same.
void expect_round_trip(const std::string& name, const std::string& model, const std::string& pre) {
  const std::string path = source_path("tests/data/golden/" + name + "/tokenizer.json");
  const Tokenizer original = Tokenizer::from_json_file(path);
  auto tokens = tokenizer::gguf_tokens_of(tokenizer::parse_json_source(read_text(path), path),
                                          original.vocab_size(), path);
  ASSERT_TRUE(tokens) << name;
  EXPECT_EQ(tokens->model, model) << name;
  tokens->pre = pre;
  GgufWriter w;
  tokenizer::write_gguf_tokens(w, *tokens);
  const GgufFile file(write(w));
  EXPECT_TRUE(tokenizer::has_gguf_tokenizer(file));
  expect_same(original, Tokenizer::from_gguf(file), true);
}

TEST(GgufTokenizer, a_tokenizer_json_survives_being_written) {
  expect_round_trip("gpt2-a", "gpt2", "gpt-2");
  expect_round_trip("qwen2-b", "gpt2", "qwen2");
  expect_round_trip("llama-b", "llama", "default");
  expect_round_trip("gemma3-a", "llama", "default");
}

TEST(GgufTokenizer, other_kinds_are_not_written) {
  const auto of = [](const nlohmann::json& parts, int64_t vocab) {
    return tokenizer::gguf_tokens_of(tokenizer::parse_json_source(small_json(parts).dump(), "small.json"),
                                     vocab, "small.json");
  };
  EXPECT_FALSE(of(nlohmann::json::object(), 9)) << "neither bytes as letters nor byte tokens";
  const nlohmann::json bytes = {{"pre_tokenizer", {{"type", "ByteLevel"}}}};
  EXPECT_TRUE(of(bytes, 9));
  EXPECT_FALSE(of(bytes, 8)) << "a token behind the last row of the embedding";
  EXPECT_EQ(of(bytes, 12)->tokens[11], "[PAD11]");
}

TEST(GgufTokenizer, what_is_wrong_is_named_by_its_key) {
  const auto base = [] {
    GgufWriter w;
    w.add("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b"});
    return w;
  };
  const struct {
    std::string message;
    std::function<void(GgufWriter&)> spoil;
  } cases[] = {
      {"'tokenizer.ggml.model' is missing", [](GgufWriter&) {}},
      {"'tokenizer.ggml.model' must be text",
       [](GgufWriter& w) { w.add("tokenizer.ggml.model", uint32_t{1}); }},
      {"'t5' is not supported", [](GgufWriter& w) { w.add("tokenizer.ggml.model", std::string_view("t5")); }},
      {"'tokenizer.ggml.scores' is missing",
       [](GgufWriter& w) { w.add("tokenizer.ggml.model", std::string_view("llama")); }},
      {"'tokenizer.ggml.scores' must be one number per token",
       [](GgufWriter& w) {
         w.add("tokenizer.ggml.model", std::string_view("llama"));
         w.add("tokenizer.ggml.scores", std::vector<float>{1});
       }},
      {"'tokenizer.ggml.token_type' must be",
       [](GgufWriter& w) { w.add("tokenizer.ggml.token_type", std::vector<int32_t>{1}); }},
      {"'tokenizer.ggml.merges' is missing",
       [](GgufWriter& w) { w.add("tokenizer.ggml.model", std::string_view("gpt2")); }},
      {"'tokenizer.ggml.merges' holds 'ab', which is no pair",
       [](GgufWriter& w) {
         w.add("tokenizer.ggml.model", std::string_view("gpt2"));
         w.add("tokenizer.ggml.merges", std::vector<std::string>{"ab"});
       }},
      {"'mine' is not supported",
       [](GgufWriter& w) {
         w.add("tokenizer.ggml.model", std::string_view("gpt2"));
         w.add("tokenizer.ggml.merges", std::vector<std::string>{});
         w.add("tokenizer.ggml.pre", std::string_view("mine"));
       }},
      {"'tokenizer.ggml.bos_token_id' is no token",
       [](GgufWriter& w) {
         w.add("tokenizer.ggml.model", std::string_view("llama"));
         w.add("tokenizer.ggml.scores", std::vector<float>{1, 2});
         w.add("tokenizer.ggml.bos_token_id", uint32_t{2});
       }},
  };
  for (const auto& c : cases) {
    GgufWriter w = base();
    c.spoil(w);
    try {
      Tokenizer::open(write(w));
      ADD_FAILURE() << "accepted: " << c.message;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(c.message), std::string::npos) << e.what();
      EXPECT_NE(std::string(e.what()).find("tokenizer.gguf"), std::string::npos) << e.what();
    }
  }
}

}  // namespace
}  // namespace lmc::testing
