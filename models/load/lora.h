// LoRA adapters (Hu et al. 2021, https://arxiv.org/abs/2106.09685) as PEFT stores them, merged into a model's
// weights: W' = W + scale · (lora_alpha / r) · B A.
#pragma once

#include <string>
#include <vector>

#include "models/load/model.h"

namespace lmc {

struct LoraOption {
  std::string path;  // a folder, or its adapter_model.safetensors, beside which lies adapter_config.json
  double scale = 1;
};

// "FOLDER" or "FOLDER=0.5". Error for a scale that is not finite.
LoraOption parse_lora(const std::string& text);

// `adapters`: as parse_lora() reads them. Every weight that an adapter changes is read with that change from
// then on, row by row: nothing is merged ahead. Error naming file and tensor for a tensor that has no place
// in the model or another shape, for kinds of adapter that this cannot merge (DoRA, biases, whole modules),
// and for a model without weights.
void merge_adapters(const std::vector<std::string>& adapters, Model& model);

}  // namespace lmc
