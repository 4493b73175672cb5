// What making a Model from any kind of checkpoint has in common.
#pragma once

#include <string>
#include <string_view>

#include "ir/error.h"
#include "models/language/expand.h"
#include "models/load/model.h"

namespace lmc {

// What goes wrong when expressions meet values may be the fault of either: the message names both files.
template <class F>
auto with_values_of(const std::string& source, const F& f) {
  try {
    return f();
  } catch (const Error& e) {
    if (std::string_view(e.what()).find(source) != std::string_view::npos) throw;
    Error named(std::string(e.what()) + ", with the values of " + source);
    named.location = e.location;
    throw named;
  }
}

// Adds the values of let:.
void evaluate_let(const Definition& d, ConfigMap& config);
// `wanted`, or (0) all positions the model has. Throws Error if that is more.
int64_t choose_context(const Definition& d, const ConfigMap& config, int64_t wanted);
void take_over(Expanded&& e, ConfigMap&& config, Model& m);

// Is it a tensor of a layer that ignore_layers_from: names, or of a later one? `layer_prefix`: what stands in
// front of the names of a layer's tensors, with {layer}.
bool is_of_later_layer(const Definition& d, const ConfigMap& config, const std::string& name,
                       const std::string& layer_prefix);

// Fills `m` from a GGUF file.
void use_gguf(const Definition& d, const std::string& path, const ModelOptions& options, Model& m);

}  // namespace lmc
