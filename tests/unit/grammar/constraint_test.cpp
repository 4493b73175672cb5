#include <gtest/gtest.h>

#include <algorithm>

#include "../error_of.h"
#include "../from_environment.h"
#include "grammar/gbnf.h"
#include "grammar/grammar_constraint.h"
#include "grammar/json_schema.h"
#include "grammar/regex.h"
#include "reference.h"
#include "runtime/random.h"
#include "texts.h"

namespace lmc::grammar {
namespace {

using test::bytes_and;

GrammarConstraint under(const Grammar& g, const std::shared_ptr<const Vocabulary>& v) {
  return GrammarConstraint(std::make_shared<CompiledGrammar>(g, v));
}

TEST(GrammarConstraint, AllowsWhatGoesOnAndEndsWhereItMay) {
  const auto v = bytes_and({"ab", "abab", "b\"", "xyz"});
  const int32_t ab = 256, abab = 257, end = 260;
  GrammarConstraint c = under(grammar_of_gbnf("root ::= \"ab\"{1,3}", "g"), v);
  EXPECT_EQ(c.allowed().ids(), (std::vector<int32_t>{'a', ab, abab}));
  EXPECT_FALSE(c.allows(end));
  EXPECT_FALSE(c.allows(-1));
  EXPECT_FALSE(c.allows(1000));
  c.accept(abab);
  EXPECT_TRUE(c.allows(end));
  EXPECT_EQ(c.allowed().ids(), (std::vector<int32_t>{'a', ab, end})) << "abab is too much";
  c.accept('a');
  EXPECT_EQ(c.forced(), 'b');
  EXPECT_FALSE(c.allows(end));
  c.accept('b');
  EXPECT_EQ(c.forced(), end) << "nothing else may follow";
  EXPECT_FALSE(c.ended());
  c.accept(end);
  EXPECT_TRUE(c.ended());
  EXPECT_EQ(c.choices(), 0);
  EXPECT_EQ(error_of([&] { c.accept('a'); }), "token 97 may not come here under the grammar");
  c.roll_back(2);
  EXPECT_EQ(c.accepted(), 2);
  EXPECT_EQ(c.forced(), 'b');
  c.restart();
  EXPECT_EQ(c.choices(), 3);
}

TEST(GrammarConstraint, EndsByItselfWithoutAnEndId) {
  const auto v =
      std::make_shared<const Vocabulary>(std::vector<std::string>{"a", "b"}, std::vector<int32_t>{});
  GrammarConstraint c = under(grammar_of_regex("ab?", "r"), v);
  c.accept(0);
  EXPECT_FALSE(c.ended());
  c.accept(1);
  EXPECT_TRUE(c.ended());
  EXPECT_EQ(c.choices(), 0);
}

TEST(GrammarConstraint, SaysWhereTheVocabularyLacksAByte) {
  const auto v =
      std::make_shared<const Vocabulary>(std::vector<std::string>{"a", "b"}, std::vector<int32_t>{});
  GrammarConstraint c = under(grammar_of_regex("ac", "r"), v);
  c.accept(0);
  EXPECT_FALSE(c.ended());
  EXPECT_EQ(c.choices(), 0);
}

// A random grammar in GBNF over a few letters: rules call later ones anywhere, and earlier ones behind a
// letter.
class RandomGrammar {
 public:
  explicit RandomGrammar(uint64_t seed) : random_(seed) {}
  std::string text() {
    rules_ = 1 + below(5);
    std::string out;
    for (at_ = 0; at_ < rules_; ++at_) out += name(at_) + " ::= " + alternatives(2) + "\n";
    return out;
  }

