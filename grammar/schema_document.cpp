#include "grammar/schema_document.h"

#include <set>
#include <utility>

#include "grammar/gbnf.h"
#include "ir/error.h"

namespace lmc::grammar {
namespace {

constexpr int kMostNesting = 200;

std::string as_pointer_part(const std::string& key) {
  std::string out = "/";
  for (const char c : key) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

// Of a fragment: %41 is A.
std::string unescaped_percent(std::string_view text) {
  std::string out;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string unescaped_pointer_part(std::string_view part) {
  std::string out;
  for (size_t i = 0; i < part.size(); ++i) {
    const bool escape = part[i] == '~' && i + 1 < part.size();
    out += !escape ? part[i] : part[i + 1] == '1' ? '/' : '~';
    i += escape ? 1 : 0;
  }
  return out;
}

}  // namespace

SchemaDocument::SchemaDocument(std::string_view text, const std::string& name) : name_(name) {
  if (text.size() > kMostGrammarBytes)
    throw Error(name + ": a schema may have " + std::to_string(kMostGrammarBytes) + " bytes at most");
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kMostNesting)
      throw Error(name + ": a schema may be nested " + std::to_string(kMostNesting) + " deep at most");
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
      throw Error(name + ": an object has the key " + parsed.dump() + " twice");
    return true;
  };
  try {
    root_ = Json::parse(text, check);
  } catch (const Json::exception& e) {
    throw Error(name + ": is no JSON: " + e.what());
  }
  placed(root_, "#");
  find_anchors(root_, "", 0);
}

void SchemaDocument::find_anchors(const Json& value, const std::string& place, int depth) {
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) {
      if ((key == "$anchor" || key == "$dynamicAnchor") && inner.is_string())
        anchors_.emplace(inner.get<std::string>(), place);
      if (key == "enum" || key == "const") continue;  // values, not schemas
      if (inner.is_object() && inner.contains("$id") && inner["$id"].is_string()) continue;  // has its own
      find_anchors(inner, place + as_pointer_part(key), depth + 1);
    }
  } else if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i)
      find_anchors(value[i], place + "/" + std::to_string(i), depth + 1);
  }
}

const Json& SchemaDocument::placed(const Json& value, std::string place, bool made) {
  places_.try_emplace(&value, Place{std::move(place), places_.size(), made});
  return value;
}

const Json& SchemaDocument::member(const Json& of, const std::string& key) {
  const Place& at = places_.at(&of);
  return placed(of[key], at.made ? at.pointer : at.pointer + as_pointer_part(key), at.made);
}

const Json& SchemaDocument::item(const Json& of, size_t index) {
  const Place& at = places_.at(&of);
  return placed(of[index], at.made ? at.pointer : at.pointer + "/" + std::to_string(index), at.made);
}

const Json& SchemaDocument::make(Json value, const Json& at) {
  made_.push_back(std::move(value));
  return placed(made_.back(), place(at), true);
}

size_t SchemaDocument::number_of(const Json& schema) {
  const auto [it, added] = numbers_.try_emplace(&schema, numbered_.size());
  if (added) numbered_.push_back(&schema);
  return it->second;
}

const Json& SchemaDocument::target(const Json& schema, const char* key) {
  const Json& ref = schema[key];
  if (!ref.is_string()) refuse(schema, key, "must be a string");
  std::string text = ref.get<std::string>();
  const size_t hash = std::min(text.find('#'), text.size());
  const std::string base = text.substr(0, hash);
  const bool own = base.empty() || (root_.is_object() && root_.contains("$id") && root_["$id"] == base);
  if (!own) refuse(schema, key, "names " + ref.dump() + ", which is not in this document");
  std::string pointer = unescaped_percent(text.substr(std::min(hash + 1, text.size())));
  if (!pointer.empty() && pointer[0] != '/') {
    const auto anchor = anchors_.find(pointer);
    if (anchor == anchors_.end())
      refuse(schema, key, "names " + ref.dump() + ", but there is no such $anchor");
    pointer = anchor->second;
  }
  const Json* at = &root_;
  std::string place = "#";
  for (size_t i = 0; i < pointer.size();) {
    const size_t end = std::min(pointer.find('/', i + 1), pointer.size());
    const std::string part = unescaped_pointer_part(std::string_view(pointer).substr(i + 1, end - i - 1));
    const Json* next = nullptr;
    if (at->is_object() && at->contains(part)) next = &(*at)[part];
    if (at->is_array() && !part.empty() && part.size() < 7 &&
        part.find_first_not_of("0123456789") == std::string::npos && std::stoul(part) < at->size())
      next = &(*at)[std::stoul(part)];
    if (!next) refuse(schema, key, "names " + ref.dump() + ", which is not there");
    at = next;
    place += as_pointer_part(part);
    i = end;
  }
  return placed(*at, place);
}

void SchemaDocument::refuse(const Json& at, const std::string& why) const {
  throw Error(name_ + ": " + place(at) + ": " + why);
}

void SchemaDocument::refuse(const Json& at, const std::string& key, const std::string& why) const {
  throw Error(name_ + ": " + place(at) + (is_made(at) ? "" : as_pointer_part(key)) + ": " + why);
}

}  // namespace lmc::grammar
