// A GGUF file as the checkpoint of a model file, by the table in its `gguf:` part.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/gguf/gguf_weights.h"
#include "models/language/definition.h"

namespace lmc {

// A key of lmc's own: which model file wrote this, where several share an architecture.
inline constexpr const char* kGgufFamily = "lmc.family";

// The built-in model file for a GGUF file, by general.architecture: "builtin:llama.yaml". Throws Error if
// there is none.
std::string builtin_for_gguf(const GgufFile& file);

// The values of `config:` as the metadata gives them (without `let:`). Throws Error naming file and key.
ConfigMap gguf_config(const Definition& d, const GgufFile& file);

// The tensors under the names of the model file. `config` holds config: and let:. Throws Error for a tensor
// that has no place in the table, or that is not what follows from the configuration.
std::unique_ptr<GgufWeights> gguf_weights(const Definition& d, const ConfigMap& config,
                                          std::shared_ptr<const GgufFile> file);

// One entry of the table made whole: what a tensor is called here, what there, and how it is stored. With
// `of` the names have {index}: so many tensors are stored as one.
struct GgufPlace {
  std::string tensor;  // with the first prefix: "model.layers.3.self_attn.q_proj.weight"
  std::string local;   // without: "layers.3.self_attn.q_proj.weight"
  std::string stored;  // "blk.3.attn_q.weight"
  GgufStorage how;     // of each
  std::optional<int64_t> of;
  std::string apart;  // what old files call each of them: "blk.3.ffn_up.{index}.weight"; or ""

  // `name`, or the names of all it stands for.
  std::vector<std::string> each(const std::string& name) const;
};

std::vector<GgufPlace> gguf_places(const Definition& d, const ConfigMap& config);

// The numbers of a made tensor; nullopt where the configuration has none.
std::optional<std::vector<float>> gguf_made(const GgufMadeTensor& rule, const ConfigMap& config);

}  // namespace lmc
