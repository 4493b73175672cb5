#include "grammar/json_schema.h"

#include <gtest/gtest.h>

#include "../error_of.h"
#include "grammar/automaton.h"
#include "grammar/number_range.h"
#include "texts.h"

namespace lmc::grammar {
namespace {

test::Texts schema(std::string_view schema) { return test::Texts(grammar_of_json_schema(schema, "s")); }
std::string why(std::string_view schema) {
  return error_of([&] { test::Texts(grammar_of_json_schema(schema, "s")); });
}

struct Example {
  const char* schema;
  std::vector<const char*> valid, invalid;
};

TEST(JsonSchema, EveryKeyword) {
  const Example examples[] = {
      {R"({"type":["integer","null"],"minimum":-5,"exclusiveMaximum":120})",
       {"-5", "0", "119", "null", "7"},
       {"-6", "120", "1.5", "\"1\"", "1000", "-0", "05"}},
      {R"({"type":"number","exclusiveMinimum":0.5,"maximum":10.25})",
       {"0.51", "1", "9.99", "10.25", "10.2", "0.500001", "10"},
       {"0.5", "0", "10.26", "11", "-1", "10.251", "00.6"}},
      {R"({"type":"number","minimum":-2.5,"maximum":-1})",
       {"-2.5", "-1", "-1.0", "-2.49"},
       {"-2.51", "-0.9", "0", "1", "-3"}},
      {R"({"type":"string","minLength":2,"maxLength":3})",
       {"\"ab\"", "\"\xc3\xa9\xf0\x9f\x98\x80\"", "\"\\n\\u00e9x\"", "\"\\uD83D\\uDE00a\""},
       {"\"a\"", "\"abcd\"", "\"\\uD83D\"", "\"\\ud83da\""}},
      {R"({"type":"string","pattern":"^a+[\"\\n]?$","maxLength":3})",
       {"\"a\"", "\"aa\\\"\"", "\"aa\\n\"", "\"aa\\u000A\""},
       {"\"aaaa\"", "\"aaa\\n\"", "\"b\"", "\"\\u0061\""}},
      {R"({"format":"date","type":"string"})",
       {"\"2024-02-29\"", "\"2000-02-29\""},
       {"\"2023-02-29\"", "\"1900-02-29\"", "\"2024-13-01\""}},
      {R"({"enum":[1,"a\n",null,{"k":[true,1.5]}]})",
       {"1", "\"a\\n\"", "null", "{\"k\": [true, 1.5]}"},
       {"2", "\"a\"", "{}", "1.5"}},
      {R"({"const":"x","maxLength":0})", {}, {"\"x\""}},
      {R"({"enum":[1,22,333],"minimum":20,"type":"integer"})", {"22", "333"}, {"1"}},
      {R"({"type":"array","prefixItems":[{"const":1},{"type":"string"}],"items":{"type":"boolean"},"minItems":1,"maxItems":4})",
       {"[1]", "[1, \"a\"]", "[1,\"a\",true,false]"},
       {"[]", "[2]", "[1,true]", "[1,\"a\",true,false,true]", "[1,]"}},
      {R"({"type":"object","properties":{"a":{"type":"integer"},"b":true,"c":false},"required":["b"],"additionalProperties":{"type":"null"}})",
       {"{\"a\":1,\"b\":2}", "{\"b\":{}}", "{\"b\":1,\"z\":null}", "{ \"b\": 1, \"aa\": null }"},
       {"{}", "{\"a\":1}", "{\"b\":1,\"c\":1}", "{\"b\":1,\"z\":1}", "{\"b\":1,\"a\":1}",
        "{\"b\":1,\"\\u0061\":null}"}},
      {R"({"type":"object","patternProperties":{"^x":{"type":"integer"}},"additionalProperties":false,"maxProperties":2})",
       {"{}", "{\"x\":1}", "{\"x1\":1,\"x2\":2}"},
       {"{\"y\":1}", "{\"x\":true}", "{\"x1\":1,\"x2\":2,\"x3\":3}"}},
      {R"({"type":"object","properties":{"a":true,"b":true,"c":true},"additionalProperties":false,"minProperties":2})",
       {"{\"a\":1,\"c\":1}", "{\"a\":1,\"b\":1,\"c\":1}"},
       {"{\"a\":1}", "{}"}},
      {R"({"anyOf":[{"type":"integer"},{"type":"string","maxLength":1}]})",
       {"1", "\"a\""},
       {"\"ab\"", "true"}},
      {R"({"allOf":[{"minimum":3},{"maximum":5},{"type":"integer"}],"anyOf":[{"maximum":3},{"minimum":5}]})",
       {"3", "5"},
       {"4", "2", "6"}},
      {R"({"oneOf":[{"type":"object","properties":{"t":{"const":"a"},"v":{"type":"integer"}},"required":["t","v"]},
                    {"type":"object","properties":{"t":{"const":"b"},"w":{"type":"null"}},"required":["t","w"]}]})",
       {"{\"t\":\"a\",\"v\":1}", "{\"t\":\"b\",\"w\":null}"},
       {"{\"t\":\"a\",\"w\":null}", "{\"t\":\"b\"}"}},
      {R"({"$ref":"#/$defs/list","$defs":{"list":{"type":"object","properties":{"next":{"$ref":"#/$defs/list"},"v":{"type":"integer"}},"required":["v"],"additionalProperties":false}}})",
       {"{\"v\":1}", "{\"next\":{\"next\":{\"v\":3},\"v\":2},\"v\":1}"},
       {"{}", "{\"next\":{}, \"v\":1}"}},
      {R"({"$defs":{"p":{"$anchor":"pos","exclusiveMinimum":0}},"type":"integer","$ref":"#pos"})",
       {"1"},
       {"0", "\"a\""}},
      {R"({"type":"integer","multipleOf":7,"minimum":-14,"maximum":30})",
       {"-14", "-7", "0", "7", "28"},
       {"1", "-21", "35", "-0", "14.0"}},
      {R"({"type":"number","multipleOf":0.01})",
       {"0.01", "-12.5", "3", "19.99", "19.990", "0"},
       {"0.001", "19.991", "1e2", "-0.00"}},
      {R"({"type":"number","allOf":[{"multipleOf":4},{"multipleOf":6}],"not":{"multipleOf":24}})",
       {"12", "36", "-12", "12.0"},
       {"24", "4", "6", "0", "18"}},
      {R"({"type":["integer","string","null"],"not":{"enum":["a","",3,null]},"maxLength":2,"minimum":2,"maximum":5})",
       {"\"b\"", "\"aa\"", "2", "4"},
       {"\"a\"", "\"\"", "3", "null", "\"abc\""}},
      {R"({"type":"number","not":{"type":"integer"},"minimum":0,"maximum":2})",
       {"0.5", "1.25", "1.10"},
       {"0", "1", "1.0", "2", "2.5"}},
      {R"({"type":"string","not":{"anyOf":[{"pattern":"[0-9]"},{"maxLength":1}]}})",
       {"\"ab\"", "\"\\n\\n\""},
       {"\"a\"", "\"a1\"", "\"\""}},
      {R"({"type":"object","properties":{"k":{"enum":["a","b"]},"v":{"type":"integer"}},"required":["k"],"additionalProperties":false,
           "if":{"properties":{"k":{"const":"a"}}},"then":{"required":["v"]},"else":{"properties":{"v":false}}})",
       {"{\"k\":\"a\",\"v\":1}", "{\"k\":\"b\"}"},
       {"{\"k\":\"a\"}", "{\"k\":\"b\",\"v\":1}"}},
      {R"({"type":"integer","minimum":0,"oneOf":[{"multipleOf":3},{"multipleOf":5}]})",
       {"3", "5", "9", "10"},
       {"15", "0", "1", "30"}},
      {R"({"type":"array","items":{"type":"integer"},"contains":{"minimum":5},"minContains":2,"maxContains":3,"maxItems":5})",
       {"[5,6]", "[1,5,2,7,8]", "[9,1,9]"},
       {"[]", "[5]", "[5,6,7,8]", "[1,5,1,1,1,5]"}},
      {R"({"type":"array","contains":{"const":"x"},"items":{"type":"string","maxLength":1}})",
       {"[\"x\"]", "[\"a\", \"x\", \"b\", \"x\"]"},
       {"[]", "[\"a\"]"}},
      {R"({"type":"array","items":{"enum":["a","b",1]},"uniqueItems":true,"minItems":1})",
       {"[\"b\"]", "[1,\"a\",\"b\"]"},
       {"[]", "[1,1]", "[\"a\",\"b\",\"a\"]", "[1,\"a\",\"b\",\"c\"]"}},
      {R"({"type":"object","propertyNames":{"pattern":"^[a-z]+$","maxLength":3},"additionalProperties":{"type":"null"},"properties":{"long":true,"b":{"const":1}}})",
       {"{}", "{\"b\":1,\"abc\":null}"},
       {"{\"long\":1}", "{\"A\":null}", "{\"abcd\":null}"}},
      {R"({"type":"object","properties":{"a":true,"b":true,"c":true},"additionalProperties":false,"dependentRequired":{"a":["b"]},"dependentSchemas":{"c":{"properties":{"b":{"type":"null"}}}}})",
       {"{}", "{\"b\":1}", "{\"a\":1,\"b\":1}", "{\"a\":1,\"b\":null,\"c\":1}", "{\"c\":1}"},
       {"{\"a\":1}", "{\"b\":1,\"c\":1}", "{\"a\":1,\"c\":1}"}},
      {R"({"type":"object","allOf":[{"properties":{"a":true},"required":["a"]}],"anyOf":[{"properties":{"b":true}},{"properties":{"c":true},"required":["c"]}],"unevaluatedProperties":false})",
       {"{\"a\":1}", "{\"a\":1,\"b\":1}", "{\"a\":1,\"b\":1,\"c\":1}"},
       {"{}", "{\"a\":1,\"d\":1}"}},
      {R"({"type":"array","prefixItems":[{"const":1}],"allOf":[{"prefixItems":[true,{"const":2}]}],"unevaluatedItems":false})",
       {"[]", "[1]", "[1,2]"},
       {"[2]", "[1,2,3]"}},
      {R"({"$dynamicRef":"#n","$defs":{"n":{"$dynamicAnchor":"n","type":"array","items":{"$dynamicRef":"#n"}}}})",
       {"[]", "[[],[[]]]"},
       {"[1]"}},
      {"true", {"1", "{\"a\":[null,\"\\u00e9\"]}", "-1.5e+10"}, {"", "{", "01", "[1,]", "'a'", "nul"}},
  };
  for (const Example& e : examples) {
    std::optional<test::Texts> texts;
    try {
      texts.emplace(grammar_of_json_schema(e.schema, "s"));
    } catch (const Error& error) {
      EXPECT_TRUE(e.valid.empty()) << e.schema << ": " << error.what();
      continue;
    }
    for (const char* text : e.valid) EXPECT_TRUE(texts->takes(text)) << text << " by " << e.schema;
    for (const char* text : e.invalid) EXPECT_FALSE(texts->takes(text)) << text << " by " << e.schema;
  }
}

