// generation_config.json of a checkpoint: what its makers say of generating with it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/gguf/gguf.h"

namespace lmc {

struct GenerationConfig {
  std::optional<std::vector<int32_t>> eos_ids;  // nullopt: it says nothing of them
  // How tokens are drawn, as transformers reads it: temperature, top_k, top_p and min_p where do_sample is
  // true (with top_k 50 where it is left out: GenerationConfig's default), and repetition_penalty in any
  // case. What is left out of the map changes nothing.
  std::map<std::string, double> sampling;
};

// Error naming file and key for a value that cannot be meant.
GenerationConfig read_generation_config(const std::string& file);

// The same of a GGUF file, which says it under general.sampling.*, as llama.cpp reads them (llama-arch.cpp):
// empty where it says nothing. Error naming file and key.
std::map<std::string, double> gguf_sampling(const GgufFile& file);
// The other way round: "general.sampling.temp" and its number, whole for top_k, for each that there is.
std::vector<std::pair<std::string, double>> sampling_as_gguf(const std::map<std::string, double>& sampling);

}  // namespace lmc
