// YAML as a small tree with line numbers, read through yaml-cpp's event interface so that recursive aliases,
// alias bombs, duplicate keys and second documents are refused instead of accepted or crashing.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ir/error.h"

namespace lmc {

struct YamlEntry;

struct YamlNode {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  std::string text;                // scalar
  bool plain = false;              // scalar without quotes: may be a number or a truth value
  int text_line = 0;               // line of the text's first character
  std::vector<YamlNode> items;     // list
  std::vector<YamlEntry> entries;  // map, in order; keys are scalars
  Location loc;

  const YamlNode* find(const std::string& key) const;  // nullptr if there is none
};

struct YamlEntry {
  YamlNode key, value;
};

// Throws Error with the line.
YamlNode parse_yaml(const std::string& text, const std::string& file);

}  // namespace lmc
