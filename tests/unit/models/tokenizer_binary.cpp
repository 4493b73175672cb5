// The binary form gives the same tokenizer; a damaged one is an Error, and never a crash.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <random>

#include "ir/error.h"
#include "models/tokenizer/image.h"
#include "tests/unit/temporary.h"
#include "tokenizer_test_util.h"

namespace lmc::testing {
namespace {

const std::string kText = "O, what a rogue and peasant slave am I!\n  naïve 日本 😀 <bos><|endoftext|> \xFF";

Tokenizer golden(const std::string& name) {
  return Tokenizer::from_json_file(source_path("tests/data/golden/" + name + "/tokenizer.json"));
}

TEST(BinaryTokenizer, WrittenAndMappedAgainGivesTheSameIds) {
  const std::string path = temporary("tokenizer.bin");
  for (const char* name : {"gpt2-a", "gemma3-a"}) {
    const Tokenizer one = golden(name);
    one.write_binary(path);
    const Tokenizer two = Tokenizer::from_binary_file(path);
    std::filesystem::remove(path);  // the map stays
    EXPECT_EQ(one.encode(kText, true), two.encode(kText, true));
    EXPECT_EQ(one.to_binary(), two.to_binary());
    ASSERT_EQ(one.vocab_size(), two.vocab_size());
    for (int32_t id = 0; id < one.vocab_size(); ++id) {
      EXPECT_EQ(one.id_to_token(id), two.id_to_token(id));
      EXPECT_EQ(two.token_to_id(one.id_to_token(id)), id);
      EXPECT_EQ(one.is_special(id), two.is_special(id));
    }
  }
}

TEST(BinaryTokenizer, AnIdOutsideTheVocabularyIsNoToken) {
  const Tokenizer tokenizer = golden("gpt2-a");
  for (const int32_t id : {-1, tokenizer.vocab_size(), INT32_MAX, INT32_MIN}) {
    EXPECT_EQ(tokenizer.id_to_token(id), "");
    EXPECT_FALSE(tokenizer.is_special(id));
  }
}

TEST(BinaryTokenizer, CutAnywhereItIsAnError) {
  const std::string bytes = golden("gpt2-a").to_binary();
  for (size_t size = 0; size < bytes.size(); size += 1 + size / 50) {
    EXPECT_THROW(Tokenizer::from_binary(bytes.substr(0, size), "cut.bin"), Error);
  }
  EXPECT_THROW(Tokenizer::from_binary(bytes + "x", "longer.bin"), Error);
}

TEST(BinaryTokenizer, AnotherVersionOfTheFormatIsNamed) {
  std::string bytes = golden("gpt2-a").to_binary();
  bytes[tokenizer::kImageMagicVersion + 1] = '1';
  try {
    Tokenizer::from_binary(bytes, "old.bin");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("another version of the format"), std::string::npos)
        << error.what();
  }
}

TEST(BinaryTokenizer, ADamagedByteIsFoundByTheChecksum) {
  const std::string bytes = golden("gemma3-a").to_binary();
  for (size_t at = 0; at < bytes.size(); at += 97) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_THROW(Tokenizer::from_binary(damaged, "damaged.bin"), Error);
  }
}

// A checksum only guards against accidents: with a right one, any content is refused or safe to use.
void use_mutated(std::string bytes) {
  tokenizer::ImageHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  header.checksum = tokenizer::image_checksum(bytes);
  std::memcpy(bytes.data(), &header, sizeof header);
  try {
    const Tokenizer tokenizer = Tokenizer::from_binary(std::move(bytes), "mutated.bin");
    const auto ids = tokenizer.encode(kText, true);
    tokenizer.decode(ids, false);
    for (const int32_t id : ids) {
      EXPECT_GE(id, 0);
      EXPECT_LT(id, tokenizer.vocab_size());
    }
    for (int32_t id = 0; id < std::min(tokenizer.vocab_size(), 1000); ++id) tokenizer.id_to_token(id);
  } catch (const Error&) {
  }
}

TEST(BinaryTokenizer, MutatedWithARightChecksumItNeverCrashes) {
  std::mt19937 random(11);
  for (const char* name : {"golden/gpt2-a/tokenizer.json", "golden/gemma3-a/tokenizer.json",
                           "tokenizers/unigram.json", "tokenizers/sp-bpe-bytes.model"}) {
    const std::string bytes = Tokenizer::open(source_path(std::string("tests/data/") + name)).to_binary();
    for (int round = 0; round < 1000; ++round) {
      std::string mutated = bytes;
      const size_t within = round % 3 == 0 ? sizeof(tokenizer::ImageHeader) : bytes.size();
      for (unsigned n = 1 + random() % 4; n > 0; --n) {
        const size_t at = 16 + random() % (within - 16);
        mutated[at] = static_cast<char>(random() % 2 != 0 ? random() : mutated[at] ^ (1u << random() % 8));
      }
      use_mutated(std::move(mutated));
    }
  }
}

TEST(BinaryTokenizer, AFileThatCannotBeReadIsNamed) {
  for (const std::string path : {"/nowhere/tokenizer.bin", "/tmp"}) {
    try {
      Tokenizer::from_binary_file(path);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(path)) << error.what();
    }
  }
}

}  // namespace
}  // namespace lmc::testing