 private:
  uint64_t below(uint64_t n) { return random_.next() % n; }
  static std::string name(uint64_t rule) { return rule == 0 ? "root" : "r" + std::to_string(rule); }
  std::string alternatives(int depth) {
    std::string out = sequence(depth);
    while (below(3) == 0) out += " | " + sequence(depth);
    return out;
  }
  std::string sequence(int depth) {
    std::string out;
    for (uint64_t n = below(4); n > 0; --n) out += (out.empty() ? "" : " ") + item(depth);
    return out.empty() ? "\"\"" : out;
  }
  std::string item(int depth) {
    static const char* const kTurns[] = {"", "", "", "?", "*", "+", "{2}", "{0,3}", "{1,2}", "{2,}"};
    std::string out;
    switch (below(depth > 0 ? 6 : 4)) {
      case 0:
        out = "[a-c]";
        break;
      case 1:
        out = below(4) == 0 ? "[^ab]" : "\"b\"";
        break;
      case 2:
        out = below(2) == 0 ? "\"ab\"" : "\"\xc3\xa9\"";
        break;
      case 3:
        if (at_ + 1 < rules_ && below(3) != 0)
          out = name(at_ + 1 + below(rules_ - at_ - 1));
        else
          out = "\"a\" " + name(below(rules_));
        break;
      default:
        out = "(" + alternatives(depth - 1) + ")";
        break;
    }
    const std::string turns = kTurns[below(std::size(kTurns))];
    return turns.empty() ? out : "(" + out + ")" + turns;
  }

