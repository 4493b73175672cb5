// AWQ and GPTQ, matrices of 4 bits with a scale and a zero for each group of inputs: NAME.qweight,
// NAME.qzeros and NAME.scales, of a linear [N, K] that is called NAME.weight otherwise. In words of 8
// numbers, number i in bits 4 i … 4 i + 3:
//
//   AWQ (AutoAWQ, version gemm)     qweight [K, N/8]: outputs 8 c + 0, 2, 4, 6, 1, 3, 5, 7; zeros alike
//                                   W[n, k] = (q - zero) scale
//   GPTQ (AutoGPTQ, version 1)      qweight [K/8, N]: inputs 8 r + i; qzeros [groups, N/8]: outputs 8 c + i
//                                   W[n, k] = (q - (zero + 1)) scale; g_idx [K] says of which group k is
//
// scales are F16 [groups, N].
#include <algorithm>
#include <cstring>

#include "ir/error.h"
#include "models/load/packed_folder.h"

namespace lmc::packings::four_bits {
namespace {

constexpr int64_t kOfWord = 8;
constexpr int kAwqPlace[kOfWord] = {0, 4, 1, 5, 2, 6, 3, 7};  // where in a word output 8 c + j is

class FourBits : public PackedTensor {
 public:
  FourBits(const HfFolder& folder, const std::string& module, bool awq)
      : folder_(folder), module_(module), awq_(awq) {
    const std::vector<int64_t>& words = folder.stored(part("qweight")).shape;
    const std::vector<int64_t>& scales = folder.stored(part("scales")).shape;
    const int64_t inputs = words[0] * (awq ? 1 : kOfWord), outputs = scales[1];
    type_ = {DType::f32, {outputs, inputs}};
    groups_ = scales[0];
    scales_.resize(static_cast<size_t>(groups_ * outputs));
    folder.read(part("scales"), 0, scales_);
    zeros_ = words_of("qzeros", 0, groups_ * (outputs / kOfWord));
    const int64_t each = (inputs + groups_ - 1) / groups_;
    for (int64_t k = 0; k < inputs; ++k) group_of_.push_back(static_cast<int32_t>(k / each));
    if (!folder.holds(part("g_idx"))) return;
    const std::vector<uint32_t> given = words_of("g_idx", 0, inputs);
    for (size_t k = 0; k < given.size(); ++k) {
      group_of_[k] = static_cast<int32_t>(given[k]);
      if (given[k] >= static_cast<uint32_t>(groups_))
        throw Error(folder.file_of(part("g_idx")) + ": tensor '" + part("g_idx") + "' names group " +
                    std::to_string(group_of_[k]) + " of " + std::to_string(groups_));
    }
  }

  Type type() const override { return type_; }
  std::string format() const override { return awq_ ? "AWQ" : "GPTQ"; }
  std::vector<std::string> parts() const override {
    std::vector<std::string> out = {part("qweight"), part("qzeros"), part("scales")};
    if (folder_.holds(part("g_idx"))) out.push_back(part("g_idx"));
    return out;
  }

