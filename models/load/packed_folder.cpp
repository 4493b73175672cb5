#include "models/load/packed_folder.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "ir/error.h"
#include "ir/printable.h"
#include "models/text/json_text.h"

namespace lmc {
namespace {

using nlohmann::json;

std::vector<FindPacked>& packings() {
  static std::vector<FindPacked> all;
  return all;
}

// Of Hugging Face's transformers and the programs that write for it. A folder whose numbers would be read as
// something that they are not must not get that far.
void check_method(const std::string& folder) {
  const std::string file = folder + "/config.json";
  std::error_code ec;
  if (!std::filesystem::exists(file, ec)) return;
  const json config = read_json(file);
  if (!config.is_object() || !config.contains("quantization_config")) return;
  const json& how = config.at("quantization_config");
  if (how.is_null()) return;
  if (!how.is_object()) throw Error(file + ": quantization_config is not an object");
  static const std::set<std::string> kRead = {"mxfp4", "fp8",  "fbgemm_fp8", "compressed-tensors",
                                              "awq",   "gptq", "modelopt"};
  const std::string method =
      how.contains("quant_method") && how.at("quant_method").is_string() ? how.at("quant_method") : "";
  if (!kRead.contains(method)) {
    throw Error(file + ": quantization_config.quant_method is \"" + printable(method) +
                "\"; lmc reads mxfp4, fp8, fbgemm_fp8, compressed-tensors and modelopt (of 8 bits), awq and "
                "gptq (of 4): take a checkpoint without it");
  }
  // (Version 2 of GPTQ's files keeps zeros as they are, version 1 one less; the tensors look alike.)
  static const struct {
    const char *method, *key;
    std::vector<json> read;  // the first of them is named
  } kVariants[] = {{"awq", "bits", {4}},
                   {"awq", "version", {"gemm", "GEMM"}},
                   {"gptq", "bits", {4}},
                   {"gptq", "checkpoint_format", {"gptq"}},
                   {"fp8", "weight_block_size", {json::array({128, 128}), nullptr}},
                   {"compressed-tensors", "format", {"float-quantized", "naive-quantized"}},
                   {"modelopt", "quant_algo", {"FP8"}}};
  for (const auto& v : kVariants) {
    if (method != v.method || !how.contains(v.key) ||
        std::find(v.read.begin(), v.read.end(), how.at(v.key)) != v.read.end())
      continue;
    throw Error(file + ": quantization_config." + v.key + " is " +
                how.at(v.key).dump(-1, ' ', true, json::error_handler_t::replace) + "; of " + method +
                " lmc reads " + v.read.front().dump());
  }
}

}  // namespace

RegisterPacking::RegisterPacking(FindPacked find) { packings().push_back(find); }

PackedFolder::PackedFolder(const std::string& folder) : HfFolder(folder) {
  check_method(folder);
  for (const std::string& stored : HfFolder::names()) {
    for (const FindPacked find : packings()) {
      FoundPacking found = find(*this, stored);
      if (found.tensor) packed_[found.name] = std::move(found.tensor);
    }
  }
}

const PackedTensor* PackedFolder::packed(const std::string& name) const {
  const auto it = packed_.find(name);
  return it == packed_.end() ? nullptr : it->second.get();
}

std::optional<Type> PackedFolder::type(const std::string& name) const {
  const PackedTensor* p = packed(name);
  return p ? p->type() : HfFolder::type(name);
}

void PackedFolder::read(const std::string& name, int64_t first, std::span<float> out) const {
  const PackedTensor* p = packed(name);
  p ? p->read(first, out) : HfFolder::read(name, first, out);
}

std::optional<WeightSource::StoredFormat> PackedFolder::stored_format(const std::string& name) const {
  const PackedTensor* p = packed(name);
  return p ? p->stored_format() : HfFolder::stored_format(name);
}

bool PackedFolder::read_blocks(const std::string& name, bool transposed, DType format, int64_t first,
                               int64_t rows, std::span<std::byte> out) const {
  const PackedTensor* p = packed(name);
  if (!p) return HfFolder::read_blocks(name, transposed, format, first, rows, out);
  return !transposed && p->read_blocks(format, first, rows, out);
}

std::vector<std::string> PackedFolder::names() const {
  std::set<std::string> parts;
  for (const auto& [name, tensor] : packed_) {
    const std::vector<std::string> of_this = tensor->parts();
    parts.insert(of_this.begin(), of_this.end());
  }
  std::vector<std::string> out;
  for (const std::string& name : HfFolder::names()) {
    if (!parts.contains(name)) out.push_back(name);
  }
  for (const auto& [name, tensor] : packed_) out.push_back(name);
  return out;
}

std::string PackedFolder::shape_text(const std::string& name) const {
  const PackedTensor* p = packed(name);
  if (!p) return HfFolder::shape_text(name);
  const std::string type = p->type().str();
  return p->format() + type.substr(type.find('['));
}

std::string PackedFolder::file_of(const std::string& name) const {
  const PackedTensor* p = packed(name);
  return HfFolder::file_of(p ? p->parts().front() : name);
}

}  // namespace lmc
