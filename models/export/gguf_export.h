// A model as a GGUF file that llama.cpp runs, by the table in its model file's `gguf:` part.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/load/model.h"

namespace lmc {

struct GgufExport {
  std::string path;
  // Of matrices: keep (as the checkpoint has them), or a format of ir/block_format.h that GGUF has too, such
  // as bf16 or q8_0. Rows that its blocks of 256 do not fit into get the next better one of 32, those that no
  // blocks fit into F16, as llama.cpp has it. Vectors are always f32.
  std::string type = "keep";
  std::function<void(int64_t done, int64_t total)> progress = [](int64_t, int64_t) {};
};

struct GgufExported {
  struct Instead {
    std::string tensor, format;  // in the file
    int64_t columns;
  };
  std::vector<Instead> instead;  // of options.type, whose blocks do not fit
  int64_t tensors = 0;
  std::string no_tokenizer;  // why the tokens are placeholders, or ""
};

// Written under another name and put in place when it is complete and says everything that the model's
// configuration says. Throws Error naming the file, or what GGUF cannot say.
GgufExported export_gguf(const Model& m, const GgufExport& options);

}  // namespace lmc
