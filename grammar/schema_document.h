// A JSON Schema as it was written: its values, where each stands, and what a $ref means.
#pragma once

#include <deque>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lmc::grammar {

using Json = nlohmann::ordered_json;

class SchemaDocument {
 public:
  // Error for what is no JSON, a key that an object has twice, more than kMostGrammarBytes or nesting beyond
  // 200.
  SchemaDocument(std::string_view text, const std::string& name);
  SchemaDocument(const SchemaDocument&) = delete;
  SchemaDocument& operator=(const SchemaDocument&) = delete;

  const Json& root() const { return root_; }
  // Of a schema that was reached; both remember the place of what they hand out.
  const Json& member(const Json& of, const std::string& key);
  const Json& item(const Json& of, size_t index);
  // What the $ref or $dynamicRef (`key`) of this schema names. Error for what is not in this document.
  const Json& target(const Json& schema, const char* key);

  // A schema that says with other keywords what one of `at` does: it and all within it have the place of
  // `at`.
  const Json& make(Json value, const Json& at);
  bool is_made(const Json& at) const { return places_.at(&at).made; }
  // A number by which a made schema names one that was reached.
  size_t number_of(const Json& schema);
  const Json& numbered(size_t number) const { return *numbered_[number]; }

  // Error at a value of the document, or at one of its members.
  [[noreturn]] void refuse(const Json& at, const std::string& why) const;
  [[noreturn]] void refuse(const Json& at, const std::string& key, const std::string& why) const;
  const std::string& place(const Json& at) const { return places_.at(&at).pointer; }
  // In which order they were reached.
  bool earlier(const Json& a, const Json& b) const { return places_.at(&a).number < places_.at(&b).number; }

 private:
  const Json& placed(const Json& value, std::string place, bool made = false);
  void find_anchors(const Json& value, const std::string& place, int depth);

  const std::string name_;
  Json root_;
  struct Place {
    std::string pointer;
    size_t number;
    bool made = false;
  };
  std::unordered_map<const Json*, Place> places_;
  std::unordered_map<std::string, std::string> anchors_;  // to the pointer
  std::deque<Json> made_;
  std::vector<const Json*> numbered_;
  std::unordered_map<const Json*, size_t> numbers_;
};

}  // namespace lmc::grammar
