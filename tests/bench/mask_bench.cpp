// Masks of constrained answers: how long each takes while a text of a schema is written token by token, with
// the grammar compiled anew for every text (cold) and kept (warm). The vocabulary has 262,144 entries: made
// up, or that of the tokenizer.json or bundle which LMC_BENCH_TOKENIZER names.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <unordered_map>
#include <vector>

#include "grammar/gbnf.h"
#include "grammar/grammar_constraint.h"
#include "grammar/json_schema.h"
#include "grammar/regex.h"
#include "models/tokenizer/tokenizer.h"
#include "runtime/random.h"

namespace lmc::grammar {
namespace {

// Words, their beginnings with a blank and capitals, punctuation of JSON and code, runs of blanks, characters
// of other scripts and single bytes: of the lengths that real ones have.
std::vector<std::string> made_up_vocabulary() {
  constexpr size_t kSize = 262144;
  std::unordered_map<std::string, int> seen;
  std::vector<std::string> out(4);  // control tokens
  const auto add = [&](const std::string& text) {
    if (out.size() < kSize && seen.emplace(text, 0).second) out.push_back(text);
  };
  for (int b = 0; b < 256; ++b) add(std::string(1, static_cast<char>(b)));
  for (size_t n = 1; n < 32; ++n) {
    add(std::string(n, ' '));
    add(std::string(n, '\n'));
    add(std::string(n, '\t'));
  }
  const std::string marks = "{}[]():,;.\"'\\/<>=+-*&|!?#%@_`~$^";
  for (const char a : marks) {
    for (const char b : marks) {
      add({a, b});
      add({' ', a, b});
      for (const char c : marks) add({a, b, c});
    }
  }
  Random random(7);
  const auto pick = [&](const std::string& from) {
    return from[static_cast<size_t>(random.uniform() * static_cast<double>(from.size()))];
  };
  while (out.size() < kSize) {
    std::string word;
    const auto length = 2 + static_cast<int>(random.uniform() * random.uniform() * 12);
    const double kind = random.uniform();
    for (int i = 0; i < length; ++i) {
      if (kind < 0.3)
        word += utf8(0x400 + static_cast<uint32_t>(random.uniform() * 0x4000));
      else
        word += pick(i % 2 == 0 ? "bcdfghjklmnprstvwz" : "aeiou");
    }
    add(word);
    add(" " + word);
    if (kind > 0.9) add(word + pick("\",.:;)]}\n"));
    if (kind > 0.95) add("\"" + word);
  }
  return out;
}

const std::shared_ptr<const Vocabulary>& vocabulary() {
  static const auto made = [] {
    const char* file = std::getenv("LMC_BENCH_TOKENIZER");
    std::vector<std::string> texts = file ? Tokenizer::open(file).token_bytes() : made_up_vocabulary();
    const std::vector<int32_t> ends = {1};
    return std::make_shared<const Vocabulary>(std::move(texts), ends);
  }();
  return made;
}

// The longest token first, as a tokenizer mostly does.
std::vector<int32_t> tokens_of(const std::string& text) {
  static const auto ids = [] {
    std::unordered_map<std::string, int32_t> out;
    for (int32_t id = 0; id < vocabulary()->size(); ++id) out.emplace(vocabulary()->text(id), id);
    return out;
  }();
  std::vector<int32_t> out;
  for (size_t at = 0; at < text.size();) {
    size_t n = std::min(text.size() - at, static_cast<size_t>(vocabulary()->longest()));
    while (n > 1 && !ids.contains(text.substr(at, n))) --n;
    out.push_back(ids.at(text.substr(at, n)));
    at += n;
  }
  return out;
}

struct Case {
  const char* name;
  Grammar (*grammar)();
  const char* text;
};

const Case kCases[] = {
    {"person",
     [] {
       return grammar_of_json_schema(R"({"type":"object","properties":{"name":{"type":"string"},
         "age":{"type":"integer","minimum":0,"maximum":130},"email":{"type":"string","format":"email"},
         "tags":{"type":"array","items":{"type":"string"}},"role":{"enum":["admin","user","guest"]}},
         "required":["name","age","role"],"additionalProperties":false})",
                                     "s");
     },
     R"({"name": "Ada Lovelace", "age": 36, "email": "ada@example.org", "tags": ["mathematics", "poetry of numbers"], "role": "admin"})"},
    {"tool_call",
     [] {
       return grammar_of_json_schema(R"({"oneOf":[
         {"type":"object","properties":{"tool":{"const":"weather"},"city":{"type":"string","maxLength":60},"days":{"type":"integer","minimum":1,"maximum":14}},"required":["tool","city"],"additionalProperties":false},
         {"type":"object","properties":{"tool":{"const":"search"},"query":{"type":"string","minLength":3,"maxLength":200},"limit":{"type":"integer"}},"required":["tool","query"],"additionalProperties":false}]})",
                                     "s");
     },
     R"({"tool": "search", "query": "what the grammar of a language says about those who speak it, and what it does not", "limit": 25})"},
    {"tree",
     [] {
       return grammar_of_json_schema(
           R"({"$defs":{"node":{"type":"object","properties":{"label":{"type":"string"},"value":{"type":"number"},
         "children":{"type":"array","items":{"$ref":"#/$defs/node"}}},"required":["label"]}},"$ref":"#/$defs/node"})",
           "s");
     },
     R"({"label": "root", "value": 1.5, "children": [{"label": "left", "children": [{"label": "leaf one", "value": -3}, {"label": "leaf two", "children": []}]}, {"label": "right", "value": 2e10}]})"},
    {"dates",
     [] {
       return grammar_of_json_schema(
           R"({"type":"array","items":{"type":"object","properties":{"id":{"type":"string","format":"uuid"},
         "from":{"type":"string","format":"date-time"},"code":{"type":"string","pattern":"^[A-Z]{2}-[0-9]{4,6}$"},"note":{"type":"string","pattern":"^[a-z ,.]+$"}},
         "required":["id","from","code","note"]},"minItems":1})",
           "s");
     },
     R"([{"id": "123e4567-e89b-12d3-a456-426614174000", "from": "2024-02-29T12:30:00Z", "code": "DE-12345", "note": "plain words, and nothing else in them."}])"},
    {"json_object", [] { return grammar_of_json_object(); },
     "{\n  \"title\": \"A list of things\",\n  \"count\": 3,\n  \"things\": [\n    {\"a\": true, \"b\": "
     "null},\n    {\"a\": false, \"b\": [1, 2, 3.25]},\n    \"word \\\"quoted\\\" and caf\xc3\xa9\"\n  ]\n}"},
    {"gbnf_code",
     [] {
       return grammar_of_gbnf(
           "root ::= stmt+\nstmt ::= ident \" = \" expr \";\\n\"\nexpr ::= term ([-+*/] term)*\n"
           "term ::= ident | num | \"(\" expr \")\"\nident ::= [a-z] [a-z0-9_]*\nnum ::= [0-9]+ (\".\" "
           "[0-9]+)?",
           "g");
     },
     "total = (price*count)+3.5;\nresult_2 = total/((7-x)*y);\n"},
    {"regex", [] { return grammar_of_regex("(Dear|Hello) [A-Z][a-z]+( [A-Z][a-z]+)?, .{10,80}\\.", "r"); },
     "Dear Anna Smith, thank you for what you wrote to us about the garden."},
};