TEST(JsonSchema, BlanksHaveBounds) {
  test::Texts t =
      schema(R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"integer"}}}})");
  EXPECT_TRUE(t.takes("{\n  \"a\": [\n    1,\n    2\n  ]\n}"));
  EXPECT_TRUE(t.takes("{\"a\":[1,2]}"));
  EXPECT_FALSE(t.begins("{  "));
  EXPECT_FALSE(t.begins("{\n\n\n"));
  EXPECT_FALSE(t.begins(" {"));
}

TEST(JsonSchema, MembersOfAllSchemasInOrder) {
  test::Texts t = schema(
      R"({"allOf":[{"properties":{"z":{"type":"integer"},"y":{"minimum":1}}},{"properties":{"y":{"type":"integer"},"x":true}}],
                         "type":"object","required":["q","z","x"],"properties":{"a":{"const":0}}})");
  EXPECT_TRUE(t.takes("{\"a\":0,\"z\":1,\"y\":5,\"x\":[],\"q\":1,\"more\":2}"));
  EXPECT_FALSE(t.takes("{\"a\":0,\"z\":1,\"y\":0,\"x\":[],\"q\":1}"));
  EXPECT_FALSE(t.begins("{\"z\":1,\"a\""));
}

TEST(JsonSchema, RefusesByNameAndPlace) {
  EXPECT_EQ(why(R"({"properties":{"a/b":{"dependencies":{}}}})"),
            "s: #/properties/a~1b/dependencies: the keyword dependencies is not supported");
  EXPECT_EQ(
      why(R"({"items":{"uniqueItems":true}})"),
      "s: #/items/uniqueItems: is supported where items are of few values only: enum, const, null, booleans, "
      "integers within bounds");
  EXPECT_EQ(why(R"({"$defs":{"d":{"multipleOf":0}},"$ref":"#/$defs/d"})"),
            "s: #/$defs/d/multipleOf: must be a number above 0");
  const std::string cannot =
      ": what does not fit it (by not, if, contains or a oneOf whose schemas overlap) is not supported";
  EXPECT_EQ(why(R"({"not":{"format":"email"}})"), "s: #/not/format" + cannot);
  EXPECT_EQ(why(R"({"if":{"additionalProperties":{"type":"null"}},"then":false})"),
            "s: #/if/additionalProperties" + cannot);
  EXPECT_EQ(why(R"({"oneOf":[{"minItems":2},{"uniqueItems":true}]})"), "s: #/oneOf/1/uniqueItems" + cannot);
  EXPECT_EQ(why(R"({"not":{"minLength":1.5}})"), "s: #/not/minLength" + cannot);
  EXPECT_EQ(why(R"({"not":{"multipleOf":"x"}})"), "s: #/not: must be a number");
  EXPECT_EQ(why(R"({"not":{"type":" fraction"}})"), "s: #/not/type: there is no type \" fraction\"");
  EXPECT_EQ(why(R"({"type":" fraction"})"), "s: #/type: there is no type \" fraction\"");
  EXPECT_EQ(why(R"({" not":0})"), "s: #/ not: the keyword  not is not supported");
  EXPECT_EQ(why(R"({"not":{"$ref":"#"}})"), "s: #: refers to itself without going into a value");
  EXPECT_EQ(why(R"({"contains":{"const":1},"allOf":[{"contains":{"const":2}}]})"),
            "s: #/allOf/0/contains: a second contains for an array is not supported");
  EXPECT_EQ(why(R"({"multipleOf":123456789})"), "s: #/multipleOf: has more digits than are supported");
  EXPECT_EQ(why(R"({"type":"number","multipleOf":99991})"),
            "s: #: bounds and multipleOf of a number: takes too many states");
  EXPECT_EQ(
      why(R"({"$id":"http://a/b","$defs":{"x":{"$id":"c","$defs":{"y":{"$anchor":"z"}}}},"$ref":"#z"})"),
      "s: #/$ref: names \"#z\", but there is no such $anchor");
  EXPECT_EQ(why(R"({"x-mine":1})"), "s: #/x-mine: the keyword x-mine is not supported");
  EXPECT_NE(
      why(R"({"format":"iri"})").find("s: #/format: the format \"iri\" is not supported; these are: date, "),
      std::string::npos);
  EXPECT_EQ(why(R"({"type":"int"})"), "s: #/type: there is no type \"int\"");
  EXPECT_EQ(why(R"({"$ref":"#/a"})"), "s: #/$ref: names \"#/a\", which is not there");
  EXPECT_EQ(why(R"({"$ref":"http://x/y"})"),
            "s: #/$ref: names \"http://x/y\", which is not in this document");
  EXPECT_EQ(why(R"({"$ref":"#"})"), "s: #: refers to itself without going into a value");
  EXPECT_EQ(why(R"({"anyOf":[{"$ref":"#"},{"type":"null"}]})"),
            "s: #: refers to itself without going into a value");
  EXPECT_EQ(why("{\"pattern\":\"(?=a)\"}"),
            "s: #/pattern: pattern:1:1: look-around ((?=…), (?!…), (?<=…), (?<!…)) is not supported");
  EXPECT_EQ(why(R"({"minLength":-1})"), "s: #/minLength: must be an integer from 0 on");
  EXPECT_EQ(why(R"({"type":"string","type":"null"})"), "s: an object has the key \"type\" twice");
  EXPECT_NE(why(R"({"type":)").find("s: is no JSON: "), std::string::npos);
  EXPECT_EQ(why(R"([])"), "s: #: a schema is an object, true or false");
  EXPECT_EQ(why(R"({"items":[{}]})"),
            "s: #/items: is a list as in earlier drafts: since 2020-12 that is prefixItems");
  EXPECT_EQ(why(R"({"minProperties":3})"),
            "s: #/minProperties: wants several members that are not named, and these may be one twice: not "
            "supported without "
            "additionalProperties: false");
  EXPECT_NE(why("false").find("no text has an end"), std::string::npos);
  EXPECT_NE(
      why(R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})").find("no text has an end"),
      std::string::npos);
}

TEST(JsonSchema, HostileSchemasAreBounded) {
  std::string deep;
  for (int i = 0; i < 300; ++i) deep += R"({"items":)";
  EXPECT_EQ(why(deep + "true" + std::string(300, '}')), "s: a schema may be nested 200 deep at most");
  EXPECT_EQ(why("\"" + std::string(1 << 20, 'a') + "\""), "s: a schema may have 1048576 bytes at most");
  std::string
      any =
          R"({"anyOf":[{"minimum":1},{"maximum":2},{"minLength":1},{"maxLength":3},{"minItems":1},{"maxItems":5}]})",
      all = any;
  for (int i = 0; i < 12; ++i) all += "," + any;
  EXPECT_NE(why(R"({"allOf":[)" + all + "]}").find("takes too much work"), std::string::npos);
  EXPECT_NE(why("{\"type\":\"string\",\"pattern\":\"^(a|b)*a(a|b){18}$\"}").find("states"),
            std::string::npos);
  // Long lists are no deep ones.
  std::string members, items;
  for (int i = 0; i < 3000; ++i) {
    members += (i ? "," : "") + std::string("\"p") + std::to_string(i) + "\":{\"type\":\"integer\"}";
    items += i ? ",{}" : "{}";
  }
  EXPECT_EQ(why(R"({"type":"object","properties":{)" + members + "}}"), "");
  EXPECT_EQ(why(R"({"type":"array","minItems":2500,"prefixItems":[)" + items + "]}"), "");
}

TEST(NumberRange, SaysWhatIsWithin) {
  const auto number = [](const char* text) { return *Decimal::of(text); };
  const char* const bounds[] = {"-120", "-99.5", "-10", "-1",    "-0.25", "0",   "0.25",
                                "1",    "9",     "10",  "12.75", "99",    "100", "1234"};
  const char* const values[] = {
      "-1000", "-121",  "-120", "-119", "-100",   "-99.5", "-99.4", "-11", "-10", "-9.9", "-1",   "-0.3",
      "-0.25", "-0.1",  "0",    "0.2",  "0.25",   "0.251", "1",     "1.5", "8",   "9",    "9.0",  "9.5",
      "10",    "12.75", "12.8", "13",   "98.999", "99",    "100",   "101", "999", "1234", "1235", "12340"};
  for (const char* low : bounds) {
    for (const char* high : bounds) {
      for (const int open : {0, 1, 2, 3}) {
        NumberRange range;
        range.raise({number(low), (open & 1) != 0});
        range.lower({number(high), (open & 2) != 0});
        for (const bool integers : {false, true}) {
          const auto texts = numbers_within(range, true, !integers);
          ASSERT_TRUE(texts);
          for (const char* value : values) {
            const bool written = !integers || std::string_view(value).find('.') == std::string_view::npos;
            EXPECT_EQ(accepts(*texts, value), written && range.contains(number(value)))
                << value << " in " << low << " … " << high << " " << open << (integers ? " integers" : "");
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace lmc::grammar
