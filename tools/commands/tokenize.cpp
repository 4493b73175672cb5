// lmc tokenize: text to the ids of its tokens.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "models/checkpoint/hub_cache.h"
#include "models/tokenizer/tokenizer.h"
#include "tools/bundle/bundle.h"
#include "tools/cli/command.h"
#include "tools/cli/text_io.h"

namespace lmc::tokenize_command {
namespace {

struct Options {
  std::string tokenizer, prompt, file;
  bool has_prompt = false;
  bool add_special = true;
  bool json = false;
  bool pieces = false;
};

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string input_text(const Options& o) {
  if (o.has_prompt) return o.prompt;
  return o.file.empty() ? read_stdin() : read_input(o.file);
}

std::string as_json(const Options& o, const Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  std::string out = fmt::format("{{\"ids\":[{}]", fmt::join(ids, ","));
  if (o.pieces) {
    out += ",\"pieces\":[";
    for (size_t i = 0; i < ids.size(); ++i) out += (i > 0 ? "," : "") + quoted(tokenizer.id_to_token(ids[i]));
    out += "]";
  }
  return out + "}\n";
}

std::string as_text(const Options& o, const Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  if (!o.pieces) return fmt::format("{}\n", fmt::join(ids, ","));
  std::string out;
  for (const int32_t id : ids) out += fmt::format("{}\t{}\n", id, quoted(tokenizer.id_to_token(id)));
  return out;
}

void run(const Options& o) {
  const Tokenizer tokenizer =
      Tokenizer::open(o.tokenizer.empty() ? newest_bundle() : local_checkpoint(o.tokenizer));
  const std::vector<int32_t> ids = tokenizer.encode(input_text(o), o.add_special);
  write_stdout(o.json ? as_json(o, tokenizer, ids) : as_text(o, tokenizer, ids));
}

const RegisterCommand kTokenize(
    {"tokenize", "text to token ids", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags
           .option("tokenizer", o->tokenizer,
                   "a bundle, a checkpoint's folder, a hub id, a tokenizer.json or a SentencePiece .model "
                   "(default: the newest *.lmc here)")
           .type_name("FILE");
       Flag prompt = flags.option("-p,--prompt", o->prompt, "the text (default: standard input)");
       flags.option("-f,--file", o->file, "a file with the text").type_name("FILE").excludes(prompt);
       flags.flag("--add-special,!--no-special", o->add_special,
                  "add the tokens that open or close a text, such as <bos> (the default)");
       flags.flag("--pieces", o->pieces, "the text of each token too, as the vocabulary writes it");
       flags.flag("--json", o->json, "print {\"ids\":…}, with --pieces also \"pieces\"");
       return [o, prompt] {
         o->has_prompt = prompt.given();
         run(*o);
       };
     }});

}  // namespace
}  // namespace lmc::tokenize_command