  Random random_;
  uint64_t rules_ = 1, at_ = 0;
};

std::vector<std::string> some_tokens() {
  std::vector<std::string> out = {"a", "b", "c", "d", "\xc3", "\xa9", "\xc3\xa9"};
  for (const char* two : {"aa", "ab", "ba", "bb", "ca", "abc", "aab", "bba", "b\xc3",
                          "\xa9"
                          "a",
                          "abab", "cccc", "dd", "abcabcabc"})
    out.emplace_back(two);
  out.emplace_back();
  return out;
}

// Every mask along random texts is what the reference says of every token.
TEST(GrammarConstraint, PropertyMasksAreThoseOfTheReference) {
  const uint64_t rounds = from_environment("LMC_PROPERTY_ROUNDS", 80),
                 seed = from_environment("LMC_PROPERTY_SEED", 1);
  const std::vector<std::string> tokens = some_tokens();
  const auto end = static_cast<int32_t>(tokens.size() - 1);
  const auto v = std::make_shared<const Vocabulary>(tokens, std::vector<int32_t>{end});
  uint64_t compared = 0, refused = 0;
  for (uint64_t round = 0; round < rounds; ++round) {
    const std::string text = RandomGrammar(seed * 1000003 + round).text();
    const Grammar g = grammar_of_gbnf(text, "g");
    test::Reference reference(g);
    std::shared_ptr<CompiledGrammar> compiled;
    try {
      compiled = std::make_shared<CompiledGrammar>(g, v);
    } catch (const Error& e) {
      ++refused;
      const std::string why = e.what();
      if (why.find("left recursion") != std::string::npos || why.find("may be empty") != std::string::npos)
        continue;
      ASSERT_NE(why.find("no text has an end"), std::string::npos) << why << "\n" << text;
      ASSERT_FALSE(reference.begins("")) << text;
      continue;
    }
    GrammarConstraint c(compiled);
    Random random(round);
    std::string so_far;
    for (int step = 0; step < 8; ++step) {
      for (int32_t id = 0; id < end; ++id) {
        const bool may = reference.begins(so_far + tokens[static_cast<size_t>(id)]);
        ASSERT_EQ(c.allows(id), may) << tokens[static_cast<size_t>(id)] << " behind '" << so_far
                                     << "' under\n"
                                     << text;
        ASSERT_EQ(c.allowed().contains(id), may)
            << tokens[static_cast<size_t>(id)] << " behind '" << so_far << "' under\n"
            << text;
        ++compared;
      }
      ASSERT_EQ(c.allowed().contains(end), reference.takes(so_far))
          << "the end behind '" << so_far << "' under\n"
          << text;
      std::vector<int32_t> ids = c.allowed().ids();
      ASSERT_EQ(static_cast<int64_t>(ids.size()), c.choices());
      std::erase(ids, end);
      if (ids.empty()) break;
      const int32_t id = ids[random.next() % ids.size()];
      c.accept(id);
      so_far += tokens[static_cast<size_t>(id)];
    }
  }
  EXPECT_GT(compared, rounds * 20);
  EXPECT_LT(refused, rounds / 2);
}

TEST(GrammarConstraint, CountsAreTheSameHoweverFarAway) {
  // Masks are shared among counts that no token can reach; those near the end are not.
  const auto v = bytes_and({"xx", "xxxx", std::string(20, 'x')});
  GrammarConstraint c = under(grammar_of_gbnf("root ::= ([a-z] [0-9]? [a-z]? \"some words that make it too "
                                              "long to be copied out in full, xxxxxxxxxxx\"?){3,60} \".\"",
                                              "g"),
                              v);
  for (int i = 0; i < 60; ++i) {
    EXPECT_EQ(c.allows('.'), i >= 3) << i;
    EXPECT_EQ(c.allowed().contains('.'), i >= 3) << i;
    c.accept('q');
    c.accept('5');
  }
  EXPECT_EQ(c.allowed().contains('q'), true) << "the last turn has a second letter";
}

TEST(GrammarConstraint, HostileGrammarsAreBounded) {
  const auto v = bytes_and();
  // Alternatives that differ only in who called: stacks share what they have in common.
  GrammarConstraint c = under(
      grammar_of_gbnf("root ::= x | y\nx ::= \"a\" root \"b\" | \"c\"\ny ::= \"a\" root \"d\" | \"c\"", "g"),
      v);
  for (int i = 0; i < 900; ++i) c.accept('a');
  c.accept('c');
  for (int i = 0; i < 900; ++i) {
    ASSERT_TRUE(c.allows('b') && c.allows('d')) << i;
    c.accept(i % 2 == 0 ? 'b' : 'd');
  }
  EXPECT_TRUE(c.may_end());
  // Deeper than stacks go: the text ends otherwise.
  GrammarConstraint deep = under(grammar_of_json_object(), v);
  deep.accept('{');
  for (const char b : std::string_view("\"a\":")) deep.accept(b);
  int depth = 0;
  for (; deep.allows('['); ++depth) deep.accept('[');
  EXPECT_GT(depth, 200);
  EXPECT_LE(depth, 1000);
  EXPECT_TRUE(deep.allows('1'));
  // A right recursion makes no stack.
  GrammarConstraint list = under(grammar_of_gbnf("root ::= \"a\" root | \"b\"", "g"), v);
  for (int i = 0; i < 20000; ++i) list.accept('a');
  EXPECT_TRUE(list.allows('b'));
  // A hundred thousand turns, counted.
  GrammarConstraint many = under(grammar_of_gbnf("root ::= (\"ab\" [0-9]? \"long enough to be counted "
                                                 "instead of being copied out, every time\"?){100000}",
                                                 "g"),
                                 v);
  for (int i = 0; i < 5000; ++i) {
    many.accept('a');
    many.accept('b');
  }
  EXPECT_FALSE(many.may_end());
  // Counts that come out in every way there is.
  const std::string why = error_of([&] {
    GrammarConstraint wild = under(
        grammar_of_gbnf("root ::= ((((\"a\" | \"aa\" | \"aaa\"){0,90000}){0,90000}){0,90000}){0,90000}", "g"),
        v);
    for (int i = 0; i < 2000; ++i) wild.accept('a');
  });
  EXPECT_TRUE(why.empty() || why.find("too ambiguous") != std::string::npos ||
              why.find("may be empty") != std::string::npos)
      << why;
}

TEST(GrammarConstraint, AMaskMayCostWhatItsVocabularyIsLargeFor) {
  // Every turn calls the root again in two ways: each token is another set of readings.
  const Grammar wild =
      grammar_of_gbnf("root ::= \"a\"{0,1} ([^b]root{73} | r)+ *.\nr ::= \"x\" r\"\"\n", "g");
  const auto few = std::make_shared<CompiledGrammar>(wild, bytes_and({}));
  std::vector<std::string> more(1000, std::string(100, 'x'));
  for (size_t i = 0; i < more.size(); ++i) more[i] += std::to_string(i);
  const auto many = std::make_shared<CompiledGrammar>(wild, bytes_and(more));
  EXPECT_GT(many->most_steps(), few->most_steps() + 8 * 100 * more.size());
  GrammarConstraint text(few);
  EXPECT_NE(error_of([&] {
              for (int i = 0; i < 200; ++i) text.accept(text.allowed().ids().front());
            }).find("too ambiguous"),
            std::string::npos);
}

}  // namespace
}  // namespace lmc::grammar
