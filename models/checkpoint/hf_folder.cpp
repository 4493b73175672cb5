#include "models/checkpoint/hf_folder.h"

#include <filesystem>

#include "ir/error.h"
#include "models/checkpoint/shard_index.h"

namespace lmc {
namespace fs = std::filesystem;
HfFolder::HfFolder(const std::string& folder) {
  const std::string single = folder + "/model.safetensors";
  const std::string index = folder + "/model.safetensors.index.json";
  std::error_code ec;
  if (fs::exists(single, ec)) {
    files_.push_back(std::make_unique<SafetensorsFile>(single));
    for (const auto& [name, t] : files_[0]->tensors()) file_of_[name] = 0;
    return;
  }
  if (!fs::exists(index, ec)) {
    throw Error(folder + ": holds neither model.safetensors nor model.safetensors.index.json");
  }
  std::map<std::string, size_t> opened;
  for (const auto& [name, shard] : read_shard_index(index)) {
    auto it = opened.find(shard);
    if (it == opened.end()) {
      if (!fs::exists(folder + "/" + shard, ec))
        throw Error(folder + "/" + shard + ": the index names this shard, but it is missing");
      it = opened.emplace(shard, files_.size()).first;
      files_.push_back(std::make_unique<SafetensorsFile>(folder + "/" + shard));
    }
    if (!files_[it->second]->tensors().contains(name)) {
      throw Error(folder + "/" + shard + ": tensor '" + name +
                  "' is missing, though the index places it here");
    }
    file_of_[name] = it->second;
  }
}

std::optional<Type> HfFolder::type(const std::string& name) const {
  const auto it = file_of_.find(name);
  if (it == file_of_.end()) return std::nullopt;
  const auto& t = files_[it->second]->tensors().at(name);
  const auto dtype = safetensors_dtype(t.dtype);
  if (!dtype)
    throw Error(file_of(name) + ": tensor '" + name + "' is " + shape_text(name) +
                "; weights must be F32, F16 or BF16, or packed in a way that lmc knows (models/README.md)");
  return Type{*dtype, t.shape};
}

void HfFolder::read(const std::string& name, int64_t first, std::span<float> out) const {
  const auto it = file_of_.find(name);
  if (it == file_of_.end()) throw Error("the checkpoint has no tensor '" + name + "'");
  files_[it->second]->read(name, first, out);
}

void HfFolder::read_bytes(const std::string& name, int64_t first, std::span<std::byte> out) const {
  files_[file_of_.at(name)]->read_bytes(name, first, out);
}

bool HfFolder::read_blocks(const std::string& name, bool transposed, DType format, int64_t first,
                           int64_t rows, std::span<std::byte> out) const {
  const auto it = file_of_.find(name);
  if (transposed || it == file_of_.end()) return false;
  const SafetensorsFile::Tensor& t = stored(name);
  if (safetensors_dtype(t.dtype) != format) return false;
  const int64_t row = rows == 0 ? 0 : static_cast<int64_t>(out.size()) / rows;
  files_[it->second]->read_bytes(name, first * row, out);
  return true;
}

std::vector<std::string> HfFolder::names() const {
  std::vector<std::string> out;
  for (const auto& [name, file] : file_of_) out.push_back(name);
  return out;
}

const SafetensorsFile::Tensor& HfFolder::stored(const std::string& name) const {
  return files_[file_of_.at(name)]->tensors().at(name);
}

std::string HfFolder::shape_text(const std::string& name) const {
  const auto& t = stored(name);
  std::string out = t.dtype + "[";
  for (size_t i = 0; i < t.shape.size(); ++i) out += (i ? "," : "") + std::to_string(t.shape[i]);
  return out + "]";
}

std::string HfFolder::file_of(const std::string& name) const { return files_[file_of_.at(name)]->path(); }

}  // namespace lmc
