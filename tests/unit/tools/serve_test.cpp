// What lmc serve is made of, without sockets and models.
#include <gtest/gtest.h>

#include <set>

#include "models/text/json_text.h"
#include "tools/serve/access.h"
#include "tools/serve/chat_prompt.h"
#include "tools/serve/http/request_reader.h"
#include "tools/serve/route.h"
#include "tools/serve/structure.h"
#include "tools/serve/tool_calls.h"

namespace lmc::serve {
namespace {

template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "taken";
}

TEST(ServeRequests, ComeInAnyPiecesAndOneBehindTheOther) {
  const std::string text =
      "POST /completion?x=1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\n{\"a\r\n3\r\n\":1\r\n1\r\n}\r\n0\r\n\r\nGET /health HTTP/1.0\r\n\r\n";
  const HttpLimits limits;
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    RequestReader reader(limits);
    std::vector<Request> found;
    for (size_t at = 0; at < text.size(); at += piece) {
      reader.feed(text.substr(at, piece));
      for (; reader.complete(); reader.feed("")) found.push_back(reader.take());
    }
    ASSERT_EQ(found.size(), 2u) << piece;
    EXPECT_EQ(found[0].body, "{\"a\":1}");
    EXPECT_EQ(found[0].path, "/completion");
    EXPECT_EQ(found[0].query, "x=1");
    EXPECT_TRUE(found[0].keep_alive);
    EXPECT_FALSE(found[1].keep_alive);
    EXPECT_FALSE(found[1].chunks);
  }
}

TEST(ServeRequests, BeyondALimitOrOfTwoLengthsAreRefused) {
  const HttpLimits limits = {.header = 200, .body = 10};
  const auto status = [&](const std::string& text) {
    RequestReader reader(limits);
    try {
      reader.feed(text);
    } catch (const Refused& e) {
      return e.status;
    }
    return reader.complete() ? 200 : 0;
  };
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(status(post + "Content-Length: 10\r\n\r\n0123456789"), 200);
  EXPECT_EQ(status(post + "Content-Length: 11\r\n\r\n"), 413);
  EXPECT_EQ(status(post + "Transfer-Encoding: chunked\r\n\r\nb\r\n"), 413);
  EXPECT_EQ(status(post + "A: " + std::string(300, 'x')), 431);
  EXPECT_EQ(status(post + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(300, 'x')), 431);
  EXPECT_EQ(status(post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), 400);
  EXPECT_EQ(status(post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(status("GET / HTTP/3.0\r\n\r\n"), 505);
  EXPECT_EQ(status("\x16\x03\x01"), 400);
}

TEST(ServeAnswers, HaveNoHeaderThatCouldBeginAnother) {
  const std::string head =
      head_of({200, "x", "text/plain", {{"A", "b\r\nSet-Cookie: c"}, {"D", "e"}}}, BodyKind::whole, true);
  EXPECT_EQ(head.find("Set-Cookie"), std::string::npos);
  EXPECT_NE(head.find("D: e\r\n"), std::string::npos);
  EXPECT_NE(head.find("Content-Length: 1\r\n"), std::string::npos);
}

TEST(ServeAccess, TakesKeysOriginsAndHostsThatItKnows) {
  const Access access({.keys = {"one", "two"}, .cors_origin = "https://page", .hosts = {"localhost"}});
  Request r;
  r.headers = {{"host", "localhost:80"}};
  EXPECT_EQ(refusal([&] { access.check(r, true); }), "taken");
  EXPECT_NE(refusal([&] { access.check(r, false); }), "taken");
  r.headers["authorization"] = "Bearer two";
  EXPECT_EQ(refusal([&] { access.check(r, false); }), "taken");
  for (const char* key : {"Bearer tw", "Bearer twoo", "two", "Basic two", "Bearer "}) {
    r.headers["authorization"] = key;
    EXPECT_NE(refusal([&] { access.check(r, false); }), "taken") << key;
  }
  for (const char* origin : {"https://page", "http://localhost:80"}) {
    r.headers["origin"] = origin;
    EXPECT_EQ(refusal([&] { access.check(r, true); }), "taken") << origin;
  }
  for (const char* origin : {"https://page.evil", "null", "http://localhost:81"}) {
    r.headers["origin"] = origin;
    EXPECT_NE(refusal([&] { access.check(r, true); }), "taken") << origin;
  }
  r.headers = {{"host", "evil.example"}};
  EXPECT_NE(refusal([&] { access.check(r, true); }), "taken");
}

TEST(ServeRoutes, HaveDistinctPathsAndFields) {
  std::set<std::string> seen;
  for (const Route* r : all_routes()) {
    EXPECT_TRUE(seen.insert(r->method + " " + r->path).second) << r->path;
    EXPECT_FALSE(r->doc.empty()) << r->path;
    std::set<std::string> fields;
    for (const Field& f : r->fields) EXPECT_TRUE(fields.insert(f.name).second) << r->path << " " << f.name;
  }
  EXPECT_GT(seen.size(), 20u);
}

std::string shown(const std::string& source, const std::string& text, std::vector<ToolCall>& calls) {
  ToolCallText whole(tool_marks_of(source), {"f", "g"});
  std::string out = whole.push(text);
  out += whole.finish();
  calls = whole.calls();
  ToolCallText pieces(tool_marks_of(source), {"f", "g"});
  std::string again;
  for (const char c : text) again += pieces.push(std::string(1, c));
  again += pieces.finish();
  EXPECT_EQ(out, again);
  EXPECT_EQ(calls.size(), pieces.calls().size());
  return out;
}

TEST(ServeToolCalls, AreFoundByTheMarksOfTheTemplate) {
  std::vector<ToolCall> calls;
  EXPECT_EQ(shown("<tool_call>",
                  "Well. <tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>\n"
                  "<tool_call>{\"name\": \"g\"}</tool_call>",
                  calls),
            "Well. ");
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].arguments, (Json{{"a", 1}}));
  EXPECT_EQ(calls[1].name, "g");
  EXPECT_EQ(shown("[TOOL_CALLS]", "[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {}}]", calls), "");
  EXPECT_EQ(calls.size(), 1u);
  EXPECT_EQ(shown("", "{\"name\": \"f\", \"parameters\": {\"a\": 1}}", calls), "");
  EXPECT_EQ(calls.size(), 1u);
  // What is no call of an offered tool is text, whole.
  for (const char* text : {"{\"name\": \"h\"}", "{\"name\": ", "plain", "[1]", ""}) {
    EXPECT_EQ(shown("", text, calls), text);
    EXPECT_TRUE(calls.empty());
  }
  const std::string broken = "a <tool_call>{\"name\": \"f\", </tool_call>";
  EXPECT_EQ(shown("<tool_call>", broken, calls), broken);
}

