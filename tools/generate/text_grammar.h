// What --json-schema, --grammar, --regex and --json-object say that an answer must be.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "grammar/grammar_constraint.h"
#include "models/tokenizer/tokenizer.h"
#include "runtime/id_set.h"

namespace lmc {

class Flags;

struct GrammarFlags {
  std::string json_schema, grammar;  // files
  std::string regex;
  bool json_object = false;

  void add_to(Flags& flags);
  bool any() const { return !json_schema.empty() || !grammar.empty() || !regex.empty() || json_object; }
  // Error for a file or an expression that says no grammar, with its name and place.
  grammar::Grammar read() const;
};

// What its tokens are to a grammar, those alone that are `allowed` (null: all). `ends`: ids that end a text.
// `vocab`: of the model, which may have ids without a token.
std::shared_ptr<const grammar::Vocabulary> vocabulary_for(const Tokenizer& tokenizer, int64_t vocab,
                                                          std::span<const int32_t> ends,
                                                          const IdSet* allowed);

}  // namespace lmc
