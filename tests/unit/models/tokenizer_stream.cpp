// Streaming gives the text of batch decoding, in whole characters.
#include <gtest/gtest.h>

#include <random>

#include "models/text/utf8.h"
#include "tokenizer_test_util.h"

namespace lmc::testing {
namespace {

Tokenizer tiny(const std::string& name) {
  return Tokenizer::from_json_file(source_path("models/tiny/" + name + "/tokenizer.json"));
}

TEST(StreamDecoder, HoldsACharacterBackUntilItIsComplete) {
  const Tokenizer tokenizer = tiny("gpt2");
  StreamDecoder stream(tokenizer, false);
  const auto ids = tokenizer.encode("€", false);
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_EQ(stream.push(ids[0]), "");
  EXPECT_EQ(stream.push(ids[1]), "");
  EXPECT_EQ(stream.push(ids[2]), "€");
  EXPECT_EQ(stream.flush(), "");
}

TEST(StreamDecoder, ByteTokensAreHeldUntilTheirRunEnds) {
  const Tokenizer tokenizer = tiny("gemma3");
  StreamDecoder stream(tokenizer, false);
  for (const int32_t id : tokenizer.encode("\u20ac", false)) EXPECT_EQ(stream.push(id), "");
  EXPECT_EQ(stream.push(tokenizer.encode("a", false)[0]), "\u20aca");
}

TEST(StreamDecoder, AnUnfinishedCharacterIsFlushedAsReplacement) {
  const Tokenizer tokenizer = tiny("gpt2");
  StreamDecoder stream(tokenizer, false);
  EXPECT_EQ(stream.push(tokenizer.encode("€", false)[0]), "");
  EXPECT_EQ(stream.flush(), "\ufffd");
  EXPECT_EQ(stream.push(tokenizer.encode("a", false)[0]), "a");  // and starts anew
}

TEST(TokenBytes, AreExactAndJoinedTheText) {
  for (const char* name : {"gpt2", "gemma3"}) {
    const Tokenizer tokenizer = tiny(name);
    const std::vector<std::string> all = tokenizer.token_bytes();
    for (int32_t id = 0; id < tokenizer.vocab_size(); ++id)
      EXPECT_EQ(tokenizer.token_bytes(id), all[static_cast<size_t>(id)]) << name << " " << id;
    const std::string text = "To be, \u20ac or \U0001f600 not.";
    std::string joined;
    for (const int32_t id : tokenizer.encode(text, false)) joined += tokenizer.token_bytes(id);
    EXPECT_EQ(joined, text) << name;
    EXPECT_EQ(tokenizer.token_bytes(tokenizer.encode("\u20ac", false)[1]), "\x82") << name;
    EXPECT_EQ(tokenizer.token_bytes(-1) + tokenizer.token_bytes(1 << 30), "");
  }
}

void check_random_ids(const Tokenizer& tokenizer) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<int32_t> ids(random() % 40);
    // Half of them low, where the single bytes are; some out of range.
    for (int32_t& id : ids) {
      id = static_cast<int32_t>(random() % (random() % 2 != 0 ? 300u : tokenizer.vocab_size() + 5u)) - 2;
    }
    for (const bool skip_special : {false, true}) {
      StreamDecoder stream(tokenizer, skip_special);
      std::string joined;
      for (const int32_t id : ids) {
        const std::string part = stream.push(id);
        EXPECT_TRUE(tokenizer::is_valid_utf8(part));
        joined += part;
      }
      EXPECT_EQ(joined + stream.flush(), tokenizer.decode(ids, skip_special));
    }
  }
}

TEST(StreamDecoder, EqualsBatchDecodingForAnyIds) {
  check_random_ids(tiny("gpt2"));
  check_random_ids(tiny("gemma3"));
}

TEST(StreamDecoder, EqualsBatchDecodingForEveryDecoder) {
  using nlohmann::json;
  const json mark = {{"String", "▁"}};
  const json replace = {{"type", "Replace"}, {"pattern", mark}, {"content", " "}};
  const json fuse = {{"type", "Fuse"}};
  const json strip = {{"type", "Strip"}, {"content", " "}, {"start", 2}, {"stop", 1}};
  for (const json& chain :
       {json{replace}, json{replace, fuse, strip}, json{fuse, replace, strip}, json{{{"type", "Metaspace"}}},
        json{strip, fuse}, json{fuse, {{"type", "ByteFallback"}}}}) {
    SCOPED_TRACE(chain.dump());
    check_random_ids(small_tokenizer({{"decoder", {{"type", "Sequence"}, {"decoders", chain}}}}));
  }
}

TEST(Decoder, StripTakesOnlyTheEndsOfAFusedText) {
  using nlohmann::json;
  const json chain = {{{"type", "Fuse"}}, {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 1}}};
  const auto tokenizer = small_tokenizer({{"decoder", {{"type", "Sequence"}, {"decoders", chain}}}});
  EXPECT_EQ(tokenizer.decode(std::vector<int32_t>{6, 6, 1, 6, 1, 6, 6}, false), " a a ");
}

}  // namespace
}  // namespace lmc::testing