TEST(ServeToolCalls, ForcedOnesAreASchemaWhoseReferencesStillLead) {
  const Json tools = Json::parse(
      R"([{"function": {"name": "f", "parameters": {"properties": {"x": {"$ref": "#/$defs/y"}}, "$defs": {"y": {}}}}}])");
  const Structure s = call_structure(tools, tool_marks_of("<tool_call>"), "<tool_call>");
  EXPECT_EQ(s.before, "<tool_call>");
  EXPECT_EQ(s.behind, "</tool_call>");
  EXPECT_NE(s.text.find("#/anyOf/0/properties/arguments/$defs/y"), std::string::npos) << s.text;
  const Structure list = call_structure(tools, tool_marks_of("[TOOL_CALLS]"), "[TOOL_CALLS]");
  EXPECT_NE(list.text.find("#/items/anyOf/0/properties/arguments/$defs/y"), std::string::npos) << list.text;
}

TEST(ServeMessages, AreTextsByRolesWithCallsAsTheTemplateWantsThem) {
  const Json m = Json::parse(
      R"([{"role": "developer", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
          {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": "{\"x\": 1}"}}]}])");
  const Json out = messages_of("", m);
  EXPECT_EQ(out[0], (Json{{"role", "system"}, {"content", "ab"}}));
  EXPECT_EQ(out[1]["tool_calls"][0]["function"]["arguments"], (Json{{"x", 1}}));
  EXPECT_EQ(out[1]["tool_calls"][0]["type"], "function");
  EXPECT_EQ(messages_of("if role == 'developer'", m)[0]["role"], "developer");
  EXPECT_EQ(refusal([] { messages_of("", Json::parse(R"([{"role": "king"}])")); }),
            "'messages[0].role' is 'king': must be system, developer, user, assistant or tool");
}

TEST(OrderedJson, KeepsItsOrderAndRefusesObjectsOfTooManyKeys) {
  EXPECT_EQ(parse_ordered_json(R"({"b":1,"a":2})", "x").dump(), R"({"b":1,"a":2})");
  std::string many = "{";
  for (int i = 0; i < 5000; ++i) many += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
  EXPECT_NE(refusal([&] { parse_ordered_json(many + "}", "x"); }).find("more than 4096 keys"),
            std::string::npos);
}

}  // namespace
}  // namespace lmc::serve
