// A Model out of a GGUF file.
#include "models/load/generation_config.h"
#include "models/load/gguf_import.h"
#include "models/load/model_parts.h"
#include "models/tokenizer/gguf_tokens.h"

namespace lmc {
namespace {

// The ids under these keys, each once.
std::vector<int32_t> token_ids(const GgufFile& file, int64_t vocab, const std::vector<std::string>& keys) {
  std::vector<int32_t> out;
  for (const std::string& key : keys) {
    const GgufValue* v = file.find("tokenizer.ggml." + key);
    const auto id = v ? v->integer() : std::nullopt;
    if (!id || *id < 0 || *id >= vocab) continue;
    const auto token = static_cast<int32_t>(*id);
    if (out.empty() || out[0] != token) out.push_back(token);
  }
  return out;
}

}  // namespace

void use_gguf(const Definition& d, const std::string& path, const ModelOptions& options, Model& m) {
  const auto file = std::make_shared<const GgufFile>(path);
  ConfigMap config = gguf_config(d, *file);
  std::unique_ptr<GgufWeights> checkpoint;
  Expanded e = with_values_of(path, [&] {
    evaluate_let(d, config);
    checkpoint = gguf_weights(d, config, file);
    return expand(
        d, config, [&](const std::string& name) { return checkpoint->type(name); }, std::nullopt,
        choose_context(d, config, options.context));
  });
  m.tensors = static_cast<int64_t>(file->tensors().size());
  take_over(std::move(e), std::move(config), m);
  m.weights = std::move(checkpoint);
  m.gguf = path;
  if (tokenizer::has_gguf_tokenizer(*file)) m.tokenizer = path;
  m.source = path;
  m.bos_ids = token_ids(*file, m.vocab, {"bos_token_id"});
  m.sampling = gguf_sampling(*file);
  // The token that ends a turn of a conversation ends an answer too.
  m.eos_ids = token_ids(*file, m.vocab, {"eos_token_id", "eot_token_id"});
}

}  // namespace lmc
