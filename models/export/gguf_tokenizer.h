// Tokenizer and chat template of a model, in GGUF files.
#pragma once

#include <optional>
#include <string>

#include "models/chat/template.h"
#include "models/gguf/gguf_writer.h"
#include "models/load/model.h"

namespace lmc {

// Writes what the model's checkpoint has. A tokenizer that GGUF cannot say (it must still give the same ids)
// is replaced by placeholders, one per id; returns why, or "".
std::string add_gguf_tokenizer(GgufWriter& out, const Model& m);

std::optional<ChatTemplateText> gguf_chat_template(const std::string& path);

}  // namespace lmc
