// Chat templates: the formats that model families document, the language part by part, and what is refused.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "ir/error.h"
#include "models/chat/template.h"
#include "tests/unit/temporary.h"
#include "tokenizer_test_util.h"

namespace lmc::testing {
namespace {

const std::vector<ChatMessage> kTalk = {
    {"system", "Be brief."}, {"user", "Hi"}, {"assistant", "Hello!"}, {"user", " Why? "}};
const std::vector<ChatMessage> kQuestion = {{"user", "Hi"}};

std::string in_family(const std::string& family, const std::vector<ChatMessage>& messages,
                      bool answer_next = true) {
  const std::string path = source_path("models/chat/templates/" + family + ".jinja");
  std::ifstream in(path);
  EXPECT_TRUE(in.is_open()) << path;
  const std::string source((std::istreambuf_iterator<char>(in)), {});
  return ChatTemplate({source, "<s>", "</s>", family + ".jinja"}).render(messages, answer_next);
}

std::string render(const std::string& source, const std::vector<ChatMessage>& messages = kTalk) {
  return ChatTemplate({source, "<s>", "</s>", "t.jinja"}).render(messages, true);
}

std::string refusal(const std::string& source) {
  try {
    return "rendered: " + render(source);
  } catch (const Error& e) {
    return e.what();
  }
}

TEST(ChatFamilies, Chatml) {
  EXPECT_EQ(in_family("chatml", kTalk),
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
            "<|im_start|>assistant\nHello!<|im_end|>\n<|im_start|>user\n Why? <|im_end|>\n"
            "<|im_start|>assistant\n");
  EXPECT_EQ(in_family("chatml", kQuestion, false), "<|im_start|>user\nHi<|im_end|>\n");
}

TEST(ChatFamilies, Llama2) {
  EXPECT_EQ(in_family("llama2", kTalk),
            "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello! </s><s>[INST] Why? [/INST]");
  EXPECT_EQ(in_family("llama2", kQuestion), "<s>[INST] Hi [/INST]");
  EXPECT_THROW(in_family("llama2", {{"assistant", "first"}}), Error);
}

TEST(ChatFamilies, Llama3) {
  EXPECT_EQ(in_family("llama3", kTalk),
            "<s><|start_header_id|>system<|end_header_id|>\n\nToday Date: 26 Jul 2024\n\nBe brief.<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\nHello!<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n");
  EXPECT_EQ(in_family("llama3", kQuestion, false),
            "<s><|start_header_id|>system<|end_header_id|>\n\nToday Date: 26 Jul 2024\n\n<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>");
}

TEST(ChatFamilies, Gemma) {
  EXPECT_EQ(
      in_family("gemma", kTalk),
      "<s><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\nHello!<end_of_turn>\n"
      "<start_of_turn>user\nWhy?<end_of_turn>\n<start_of_turn>model\n");
  EXPECT_EQ(in_family("gemma", kQuestion, false), "<s><start_of_turn>user\nHi<end_of_turn>\n");
  try {
    in_family("gemma", {{"user", "a"}, {"user", "b"}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "gemma.jinja:10: the chat template refuses this conversation: expected a message of the "
                 "assistant, found one of the user");
  }
}

TEST(ChatFamilies, Qwen3DropsOldThoughts) {
  EXPECT_EQ(
      in_family("qwen3", {{"user", "Hi"}, {"assistant", "<think>\nhm\n</think>\n\nHello!"}, {"user", "?"}}),
      "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello!<|im_end|>\n"
      "<|im_start|>user\n?<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(in_family("qwen3", {{"user", "Hi"}, {"assistant", "<think>hm</think>Yes"}}, false),
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n<think>hm</think>Yes<|im_end|>\n");
}

TEST(ChatFamilies, Phi3) {
  EXPECT_EQ(in_family("phi3", kTalk),
            "<|system|>\nBe brief.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\nHello!<|end|>\n"
            "<|user|>\n Why? <|end|>\n<|assistant|>\n");
  EXPECT_EQ(in_family("phi3", kQuestion, false), "<|user|>\nHi<|end|>\n</s>");
}

TEST(ChatFamilies, Mistral) {
  EXPECT_EQ(in_family("mistral", kTalk), "<s>[INST] Hi[/INST] Hello!</s>[INST] Be brief.\n\n Why? [/INST]");
  EXPECT_EQ(in_family("mistral", kQuestion), "<s>[INST] Hi[/INST]");
}

struct Case {
  const char *source, *expected;
};
void PrintTo(const Case& c, std::ostream* out) { *out << ::testing::PrintToString(c.source); }

class ChatLanguage : public ::testing::TestWithParam<Case> {};
TEST_P(ChatLanguage, Renders) {
  EXPECT_EQ(render(GetParam().source), GetParam().expected) << GetParam().source;
}

INSTANTIATE_TEST_SUITE_P(
    Whitespace, ChatLanguage,
    ::testing::Values(Case{"", ""}, Case{"a\n", "a"}, Case{"a\n\n", "a\n"}, Case{"{{ 1 }}\nb", "1\nb"},
                      Case{"a\n  {% if true %}\nb\n  {% endif %}\nc", "a\nb\nc"},
                      Case{"a  {% if true %}b{% endif %}", "a  b"},
                      Case{"a \n {%- if true -%} \n b{% endif %}", "ab"}, Case{"a {{- 'b' -}} c", "abc"},
                      Case{"  {%+ if true %}b{% endif %}", "  b"}, Case{"a\n  {# no {{ x }} #}\nb", "a\nb"},
                      Case{"a {#- x -#} b", "ab"}, Case{"{ { % }", "{ { % }"},
                      Case{"{{ '}}' }}{{ {'a': {'b': 1}}.a.b }}", "}}1"}));

INSTANTIATE_TEST_SUITE_P(
    Expressions, ChatLanguage,
    ::testing::Values(
        Case{"{{ 1 + 2 * 3 - 4 // 3 }} {{ 7 % 3 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 1 / 2 }}", "6 1 -4 2 0.5"},
        Case{"{{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 0.5 * 2 ** 0.5 }} {{ -2 ** 2 }} {{ 2 ** 3 ** 2 }} {{ 0 ** "
             "0 }}",
             "1024 0.5 2.0000000000000004 4 64 1"},
        Case{"{{ 'a' ~ 1 + 'b' }} {{ 2 * 3 ~ 4 }}", "a1b 64"},
        Case{"{{ 'a' ~ 1 ~ none ~ true }} {{ 'a' + 'b' }} {{ 1.5 }} {{ 2.0 }}", "a1NoneTrue ab 1.5 2.0"},
        Case{"{{ 1 < 2 < 3 }} {{ 1 < 2 > 3 }} {{ 'a' <= 'b' }} {{ 1 == 1.0 }} {{ 'a' != 'b' }}",
             "True False True True True"},
        Case{"{{ 'a' in 'cat' }} {{ 'a' not in ['b'] }} {{ 'role' in messages[0] }}", "True True True"},
        Case{"{{ not true or 1 and 'x' }} {{ '' or 'y' }} {{ 0 and 1 }}", "x y 0"},
        Case{"{{ 'a' if false else 'b' }}{{ 'c' if false }}", "b"},
        Case{"{{ [1, 'a', none, {'k': [true]}] }}", "[1, 'a', None, {'k': [True]}]"},
        Case{"{{ [1, 2, 3][-1] }} {{ [1, 2, 3][:2] }} {{ [1, 2, 3][::-1] }} {{ [1, 2, 3][5:] }}",
             "3 [1, 2] [3, 2, 1] []"},
        Case{"{{ 'héllo'[1] }}{{ 'héllo'[1:3] }}{{ 'héllo'[-2:] }}{{ 'héllo' | length }}", "ééllo5"},
        Case{"{{ messages[0].role }} {{ messages[-1]['content'] | trim }}", "system Why?"},
        Case{"{{ missing }}{{ messages[9] }}{{ messages[0].nothing }}|", "|"},
        Case{"{{ 'one\\n\\'two\\'' }} {{ \"a\" 'b' }}", "one\n'two' ab"},
        Case{"{{ (1, 2) | length }}{{ () }}", "2[]"}));

INSTANTIATE_TEST_SUITE_P(
    FiltersTestsMethods, ChatLanguage,
    ::testing::Values(
        Case{"{{ ' a ' | trim }}{{ 'aB' | upper }}{{ 'aB' | lower }}{{ 'aB' | capitalize }}", "aABabAb"},
        Case{"{{ {'a': [1, 'é\"', none, 1.5, true]} | tojson }}", "{\"a\": [1, \"é\\\"\", null, 1.5, true]}"},
        Case{"{{ {'a': [1], 'b': {}} | tojson(indent=2) }}", "{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}"},
        Case{"{{ messages | length }} {{ {'a': 1} | length }}", "4 1"},
        Case{"{{ messages | map(attribute='role') | join(', ') }}", "system, user, assistant, user"},
        Case{"{{ messages | selectattr('role', 'equalto', 'user') | list | length }}", "2"},
        Case{"{{ (messages | rejectattr('role', 'equalto', 'user') | first).content }}", "Be brief."},
        Case{"{{ x | default('d') }}{{ '' | default('e', true) }}{{ '7' | int + 1 }}", "de8"},
        Case{"{{ 'a-b' | replace('-', '+') }}{{ 'a\\nb' | indent(2) }}", "a+ba\n  b"},
        Case{"{% for k, v in {'a': 1, 'b': 2} | items %}{{ k }}{{ v }}{% endfor %}", "a1b2"},
        Case{"{{ x is defined }}{{ bos_token is defined }}{{ none is none }}{{ 'a' is not string }}",
             "FalseTrueTrueFalse"},
        Case{"{{ 3 is odd }}{{ {} is mapping }}{{ [] is sequence }}{{ 1 is number }}{{ 'a' is in ['a'] }}",
             "TrueTrueTrueTrueTrue"},
        Case{"{{ ' xax '.strip() }}{{ 'xax'.strip('x') }}{{ 'a,b'.split(',') }}{{ 'a b  c'.split() | length "
             "}}",
             "xaxa['a', 'b']3"},
        Case{"{{ 'ab'.startswith('a') }}{{ 'ab'.endswith(('x', 'b')) }}{{ {'a': 1}.get('b', 2) }}",
             "TrueTrue2"}));

INSTANTIATE_TEST_SUITE_P(
    Statements, ChatLanguage,
    ::testing::Values(
        Case{"{% for i in range(3) %}{{ loop.index }}{{ loop.last }} {% endfor %}", "1False 2False 3True "},
        Case{"{% for i in [] %}x{% else %}none{% endfor %}", "none"},
        Case{"{% for i in range(9) if i % 2 %}{{ i }}{% endfor %}", "1357"},
        Case{"{% for i in range(9) %}{% if i == 2 %}{% continue %}{% elif i == 4 %}{% break %}{% endif %}{{ "
             "i }}"
             "{% endfor %}",
             "013"},
        Case{"{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}", "1"},
        Case{"{% set n = namespace(x=1) %}{% for i in [1, 2] %}{% set n.x = n.x + i %}{% endfor %}{{ n.x }}",
             "4"},
        Case{"{% set a, b = [1, 2] %}{{ b }}{{ a }}{% set t %}<{{ a }}>{% endset %}{{ t }}", "21<1>"},
        Case{"{% macro m(a, b='x') %}[{{ a }}{{ b }}]{% endmacro %}{{ m(1) }}{{ m(1, b=2) }}", "[1x][12]"},
        Case{"{% generation %}kept{% endgeneration %}", "kept"},
        Case{"{% for i in range(5) %}{{ loop.cycle('a', 'b') }}{% endfor %}", "ababa"},
        Case{"{% macro m(x) %}<{{ caller() }}{{ x }}>{% endmacro %}{% set a = 7 %}"
             "{% call m(1) %}[{{ a }}]{% endcall %}{% call m(x=2) %}{% endcall %}",
             "<[7]1><2>"},
        Case{"{% macro each(l) %}{% for i in l %}{{ caller(i, last=loop.last) }}{% endfor %}{% endmacro %}"
             "{% call(i, last=false) each([1, 2]) %}{{ i * 2 }}{{ '.' if last else ', ' }}{% endcall %}",
             "2, 4."},
        Case{"{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}{% call m() %}{% endcall %}",
             "FalseTrue"},
        Case{"{% filter upper | replace('B', '-') %}a{{ 'b' }}c{% endfilter %}d", "A-Cd"},
        Case{"{% raw %}{{ x }} {% if %} {# #}{% endraw %}{{ 1 }}", "{{ x }} {% if %} {# #}1"},
        Case{"a\n  {% raw %}\n b\n  {% endraw %}\nc {%- raw -%} \n d \n {%- endraw -%} \n e", "a\n\n b\ncde"},
        Case{"{% raw %}{% endra %}{%{% endraw x %}{% endraw %}", "{% endra %}{%{% endraw x %}"},
        Case{"{{ bos_token }}{{ eos_token }}{{ add_generation_prompt }}{{ tools }}", "<s></s>TrueNone"}));

class ChatRefusals : public ::testing::TestWithParam<Case> {};
TEST_P(ChatRefusals, SayWhereAndWhy) { EXPECT_EQ(refusal(GetParam().source), GetParam().expected); }

INSTANTIATE_TEST_SUITE_P(
    Parsing, ChatRefusals,
    ::testing::Values(Case{"a\n{{ 1", "t.jinja:2: a tag {{ is not closed by }}"},
                      Case{"{# x", "t.jinja:1: a comment {# without its #}"},
                      Case{"{{ 'x }}", "t.jinja:1: a string is not closed"},
                      Case{"\n\n{% if x %}", "t.jinja:3: 'if' is not closed by 'endif'"},
                      Case{"{% for x in y %}\n{% endif %}", "t.jinja:2: unknown block 'endif'"},
                      Case{"{% include 'x' %}", "t.jinja:1: unknown block 'include'"},
                      Case{"\n{% raw %}{{", "t.jinja:2: 'raw' is not closed by 'endraw'"},
                      Case{"{% call x %}{% endcall %}", "t.jinja:1: expected '(', found '%}'"},
                      Case{"{% call x() %}", "t.jinja:1: 'call' is not closed by 'endcall'"},
                      Case{"{% filter loud %}{% endfilter %}", "t.jinja:1: there is no filter 'loud'"},
                      Case{"{% for x in [1] %}{% call x() %}{% break %}{% endcall %}{% endfor %}",
                           "t.jinja:1: 'break' outside of a loop"},
                      Case{"{{ }}", "t.jinja:1: expected a value, found '}}'"},
                      Case{"{{ 1 2 }}", "t.jinja:1: expected '}}', found '2'"},
                      Case{"{{ a | shout }}", "t.jinja:1: there is no filter 'shout'"},
                      Case{"{{ a is loud }}", "t.jinja:1: there is no test 'loud'"},
                      Case{"{{ a ? }}", "t.jinja:1: unexpected character '?'"},
                      Case{"{{ 99999999999999999999 }}",
                           "t.jinja:1: the number 99999999999999999999 is too large"},
                      Case{"{% break %}", "t.jinja:1: 'break' outside of a loop"}));

INSTANTIATE_TEST_SUITE_P(
    Rendering, ChatRefusals,
    ::testing::Values(
        Case{"\n{{ raise_exception('no') }}", "t.jinja:2: the chat template refuses this conversation: no"},
        Case{"{{ a.b.c }}", "t.jinja:1: 'a' is undefined, so it has no 'b'"},
        Case{"{{ f() }}", "t.jinja:1: 'f' is undefined, so it cannot be called"},
        Case{"{{ 1 + 'a' }}", "t.jinja:1: cannot compute a whole number + a string"},
        Case{"{{ 1 // 0 }}", "t.jinja:1: division by zero"},
        Case{"{{ 3 ** 99 }}", "t.jinja:1: a number is too large"},
        Case{"{{ 0 ** -1 }}", "t.jinja:1: division by zero"},
        Case{"{% for i in [1] %}\n{{ loop.cycle() }}{% endfor %}", "t.jinja:2: cycle() needs values"},
        Case{"{% call f() %}{% endcall %}", "t.jinja:1: 'f' is undefined, so it cannot be called"},
        Case{"{% set n = namespace() %}{% macro m() %}{% set n.f = caller %}{% endmacro %}"
             "{% call m() %}x{% endcall %}\n{{ n.f() }}",
             "t.jinja:2: caller() is called when its call block is over"},
        Case{"{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{{ m() }}{% endcall %}",
             "t.jinja:1: 'caller' is undefined, so it cannot be called"},
        Case{"{{ 9223372036854775807 + 1 }}", "t.jinja:1: a number is too large"},
        Case{"{{ 1 < 'a' }}", "t.jinja:1: cannot compare a whole number with a string"},
        Case{"{{ 'a'.shout() }}", "t.jinja:1: a string has no method 'shout'"},
        Case{"{% for x in 3 %}{% endfor %}", "t.jinja:1: cannot loop over a whole number"},
        Case{"{% for x in y %}{% endfor %}", "t.jinja:1: 'y' is undefined, so it cannot be looped over"},
        Case{"{% set a, b = [1] %}", "t.jinja:1: cannot take a list apart into 2 names"},
        Case{"{% set a.b = 1 %}", "t.jinja:1: 'a' is no namespace"},
        Case{"{{ raise_exception | tojson }}", "t.jinja:1: tojson cannot write a function"}));

// None of these may hang, crash or fill the memory.
TEST(ChatLimits, EndlessTemplatesAreStopped) {
  const std::string steps = "t.jinja:1: the template takes too many steps; does it come to an end?";
  EXPECT_EQ(refusal("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"), steps);
  EXPECT_EQ(refusal("{% set l = [1] %}{% for i in l %}{% set x = l.append(i) %}{% endfor %}"), "rendered: ");
  EXPECT_EQ(refusal("{{ range(100001) }}"), "t.jinja:1: range() is longer than 100000");
  EXPECT_EQ(refusal("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
            "t.jinja:1: the template is nested or calls its macros too deep");
}

TEST(ChatLimits, ValuesStaySmall) {
  const std::string doubling =
      "{% set n = namespace(x=START) %}{% for i in range(64) %}{% set n.x = n.x + n.x %}{% endfor %}";
  const auto from = [&](const std::string& start) {
    std::string out = doubling;
    return refusal(out.replace(out.find("START"), 5, start));
  };
  EXPECT_NE(from("'abc'"), "rendered: ");
  EXPECT_NE(from("[1]"), "rendered: ");
  EXPECT_EQ(
      refusal("{% set n = namespace(x=[]) %}{% for i in range(64) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
              "{{ n.x }}"),
      "t.jinja:1: a list or dict has more than 1 MiB of text");
  EXPECT_EQ(refusal("{% set n = namespace() %}{% set n.x = n %}{{ n }}"),
            "t.jinja:1: a value is nested more than 100 deep");
  // Lists a hundred thousand deep, and ones that hold themselves, are taken apart without recursion.
  EXPECT_EQ(
      refusal("{% set n = namespace(x=[]) %}{% for i in range(50000) %}{% set n.x = [n.x] %}{% endfor %}ok"),
      "rendered: ok");
}

TEST(ChatLimits, DeepSourceIsRefused) {
  const auto repeat = [](const std::string& s, int n) {
    std::string out;
    for (int i = 0; i < n; ++i) out += s;
    return out;
  };
  const std::string deep = "t.jinja:1: brackets and blocks are nested more than 100 deep";
  EXPECT_EQ(refusal("{{ " + repeat("(", 5000) + "1" + repeat(")", 5000) + " }}"), deep);
  EXPECT_EQ(refusal("{{ " + repeat("not ", 5000) + "1 }}"), deep);
  EXPECT_EQ(refusal("{{ " + repeat("-", 5000) + "1 }}").substr(0, 9), "t.jinja:1");
  EXPECT_EQ(refusal(repeat("{% if 1 %}", 5000)), deep);
  // Chains do not nest.
  EXPECT_EQ(refusal("{{ 1" + repeat(" + 1", 5000) + " }}"), "rendered: 5001");
  EXPECT_EQ(refusal("{{ 'a'" + repeat("|trim", 5000) + " }}"), "rendered: a");
  EXPECT_EQ(refusal(std::string(300 << 10, 'x')), "t.jinja: a chat template may have 256 KiB at most");
}

class ChatFiles : public ::testing::Test {
 protected:
  ChatFiles() { std::filesystem::create_directories(folder_); }
  ~ChatFiles() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
  }
  std::string failure() const {
    try {
      find_chat_template(folder_);
      return "";
    } catch (const Error& e) {
      return e.what();
    }
  }
  std::string folder_ = temporary("chat_files");
};

TEST_F(ChatFiles, TheJinjaFileGoesBeforeTokenizerConfig) {
  EXPECT_FALSE(find_chat_template(folder_));
  write("tokenizer_config.json",
        R"({"chat_template": "from config", "bos_token": "<b>", "eos_token": {"content": "<e>"}})");
  EXPECT_EQ(find_chat_template(folder_)->source, "from config");
  write("chat_template.jinja", "from file");
  const auto t = find_chat_template(folder_);
  EXPECT_EQ(t->source, "from file");
  EXPECT_EQ(t->bos_token + t->eos_token, "<b><e>");
  write("tokenizer_config.json", chat_tokens_json(*t));
  EXPECT_EQ(find_chat_template(folder_)->eos_token, "<e>");
}

TEST_F(ChatFiles, OfSeveralTemplatesTheDefaultIsTaken) {
  write("tokenizer_config.json",
        R"({"chat_template": [{"name": "rag", "template": "r"}, {"name": "default", "template": "d"}]})");
  EXPECT_EQ(find_chat_template(folder_)->source, "d");
  write("tokenizer_config.json", R"({"chat_template": null})");
  EXPECT_FALSE(find_chat_template(folder_));
}

TEST_F(ChatFiles, MalformedFilesAreNamed) {
  for (const char* bad : {"[]", "{", R"({"chat_template": 5})", R"({"chat_template": [{"name": "rag"}]})"}) {
    write("tokenizer_config.json", bad);
    EXPECT_EQ(failure().find(folder_ + "/tokenizer_config.json"), 0u) << bad << ": " << failure();
  }
}

}  // namespace
}  // namespace lmc::testing
