// SentencePiece models written field by field: what is read, and what is refused with the field's name.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <random>

#include "ir/error.h"
#include "tests/unit/error_of.h"
#include "tests/unit/temporary.h"
#include "tokenizer_test_util.h"

namespace lmc::testing {
namespace {

// The wire format of protocol buffers.
std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}
std::string integer(int field, uint64_t value) {
  return varint(static_cast<uint64_t>(field) << 3) + varint(value);
}
std::string bytes(int field, const std::string& value) {
  return varint(static_cast<uint64_t>(field) << 3 | 2) + varint(value.size()) + value;
}
std::string real(int field, float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  std::string out = varint(static_cast<uint64_t>(field) << 3 | 5);
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(bits >> shift);
  return out;
}

std::string piece(const std::string& text, float score, int type = 1) {
  return bytes(1, bytes(1, text) + real(2, score) + integer(3, static_cast<uint64_t>(type)));
}
const std::string kBpe = bytes(2, integer(3, 2));
const std::string kUnigram = bytes(2, integer(3, 1));

// Letters a, b, c and the space mark, "ab" and "bc", of which "bc" has the better score.
std::string small_model(const std::string& more = kBpe) {
  return piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3) + piece("ab", -2) + piece("bc", -1) +
         piece("a", -3) + piece("b", -4) + piece("c", -5) + piece("▁", -6) + more;
}

Tokenizer read(const std::string& model) {
  return Tokenizer::from_sentencepiece(model, "t.model", true, false);
}

std::string model_error(const std::string& model) {
  return error_of([&] { read(model); });
}

TEST(SentencePiece, BpeJoinsThePairWithTheBestScoreFirst) {
  EXPECT_EQ(tokens_of(read(small_model()), "abc"), "▁|a|bc");
  EXPECT_EQ(tokens_of(read(small_model()), "ab c"), "▁|ab|▁|c");
}

TEST(SentencePiece, UnigramTakesTheLikeliestWhole) {
  EXPECT_EQ(tokens_of(read(small_model(kUnigram)), "abc"), "▁|a|bc");
  EXPECT_EQ(tokens_of(read(small_model(kUnigram + piece("▁ab", -1))), "abc"), "▁ab|c");
}

TEST(SentencePiece, ARunOfUnknownCharactersIsOneToken) {
  for (const std::string& kind : {kBpe, kUnigram}) {
    EXPECT_EQ(tokens_of(read(small_model(kind)), "axyb"), "▁|a|<unk>|b");
    EXPECT_EQ(read(small_model(kind)).decode(std::vector<int32_t>{5, 0, 6}, true), "a \u2047 b");
  }
}

TEST(SentencePiece, ControlPiecesAreNoText) {
  EXPECT_EQ(tokens_of(read(small_model()), "<s>a"), "▁|<unk>|a");
  EXPECT_EQ(read(small_model()).decode(std::vector<int32_t>{1, 8, 5, 2}, true), "a");
  EXPECT_TRUE(read(small_model()).is_special(1));
  EXPECT_FALSE(read(small_model()).is_special(0));
}

TEST(SentencePiece, BosAndEosAreAddedAsTold) {
  const auto with = [](bool bos, bool eos) {
    return tokens_of(Tokenizer::from_sentencepiece(small_model(), "t.model", bos, eos), "a", true);
  };
  EXPECT_EQ(with(true, false), "<s>|▁|a");
  EXPECT_EQ(with(true, true), "<s>|▁|a|</s>");
  EXPECT_EQ(with(false, false), "▁|a");
}

TEST(SentencePiece, TheConfigBesideAModelSaysWhatIsAdded) {
  const std::filesystem::path folder = temporary("sentencepiece");
  std::filesystem::create_directory(folder);
  std::ofstream(folder / "tokenizer.model", std::ios::binary) << small_model();
  EXPECT_EQ(tokens_of(Tokenizer::open(folder), "a", true), "<s>|▁|a");
  std::ofstream(folder / "tokenizer_config.json") << R"({"add_bos_token": false, "add_eos_token": true})";
  EXPECT_EQ(tokens_of(Tokenizer::open(folder), "a", true), "▁|a|</s>");
  std::ofstream(folder / "tokenizer_config.json") << R"({"add_bos_token": 7})";
  EXPECT_THROW(Tokenizer::open(folder), Error);
  std::filesystem::remove_all(folder);
  EXPECT_THROW(Tokenizer::open(folder), Error);
}

