#include "models/load/lora_adapter.h"

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "ir/error.h"
#include "models/text/json_number.h"
#include "models/text/json_text.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

constexpr const char* kPrefix = "base_model.model.";

fs::path tensor_file(const std::string& path) {
  std::error_code ec;
  return fs::is_directory(path, ec) ? fs::path(path) / "adapter_model.safetensors" : fs::path(path);
}

// The halves of a change, as PEFT calls their tensors; some versions write the adapter's name into them.
struct Half {
  const char* suffix;
  bool is_b, embedding;
};
constexpr Half kHalves[] = {{".lora_A.weight", false, false},         {".lora_B.weight", true, false},
                            {".lora_A.default.weight", false, false}, {".lora_B.default.weight", true, false},
                            {".lora_embedding_A", false, true},       {".lora_embedding_B", true, true}};

const Half* half_of(const std::string& tensor) {
  for (const Half& h : kHalves) {
    if (tensor.ends_with(h.suffix)) return &h;
  }
  return nullptr;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? "," : "") + std::to_string(shape[i]);
  return out + "]";
}

std::vector<float> transposed(const std::vector<float>& in, int64_t rows, int64_t cols) {
  std::vector<float> out(in.size());
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c)
      out[static_cast<size_t>(c * rows + r)] = in[static_cast<size_t>(r * cols + c)];
  }
  return out;
}

}  // namespace

LoraAdapter::LoraAdapter(const std::string& path) : file_(tensor_file(path).string()) {
  read_tensors(read_config((tensor_file(path).parent_path() / "adapter_config.json").string()));
}

LoraAdapter::Config LoraAdapter::read_config(const std::string& file) {
  const json all = read_json(file);
  if (!all.is_object()) throw Error(file + ": is not a JSON object");
  const auto is_true = [&](const char* key) {
    const auto it = all.find(key);
    return it != all.end() && it->is_boolean() && it->get<bool>();
  };
  if (all.contains("peft_type") && all.at("peft_type") != "LORA")
    throw Error(file + ": peft_type is " +
                all.at("peft_type").dump(-1, ' ', true, json::error_handler_t::replace) +
                "; only LORA can be merged");
  if (is_true("use_dora")) throw Error(file + ": use_dora: DoRA's magnitudes cannot be merged");
  const auto is_empty = [&](const char* key) { return !all.contains(key) || all.at(key).empty(); };
  if (!is_empty("alpha_pattern")) throw Error(file + ": alpha_pattern cannot be merged");
  Config out;
  try {
    out.rank = whole_number<int64_t>(all.at("r"));
    out.alpha = all.at("lora_alpha").get<double>();
  } catch (const json::exception& e) {
    throw Error(file + ": r and lora_alpha must be numbers: " + e.what());
  }
  if (out.rank < 1 || !std::isfinite(out.alpha)) throw Error(file + ": r must be 1 or more");
  out.several_ranks = !is_empty("rank_pattern");
  out.rslora = is_true("use_rslora");
  out.fan_in_fan_out = is_true("fan_in_fan_out");
  return out;
}

void LoraAdapter::read_tensors(const Config& config) {
  struct Pair {
    std::string a, b;
    bool embedding = false;
  };
  std::map<std::string, Pair> pairs;
  for (const auto& [name, tensor] : file_.tensors()) {
    const Half* const half = half_of(name);
    if (!half) {
      throw Error(file() + ": tensor '" + name +
                  "' is neither lora_A nor lora_B: biases, whole modules and DoRA's magnitudes cannot be "
                  "merged");
    }
    std::string module = name.substr(0, name.size() - std::string_view(half->suffix).size());
    if (module.starts_with(kPrefix)) module.erase(0, std::string_view(kPrefix).size());
    Pair& pair = pairs[module + ".weight"];
    (half->is_b ? pair.b : pair.a) = name;
    pair.embedding = half->embedding;
  }
  if (pairs.empty()) throw Error(file() + ": holds no tensors");
  for (const auto& [weight, pair] : pairs) {
    if (pair.a.empty() || pair.b.empty())
      throw Error(file() + ": tensor '" + (pair.a.empty() ? pair.b : pair.a) + "' has no " +
                  (pair.a.empty() ? "lora_A" : "lora_B") + " beside it");
    changes_.emplace(weight, low_rank(config, pair.a, pair.b, pair.embedding));
    tensors_.emplace(weight, pair.b);
  }
}

// A is [rank, in] and B is [out, rank]. The weight is [out, in]; that of an embedding, and of what keeps its
// weights the other way round (GPT-2's Conv1D: fan_in_fan_out), is [in, out].
LowRank LoraAdapter::low_rank(const Config& config, const std::string& a, const std::string& b,
                              bool embedding) const {
  const auto &a_shape = file_.tensors().at(a).shape, &b_shape = file_.tensors().at(b).shape;
  if (a_shape.size() != 2 || b_shape.size() != 2 || a_shape[0] != b_shape[1])
    throw Error(file() + ": tensor '" + b + "' " + shape_text(b_shape) + " does not fit '" + a + "' " +
                shape_text(a_shape));
  LowRank out;
  out.rank = a_shape[0];
  if (out.rank < 1 || (out.rank != config.rank && !config.several_ranks))
    throw Error(file() + ": tensor '" + a + "' " + shape_text(a_shape) + " has rank " +
                std::to_string(out.rank) + ", adapter_config.json says " + std::to_string(config.rank));
  std::vector<float> from_a(static_cast<size_t>(a_shape[0] * a_shape[1])),
      from_b(static_cast<size_t>(b_shape[0] * b_shape[1]));
  file_.read(a, 0, from_a);
  file_.read(b, 0, from_b);
  const bool turned = embedding || config.fan_in_fan_out;
  out.rows = turned ? a_shape[1] : b_shape[0];
  out.cols = turned ? b_shape[0] : a_shape[1];
  out.left = turned ? transposed(from_a, a_shape[0], a_shape[1]) : std::move(from_b);
  out.right = turned ? transposed(from_b, b_shape[0], b_shape[1]) : std::move(from_a);
  const auto rank = static_cast<double>(out.rank);
  const double scale = config.alpha / (config.rslora ? std::sqrt(rank) : rank);
  for (float& x : out.left) x = static_cast<float>(x * scale);
  return out;
}

}  // namespace lmc
