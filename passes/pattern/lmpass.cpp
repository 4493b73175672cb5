#include "passes/pattern/lmpass.h"

#include <algorithm>

#include "ir/lexer.h"
#include "ir/text.h"

namespace lmc {
namespace {

using syntax::Lexer;
using syntax::Tok;

constexpr size_t kLongestFile = 1 << 20;  // its statements are kept, each many times its text

class Parser {
 public:
  Parser(std::string_view text, const std::string& file) : lex_(text, {file, 1, 1}) {}

  std::vector<FusionSpec> run() {
    if (!lex_.at_name("pass")) lex_.fail("'pass NAME \"what it does\"' at the start");
    std::vector<FusionSpec> out;
    while (lex_.peek().kind != Tok::end) {
      const Location at = lex_.peek().loc;
      spec_ = {};
      one();
      const bool twice = std::any_of(out.begin(), out.end(),
                                     [&](const FusionSpec& other) { return other.name == spec_.name; });
      once(at, !twice, "pass " + spec_.name);
      out.push_back(std::move(spec_));
    }
    return out;
  }

 private:
  void one() {
    lex_.take();
    const Location at = lex_.peek().loc;
    spec_.name = dashed_name("the pass's name, such as fuse-qkv");
    spec_.doc = text("what the pass does, in quotes");
    while (lex_.peek().kind != Tok::end && !lex_.at_name("pass")) item();
    if (spec_.alternatives.empty()) throw Error(at, "pass " + spec_.name + " has no match");
    finish_alternative();
  }

  void item() {
    const Location at = lex_.peek().loc;
    if (accept("match")) {
      finish_alternative();
      spec_.alternatives.push_back({});
      spec_.alternatives.back().pattern = block();
    } else if (accept("after")) {
      names(spec_.after);
    } else if (accept("before")) {
      names(spec_.before);
    } else if (accept("rival")) {
      names(spec_.rivals);
    } else if (accept("summary")) {
      once(at, spec_.summary.empty(), "summary");
      spec_.summary = text("the line for the user, with {} for the number");
    } else if (accept("approximate")) {
      once(at, spec_.exact, "approximate");
      spec_.exact = false;
      spec_.caches = !accept("logits");
    } else if (accept("setting")) {
      setting(at);
    } else if (accept("example")) {
      once(at, spec_.example.empty(), "example");
      spec_.example = graph();
    } else if (accept("variant")) {
      once(at, alternative(at).variant.empty(), "variant");
      spec_.alternatives.back().variant = plain_name("the variant's name");
    } else if (accept("when")) {
      alternative(at);
      guard();
    } else if (accept("rewrite")) {
      once(at, !complete(alternative(at)), "what takes the match's place");
      spec_.alternatives.back().replacement = block();
    } else if (accept("group")) {
      once(at, !complete(alternative(at)), "what takes the match's place");
      spec_.alternatives.back().group = true;
      if (lex_.peek().kind == Tok::text) spec_.alternatives.back().label = lex_.take().text;
    } else {
      lex_.fail(
          "after, before, rival, summary, setting, approximate, example, match, variant, when, rewrite, "
          "group or "
          "another pass");
    }
  }

  bool accept(std::string_view word) {
    if (!lex_.at_name(word)) return false;
    lex_.take();
    return true;
  }

  static void once(const Location& at, bool first, const std::string& what) {
    if (!first) throw Error(at, what + " is given twice");
  }

  static bool complete(const FusionSpec::Alternative& a) { return a.group || a.replacement.at.line > 0; }

  FusionSpec::Alternative& alternative(const Location& at) {
    if (spec_.alternatives.empty()) throw Error(at, "this belongs behind a match");
    return spec_.alternatives.back();
  }

  void finish_alternative() {
    if (spec_.alternatives.empty() || complete(spec_.alternatives.back())) return;
    throw Error(spec_.alternatives.back().pattern.at, "this match has neither rewrite nor group");
  }

  // fuse-qkv: the lexer knows '-' only as a sign.
  std::string dashed_name(const std::string& expected) {
    if (lex_.peek().kind != Tok::name) lex_.fail(expected);
    std::string out = lex_.take().text;
    while (lex_.next_start() == lex_.last_end() &&
           (lex_.at("-") || lex_.peek().kind == Tok::name || lex_.peek().kind == Tok::integer)) {
      out += lex_.take().text;
    }
    return out;
  }

  std::string plain_name(const std::string& expected) {
    if (lex_.peek().kind != Tok::name) lex_.fail(expected);
    return lex_.take().text;
  }

  std::string text(const std::string& expected) {
    if (lex_.peek().kind != Tok::text) lex_.fail(expected);
    return lex_.take().text;
  }

  void names(std::vector<FusionSpec::Text>& out) {
    do {
      const Location at = lex_.peek().loc;
      out.push_back({dashed_name("the name of a pass"), at});
    } while (lex_.accept(","));
  }

  // setting biased = use | skip "skip leaves projections with a bias alone"
  void setting(const Location& at) {
    FusionSpec::Setting s;
    s.key = plain_name("the setting's name");
    lex_.expect("=", "before the setting's choices");
    do {
      s.choices.push_back(plain_name("a choice"));
    } while (lex_.accept("|"));
    s.doc = text("what the setting does, in quotes");
    for (const auto& other : spec_.settings) once(at, other.key != s.key, "setting " + s.key);
    spec_.settings.push_back(std::move(s));
  }

  // when "the weights have one dtype": dtype(%a) == dtype(%b)
  void guard() {
    FusionSpec::Guard g;
    g.reason = text("the reason in quotes, as it completes \"it does not hold that …\"");
    lex_.expect(":", "between the reason and the condition");
    const size_t start = lex_.next_start();
    g.condition.at = lex_.peek().loc;
    syntax::parse_condition(lex_);
    g.condition.text = lex_.slice(start, lex_.last_end());
    spec_.alternatives.back().guards.push_back(std::move(g));
  }

  // The text between braces, with its place.
  FusionSpec::Text block() {
    const Location opening = lex_.peek().loc;
    lex_.expect("{", "before the statements");
    FusionSpec::Text out;
    const size_t start = lex_.next_start();
    out.at = lex_.peek().loc;
    skip_to_closing(opening);
    out.text = lex_.slice(start, lex_.last_end());
    lex_.take();
    return out;
  }

  // Leaves the closing brace as the next token.
  void skip_to_closing(const Location& opening) {
    for (int depth = 0; !lex_.at("}") || depth > 0; lex_.take()) {
      if (lex_.peek().kind == Tok::end) throw Error(opening, "this brace is not closed");
      depth += lex_.at("{") ? 1 : lex_.at("}") ? -1 : 0;
    }
  }

  std::string graph() {
    const size_t start = lex_.next_start();
    const Location at = lex_.peek().loc;
    if (!lex_.at_name("graph")) lex_.fail("a graph in text form");
    while (!lex_.at("{")) {
      if (lex_.peek().kind == Tok::end) throw Error(at, "the example has no statements");
      lex_.take();
    }
    lex_.take();
    skip_to_closing(at);
    lex_.take();
    std::string out(lex_.slice(start, lex_.last_end()));
    parse_graph(out, at);
    return out;
  }

  Lexer lex_;
  FusionSpec spec_;
};

}  // namespace

std::vector<FusionSpec> parse_lmpass(std::string_view text, const std::string& file) {
  if (text.size() > kLongestFile) throw Error(Location{file}, "a file of passes may have 1 MB at most");
  std::vector<FusionSpec> specs = Parser(text, file).run();
  for (const FusionSpec& s : specs) check_fusion(s);
  return specs;
}

}  // namespace lmc