TEST(SentencePiece, AWrongFieldIsNamed) {
  EXPECT_EQ(model_error(""), "t.model: not a SentencePiece model: it holds no pieces");
  EXPECT_EQ(model_error(small_model(kBpe + piece("d", std::nanf("")))),
            "t.model: pieces[9].score: is not a finite number");
  EXPECT_EQ(model_error(small_model(kBpe + piece("d", INFINITY))),
            "t.model: pieces[9].score: is not a finite number");
  EXPECT_EQ(model_error(small_model(kBpe + piece("d", 0, 7))),
            "t.model: pieces[9].type: expected 1 to 6, found 7");
  EXPECT_EQ(model_error(small_model(kBpe + piece("", 0))), "t.model: pieces[9].piece: is missing or empty");
  EXPECT_EQ(model_error(small_model(kBpe + piece("\xFF", 0))), "t.model: pieces[9].piece: is not UTF-8");
  EXPECT_EQ(model_error(small_model(kBpe + piece("a", 0))), "t.model: the token 'a' has two ids, 5 and 9");
  EXPECT_EQ(model_error(small_model(kBpe + piece("what", 0, 2))),
            "t.model: pieces[9].type: a second piece is of the type UNKNOWN");
  EXPECT_EQ(model_error(small_model(kBpe + piece("<0xG0>", 0, 6))),
            "t.model: pieces[9].piece: a byte must be written as <0x00> to <0xFF>");
  EXPECT_EQ(model_error(piece("a", 0)), "t.model: pieces: none of them is of the type UNKNOWN");
  EXPECT_EQ(model_error(small_model(bytes(2, integer(3, 4)))),
            "t.model: trainer_spec.model_type: only 1 (Unigram) and 2 (BPE) are supported, found 4");
  EXPECT_EQ(model_error(small_model(bytes(2, integer(35, 1)))),
            "t.model: pieces: byte_fallback needs 256 pieces of the type BYTE, found 0");
  EXPECT_EQ(model_error(small_model(integer(2, 1))),
            "t.model: trainer_spec: expected a string, found an integer");
  EXPECT_EQ(model_error(small_model(bytes(3, bytes(3, "yes")))),
            "t.model: normalizer_spec.add_dummy_prefix: expected an integer, found a string");
  EXPECT_EQ(model_error(small_model(bytes(5, bytes(2, "rules")))),
            "t.model: denormalizer_spec.precompiled_charsmap: rules for decoding are not supported");
}

TEST(SentencePiece, ABadCharsmapIsRefused) {
  const auto with = [](const std::string& blob) {
    return model_error(small_model(bytes(3, bytes(2, blob))));
  };
  const std::string word = std::string(4, '\0');
  EXPECT_NE(with("ab").find("precompiled_charsmap: the charsmap is too short"), std::string::npos);
  EXPECT_NE(with("\xFF\xFF\xFF\x7F" + word).find("a bad size of 2147483647 bytes"), std::string::npos);
  EXPECT_NE(with(std::string("\4\0\0\0", 4) + word + "abc").find("ends in NUL"), std::string::npos);
  EXPECT_NE(with(std::string("\4\0\0\0\7\0\0\x80", 8) + std::string("a\0", 2)).find("points outside"),
            std::string::npos);
}

TEST(SentencePiece, CutAnywhereItIsAnErrorOrHasFewerPieces) {
  const std::string model = small_model(kBpe + bytes(3, integer(3, 1)));
  for (size_t size = 0; size < model.size(); ++size) {
    const std::string error = model_error(model.substr(0, size));
    EXPECT_TRUE(error.empty() || error.starts_with("t.model: ")) << error;
  }
  EXPECT_NE(model_error(model.substr(0, 5)).find("not a sound protocol buffer"), std::string::npos);
}

TEST(SentencePiece, MutatedItNeverCrashes) {
  std::mt19937 random(5);
  for (const char* name : {"sp-bpe.model", "sp-unigram-bytes.model"}) {
    const std::string model = read_text(source_path(std::string("tests/data/tokenizers/") + name));
    for (int round = 0; round < 1000; ++round) {
      std::string mutated = model;
      for (unsigned n = 1 + random() % 4; n > 0; --n)
        mutated[random() % mutated.size()] = static_cast<char>(random());
      try {
        const Tokenizer tokenizer = read(mutated);
        tokenizer.decode(tokenizer.encode("Hello wörld ﬁ½ <sep>lord\n\xFF", true), false);
      } catch (const Error&) {
      }
    }
  }
}

}  // namespace
}  // namespace lmc::testing
