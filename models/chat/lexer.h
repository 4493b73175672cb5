// A template cut into text and tokens, with Jinja's whitespace control as Hugging Face sets it: trim_blocks
// and lstrip_blocks are on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/error.h"

namespace lmc::chat {

enum class Tok : uint8_t {
  text,         // outside of all tags
  print_begin,  // {{
  print_end,    // }}
  block_begin,  // {%
  block_end,    // %}
  name,
  string,  // without quotes, escapes resolved
  whole,
  real,
  sign,  // an operator or bracket
  end,
};

struct Token {
  Tok kind = Tok::end;
  std::string text;
  int line = 1;
};

// Throws Error naming `file` and line.
std::vector<Token> tokens_of(std::string_view source, const std::string& file);

}  // namespace lmc::chat