// Of this thread on its core: others on the machine do not count.
double now() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
double seconds(double from) { return now() - from; }

void masks(benchmark::State& state, const Case& c, bool cold) {
  const std::vector<int32_t> tokens = tokens_of(c.text);
  std::vector<double> all;
  double compile = 0, first = 0;
  std::shared_ptr<CompiledGrammar> kept;
  int64_t texts = 0, forced = 0;
  for (auto _ : state) {
    auto begin = now();
    if (cold || !kept) kept = std::make_shared<CompiledGrammar>(c.grammar(), vocabulary());
    GrammarConstraint text(kept);
    compile += seconds(begin);
    begin = now();
    benchmark::DoNotOptimize(text.allowed());
    first += seconds(begin);
    for (const int32_t id : tokens) {
      begin = now();
      benchmark::DoNotOptimize(text.allowed());
      all.push_back(seconds(begin));
      forced += text.forced() ? 1 : 0;
      text.accept(id);
    }
    ++texts;
  }
  std::sort(all.begin(), all.end());
  const auto n = static_cast<double>(texts);
  double sum = 0;
  for (const double s : all) sum += s;
  state.counters["tokens"] = static_cast<double>(tokens.size());
  state.counters["forced"] = static_cast<double>(forced) / n;
  state.counters["compile_us"] = compile / n * 1e6;
  state.counters["first_us"] = first / n * 1e6;
  // The first is in these too.
  state.counters["mean_us"] = (sum + first) / static_cast<double>(all.size()) * 1e6;
  state.counters["p99_us"] = all[all.size() * 99 / 100] * 1e6;
  state.counters["max_us"] = all.back() * 1e6;
}

const int kRegistered = [] {
  for (const Case& c : kCases) {
    for (const bool cold : {true, false}) {
      benchmark::RegisterBenchmark((std::string("mask/") + c.name + (cold ? "/cold" : "/warm")).c_str(),
                                   [&c, cold](benchmark::State& s) { masks(s, c, cold); })
          ->Unit(benchmark::kMicrosecond);
    }
  }
  return 0;
}();

}  // namespace
}  // namespace lmc::grammar
