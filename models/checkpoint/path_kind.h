// What a path that a user gives is, asked the same way everywhere.
#pragma once

#include <string>

namespace lmc {

enum class PathKind {
  model_file,   // .yaml, .yml, "builtin:NAME.yaml"
  graph,        // .lmir
  bundle,       // a folder that lmc compile made: it has a manifest.json
  checkpoint,   // a Hugging Face folder: it has a config.json
  config,       // a config.json
  gguf,         // by its first bytes or its name
  safetensors,  // .safetensors
  tokenizer,    // tokenizer.json, tokenizer.bin, a SentencePiece .model
  folder,       // another
  other,        // another file, or nothing there
};

// By what a folder holds; of files by the name first, so that one that is missing is missed as what it was
// meant to be.
PathKind path_kind(const std::string& path);

}  // namespace lmc
