// A JSON Schema as it was written: its values, where each stands, and what a $ref means.
#pragma once

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
  // What the $ref of this schema names. Error for what is not in this document.
  const Json& target(const Json& schema);

  // Error at a value of the document, or at one of its members.
  [[noreturn]] void refuse(const Json& at, const std::string& why) const;
  [[noreturn]] void refuse(const Json& at, const std::string& key, const std::string& why) const;
  const std::string& place(const Json& at) const { return places_.at(&at).pointer; }
  // In which order they were reached.
  bool earlier(const Json& a, const Json& b) const { return places_.at(&a).number < places_.at(&b).number; }

 private:
  const Json& placed(const Json& value, std::string place);
  void find_anchors(const Json& value, const std::string& place, int depth);

  const std::string name_;
  Json root_;
  struct Place {
    std::string pointer;
    size_t number;
  };
  std::unordered_map<const Json*, Place> places_;
  std::unordered_map<std::string, std::string> anchors_;  // to the pointer
};

}  // namespace lmc::grammar