  // Word by word along the outputs, as they lie in the file.
  void read(int64_t first, std::span<float> out) const override {
    if (out.empty()) return;
    const int64_t inputs = type_.dims[1], outputs = type_.dims[0];
    const int64_t last = first + static_cast<int64_t>(out.size());  // exclusive
    const int64_t from = first / inputs, to = (last + inputs - 1) / inputs;
    const auto put = [&](int64_t n, int64_t k, uint32_t q) {
      const int64_t at = n * inputs + k;
      if (at < first || at >= last) return;
      const auto group = static_cast<int64_t>(group_of_[static_cast<size_t>(k)]);
      const int zero = zero_of(group, n);
      out[static_cast<size_t>(at - first)] =
          static_cast<float>(static_cast<int>(q) - zero) * scales_[static_cast<size_t>(group * outputs + n)];
    };
    const int64_t row_words = awq_ ? outputs / kOfWord : outputs;
    const int64_t begin = awq_ ? from / kOfWord : from, end = awq_ ? (to + kOfWord - 1) / kOfWord : to;
    for (int64_t r = 0; r < (awq_ ? inputs : inputs / kOfWord); ++r) {
      const std::vector<uint32_t> words = words_of("qweight", r * row_words + begin, end - begin);
      for (int64_t w = begin; w < end; ++w) {
        const uint32_t word = words[static_cast<size_t>(w - begin)];
        for (int64_t i = 0; i < kOfWord; ++i) {
          if (awq_) {
            put(w * kOfWord + i, r, word >> (4 * kAwqPlace[i]) & 15);
          } else {
            put(w, r * kOfWord + i, word >> (4 * i) & 15);
          }
        }
      }
    }
  }

 private:
  std::string part(const std::string& what) const { return module_ + "." + what; }

  std::vector<uint32_t> words_of(const std::string& what, int64_t first, int64_t count) const {
    std::vector<uint32_t> out(static_cast<size_t>(count));
    folder_.read_bytes(part(what), first * 4, std::as_writable_bytes(std::span(out)));
    return out;
  }

  int zero_of(int64_t group, int64_t n) const {
    const uint32_t word = zeros_[static_cast<size_t>(group * (type_.dims[0] / kOfWord) + n / kOfWord)];
    const int64_t i = n % kOfWord;
    return static_cast<int>(word >> (4 * (awq_ ? kAwqPlace[i] : static_cast<int>(i))) & 15) + (awq_ ? 0 : 1);
  }

  const HfFolder& folder_;
  std::string module_;
  bool awq_;
  Type type_;
  int64_t groups_ = 0;
  std::vector<float> scales_;
  std::vector<uint32_t> zeros_;
  std::vector<int32_t> group_of_;  // by input
};

FoundPacking find(const HfFolder& folder, const std::string& stored) {
  static const std::string kEnd = ".qweight";
  if (!stored.ends_with(kEnd)) return {};
  const std::string module = stored.substr(0, stored.size() - kEnd.size());
  if (folder.holds(module + ".weight")) return {};
  const auto shape_of = [&](const std::string& what, const char* dtype) {
    const std::string name = module + "." + what;
    const bool right =
        folder.holds(name) && (folder.stored(name).dtype == dtype ||
                               (what == "scales" && safetensors_dtype(folder.stored(name).dtype)));
    return right ? folder.stored(name).shape : std::vector<int64_t>{};
  };
  const std::vector<int64_t> words = shape_of("qweight", "I32"), zeros = shape_of("qzeros", "I32"),
                             scales = shape_of("scales", "F16");
  const bool three = words.size() == 2 && zeros.size() == 2 && scales.size() == 2 && scales[0] > 0 &&
                     scales[1] > 0 && scales[1] % kOfWord == 0 &&
                     zeros == std::vector<int64_t>{scales[0], scales[1] / kOfWord};
  const bool awq = three && words[1] == scales[1] / kOfWord && scales[0] <= words[0];
  const bool gptq = three && words[1] == scales[1] && scales[0] <= words[0] * kOfWord;
  const std::string order = module + ".g_idx";
  const bool ordered =
      !folder.holds(order) || (gptq && folder.stored(order).dtype == "I32" &&
                               folder.stored(order).shape == std::vector<int64_t>{words[0] * kOfWord});
  if ((!awq && !gptq) || !ordered) {
    throw Error(folder.file_of(stored) + ": tensor '" + stored + "' " + folder.shape_text(stored) +
                " and its qzeros and scales are neither AWQ's nor GPTQ's of 4 bits");
  }
  return {module + ".weight", std::make_unique<FourBits>(folder, module, awq)};
}

const RegisterPacking kPacking(find);

}  // namespace
}  // namespace lmc::packings::four_bits
