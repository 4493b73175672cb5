// One adapter in PEFT's layout: adapter_config.json and adapter_model.safetensors.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/checkpoint/safetensors.h"

namespace lmc {

// W [rows, cols] changes by left · right.
struct LowRank {
  int64_t rows = 0, cols = 0, rank = 0;
  std::vector<float> left;   // [rows, rank], times the adapter's scale
  std::vector<float> right;  // [rank, cols]
};

class LoraAdapter {
 public:
  // Error naming the file, and the tensor if one is at fault.
  explicit LoraAdapter(const std::string& path);

  // By PEFT's name of the weight, without "base_model.model.": "model.layers.0.self_attn.q_proj.weight".
  const std::map<std::string, LowRank>& changes() const { return changes_; }
  const std::string& file() const { return file_.path(); }
  // The tensor that says most of a change, for messages.
  const std::string& tensor_of(const std::string& weight) const { return tensors_.at(weight); }

 private:
  struct Config {
    double alpha = 0;
    int64_t rank = 0;
    bool several_ranks = false;  // rank_pattern
    bool rslora = false, fan_in_fan_out = false;
  };
  static Config read_config(const std::string& file);
  void read_tensors(const Config& config);
  LowRank low_rank(const Config& config, const std::string& a, const std::string& b, bool embedding) const;

  SafetensorsFile file_;
  std::map<std::string, LowRank> changes_;
  std::map<std::string, std::string> tensors_;
};

}  // namespace lmc
