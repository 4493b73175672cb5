// Which file of a folder is the tokenizer, and which format a file has.
#include "ir/files.h"

#include <filesystem>

#include "ir/error.h"
#include "models/checkpoint/path_kind.h"
#include "models/gguf/gguf.h"
#include "models/text/json_text.h"
#include "models/tokenizer/image.h"
#include "models/tokenizer/json_fields.h"
#include "models/tokenizer/tokenizer.h"

namespace lmc {

namespace fs = std::filesystem;

namespace {

// The compiled form comes first; then what Hugging Face's libraries prefer.
constexpr const char* kNames[] = {"tokenizer.bin", "tokenizer.json", "tokenizer.model", "spiece.model",
                                  "sentencepiece.bpe.model"};

struct Ends {
  bool bos = true;
  bool eos = false;
};

Ends ends_beside(const std::string& model) {
  Ends out;
  const std::string path = (fs::path(model).parent_path() / "tokenizer_config.json").string();
  if (!fs::exists(path)) return out;
  const auto config = read_json(path);
  const tokenizer::Fields fields(config, path, "");
  out.bos = fields.flag_or("add_bos_token", out.bos);
  out.eos = fields.flag_or("add_eos_token", out.eos);
  return out;
}

bool is_image(const std::string& path) {
  constexpr size_t kStart = tokenizer::kImageMagicVersion;
  return start_of_file(path, kStart) == std::string_view(tokenizer::kImageMagic, kStart);
}

}  // namespace

std::string Tokenizer::find_in(const std::string& folder) {
  for (const char* name : kNames) {
    if (const fs::path path = fs::path(folder) / name; fs::exists(path)) return path.string();
  }
  return "";
}

Tokenizer Tokenizer::open(const std::string& path) {
  if (fs::is_directory(path)) {
    const std::string found = find_in(path);
    if (found.empty()) {
      throw Error(Location{path}, "holds no tokenizer (tokenizer.bin, tokenizer.json or tokenizer.model)");
    }
    return open(found);
  }
  if (is_image(path)) return from_binary_file(path);
  if (path_kind(path) == PathKind::gguf) return from_gguf(GgufFile(path));
  const std::string content = read_file(path);
  if (content.starts_with('{') || path.ends_with(".json")) return from_json(content, path);
  const Ends ends = ends_beside(path);
  return from_sentencepiece(content, path, ends.bos, ends.eos);
}

}  // namespace lmc
