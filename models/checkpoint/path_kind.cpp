#include "models/checkpoint/path_kind.h"

#include <filesystem>

#include "ir/files.h"

namespace lmc {
namespace fs = std::filesystem;

PathKind path_kind(const std::string& path) {
  std::error_code ec;
  const fs::path p(path);
  if (fs::is_directory(p, ec)) {
    if (fs::exists(p / "manifest.json", ec)) return PathKind::bundle;
    return fs::exists(p / "config.json", ec) ? PathKind::checkpoint : PathKind::folder;
  }
  const std::string name = p.filename().string(), extension = p.extension().string();
  if (name == "config.json") return PathKind::config;
  if (name == "tokenizer.json" || name == "tokenizer.bin" || extension == ".model")
    return PathKind::tokenizer;
  if (extension == ".safetensors") return PathKind::safetensors;
  if (extension == ".lmir") return PathKind::graph;
  if (extension == ".yaml" || extension == ".yml") return PathKind::model_file;
  return extension == ".gguf" || start_of_file(path, 4) == "GGUF" ? PathKind::gguf : PathKind::other;
}

}  // namespace lmc
