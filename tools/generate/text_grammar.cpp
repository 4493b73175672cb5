#include "tools/generate/text_grammar.h"

#include "grammar/gbnf.h"
#include "grammar/json_schema.h"
#include "grammar/regex.h"
#include "ir/files.h"
#include "tools/cli/flags.h"

namespace lmc {

void GrammarFlags::add_to(Flags& flags) {
  Flag schema = flags
                    .option("--json-schema", json_schema,
                            "a file with a JSON Schema: the answer is JSON that it describes")
                    .type_name("FILE");
  Flag gbnf = flags
                  .option("--grammar", grammar,
                          "a file with a grammar in GBNF, llama.cpp's: the answer is a text of it")
                  .type_name("FILE")
                  .excludes(schema);
  Flag expression = flags.option("--regex", regex, "a regular expression that the answer matches as a whole")
                        .check(
                            [](const std::string& text) {
                              return text.empty() ? "matches nothing but an empty answer" : "";
                            },
                            "PATTERN")
                        .excludes(schema)
                        .excludes(gbnf);
  flags.flag("--json-object", json_object, "the answer is a JSON object")
      .excludes(schema)
      .excludes(gbnf)
      .excludes(expression);
}

grammar::Grammar GrammarFlags::read() const {
  if (json_object) return grammar::grammar_of_json_object();
  if (!json_schema.empty()) return grammar::grammar_of_json_schema(read_input(json_schema), json_schema);
  if (!grammar.empty()) return grammar::grammar_of_gbnf(read_input(grammar), grammar);
  return grammar::grammar_of_regex(regex, "--regex");
}

std::shared_ptr<const grammar::Vocabulary> vocabulary_for(const Tokenizer& tokenizer, int64_t vocab,
                                                          std::span<const int32_t> ends,
                                                          const IdSet* allowed) {
  std::vector<std::string> texts = tokenizer.token_bytes();
  texts.resize(static_cast<size_t>(vocab));
  std::vector<int32_t> may_end;
  for (const int32_t id : ends) {
    if (id >= 0 && id < vocab && (!allowed || allowed->contains(id))) may_end.push_back(id);
  }
  for (int64_t id = 0; allowed && id < vocab; ++id) {
    if (!allowed->contains(id)) texts[static_cast<size_t>(id)].clear();
  }
  return std::make_shared<const grammar::Vocabulary>(std::move(texts), may_end);
}

}  // namespace lmc
