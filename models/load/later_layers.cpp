// Layers behind those that a model file uses: some checkpoints have them to predict several tokens at once.
#include <charconv>

#include "models/load/model_parts.h"

namespace lmc {

bool is_of_later_layer(const Definition& d, const ConfigMap& config, const std::string& name,
                       const std::string& layer_prefix) {
  const size_t number = layer_prefix.find("{layer}");
  if (!d.ignore_layers_from || number == std::string::npos) return false;
  const std::string before = layer_prefix.substr(0, number);
  const std::string behind = layer_prefix.substr(number + sizeof("{layer}") - 1);
  if (!name.starts_with(before)) return false;
  int64_t layer = -1;
  const char* end = name.data() + name.size();
  const auto read = std::from_chars(name.data() + before.size(), end, layer);
  if (read.ec != std::errc() || !std::string_view(read.ptr, end).starts_with(behind)) return false;
  const syntax::Expr& from = *d.ignore_layers_from;
  return layer >= whole(evaluate_expr(from, config), from.loc, "ignore_layers_from");
}

}  // namespace lmc
