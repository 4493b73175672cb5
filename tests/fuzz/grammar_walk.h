// What holds of any grammar, whatever it was read from.
#pragma once

#include "fuzz.h"
#include "grammar/grammar_constraint.h"
#include "ir/error.h"

namespace lmc::fuzz {

inline std::shared_ptr<const grammar::Vocabulary> small_vocabulary() {
  std::vector<std::string> texts;
  for (int b = 0; b < 256; ++b) texts.emplace_back(1, static_cast<char>(b));
  for (const char* more : {"\"",
                           "\":",
                           "\": ",
                           "{\"",
                           "\"}",
                           "},",
                           "]]",
                           "  ",
                           "\n\n",
                           "ab",
                           "abc",
                           "the",
                           " the",
                           "The",
                           "10",
                           "00",
                           "true",
                           "false",
                           "null",
                           "\xc3\xa9",
                           "\xe2\x80\xa8",
                           "\xf0\x9f\x98\x80",
                           "\\u00",
                           "\\n",
                           "some longer text of words",
                           "-1.5e"})
    texts.emplace_back(more);
  texts.emplace_back();
  const auto end = static_cast<int32_t>(texts.size() - 1);
  return std::make_shared<const grammar::Vocabulary>(std::move(texts), std::vector<int32_t>{end});
}

// A few tokens of a text: mask and single questions say the same, and rolling back forgets.
template <typename Read>
void walk(const Read& read, std::string_view choices) {
  static const auto vocabulary = small_vocabulary();
  try {
    const auto compiled = std::make_shared<grammar::CompiledGrammar>(read(), vocabulary);
    grammar::GrammarConstraint text(compiled);
    accepted = true;
    for (size_t step = 0; step < 12; ++step) {
      const std::vector<int32_t> ids = text.allowed().ids();
      require(static_cast<int64_t>(ids.size()) == text.choices(), "choices() is not the size of allowed()");
      size_t at = 0;
      for (int32_t id = 0; id < vocabulary->size(); ++id) {
        const bool may = at < ids.size() && ids[at] == id;
        require(text.allows(id) == may, "allows() and allowed() differ");
        at += may ? 1 : 0;
      }
      if (text.ended()) require(ids.empty(), "something may follow the end");
      if (ids.empty()) break;
      const int32_t id =
          ids[step < choices.size() ? static_cast<uint8_t>(choices[step]) % ids.size() : ids.size() / 2];
      text.accept(id);
      text.roll_back(1);
      require(text.allowed().ids() == ids, "rolling back does not come back");
      text.accept(id);
    }
  } catch (const Error& e) {
    require(*e.what() != 0, "an error without a message");
  }
}

}  // namespace lmc::fuzz
