// A megabyte without a space is as good as any other text: the work grows with its length, not with the
// square. Quadratic work would take hours, so that these end at all is the test.
#include <gtest/gtest.h>

#include "tokenizer_test_util.h"

namespace lmc::testing {
namespace {

std::string repeated(const std::string& part, size_t bytes) {
  std::string out;
  while (out.size() < bytes) out += part;
  return out;
}

class LongText : public ::testing::TestWithParam<const char*> {};

TEST_P(LongText, IsTokenizedInOneGo) {
  const Tokenizer tokenizer = Tokenizer::open(source_path(GetParam()));
  const auto check = [&](const char* part, size_t bytes) {
    SCOPED_TRACE(part);
    const std::string text = repeated(part, bytes);
    const auto ids = tokenizer.encode(text, false);
    EXPECT_LE(ids.size(), text.size() * 3 + 3);  // an invalid byte becomes U+FFFD; a space in front
    tokenizer.decode(ids, false);
  };
  check("a", 1 << 20);
  check(" ", 1 << 20);
  for (const char* part : {"\n", "ab", "1", ".", "é", "日", "<s>", " a", "\u0301", "\xFF"})
    check(part, 1 << 16);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, LongText,
    ::testing::Values("models/tiny/gpt2/tokenizer.json", "models/tiny/gemma3/tokenizer.json",
                      "tests/data/tokenizers/splits.json", "tests/data/tokenizers/bpe-suffix.json",
                      "tests/data/tokenizers/wordpiece.json", "tests/data/tokenizers/unigram-bytes.json",
                      "tests/data/tokenizers/sp-unigram.model", "tests/data/tokenizers/sp-bpe-bytes.model"));

}  // namespace
}  // namespace lmc::testing
