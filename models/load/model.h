// A model ready to compile: the graph and where its weights come from.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/weights.h"
#include "models/language/definition.h"

namespace lmc {

struct ModelOptions {
  // "" (the model file's checkpoint), a folder, a GGUF file, a hub id (ORG/NAME@REVISION), "random" or "none"
  std::string weights;
  std::string size;  // of random or no weights; "" = the first
  uint64_t seed = 0;
  int64_t context = 0;            // 0 = what the checkpoint allows
  std::vector<std::string> lora;  // adapters to merge: "FOLDER" or "FOLDER=0.5" (models/load/lora.h)
};

struct Model {
  Graph graph;
  std::unique_ptr<WeightSource> weights;  // null for "none"
  std::string family;
  std::string source;                 // folder, or "random weights, seed 1"
  std::string folder;                 // of the checkpoint, or ""
  std::string gguf;                   // the checkpoint if it is a GGUF file, or ""
  std::vector<std::string> adapters;  // that were merged, with their scales: "FOLDER=1"
  std::string tokenizer;              // what Tokenizer::open() reads, or "" if there is none
  std::string example_prompt;
  int64_t layers = 0, context = 0, vocab = 0;
  int64_t parameters = 0;  // tied ones once
  int64_t tensors = 0;
  int64_t quant_min_dim = 0;
  std::string quant_format;  // rules of the pass quantize: "q8_0,ffn_*=q4_k"
  std::vector<int32_t> bos_ids, eos_ids;
  std::map<std::string, double> sampling;  // GenerationConfig::sampling; empty: the likeliest token
  std::shared_ptr<const Definition> definition;
  ConfigMap config;                                 // values of config: and let:
  std::map<std::string, std::string> tensor_names;  // name in the checkpoint → name in the model file
};

// `path` is a model file (which may lie elsewhere: find_model.h), "builtin:NAME.yaml", or a checkpoint (a
// folder, its config.json alone, which brings no weights, a GGUF file, or a hub id that the cache has), whose
// family is recognised. Throws Error naming file and line, tensor, or option.
Model load_model(const std::string& path, const ModelOptions& options);

}  // namespace lmc
