// lmc detokenize: token ids to their text, byte for byte, with nothing added.
#include <nlohmann/json.hpp>

#include "models/checkpoint/hub_cache.h"
#include "models/tokenizer/tokenizer.h"
#include "tools/bundle/bundle.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/cli/ids.h"
#include "tools/cli/text_io.h"

namespace lmc::detokenize_command {
namespace {

struct Options {
  std::string tokenizer, ids;
  std::vector<std::string> more_ids;
  bool has_ids = false;
  bool skip_special = false;
  bool json = false;
};

std::string input_ids(const Options& o) {
  if (!o.has_ids && o.more_ids.empty()) return read_stdin();
  std::string all = o.ids;
  for (const std::string& ids : o.more_ids) all += " " + ids;
  return all;
}

void run(const Options& o) {
  const Tokenizer tokenizer =
      Tokenizer::open(o.tokenizer.empty() ? newest_bundle() : local_checkpoint(o.tokenizer));
  const std::string text =
      tokenizer.decode(parse_spaced_ids(input_ids(o), tokenizer.vocab_size()), o.skip_special);
  if (!o.json) return write_stdout(text);
  const nlohmann::json out = {{"text", text}};
  write_stdout(out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

const RegisterCommand kDetokenize(
    {"detokenize", "token ids to text", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags
           .option("tokenizer", o->tokenizer,
                   "a bundle, a checkpoint's folder, a hub id, a tokenizer.json or a SentencePiece .model "
                   "(default: the newest *.lmc here)")
           .type_name("FILE");
       flags.option("more", o->more_ids, "token ids (default: --ids, or standard input)").type_name("ID");
       Flag ids = flags.option("--ids", o->ids, "token ids: 2,119,166");
       flags.flag("--skip-special,--no-special", o->skip_special, "leave out special tokens such as <bos>");
       flags.flag("--json", o->json, "print {\"text\":…}");
       return [o, ids] {
         o->has_ids = ids.given();
         run(*o);
       };
     }});

}  // namespace
}  // namespace lmc::detokenize_command
