#include "codegen/portion.h"

#include <numeric>

namespace lmc {

Portion whole_kernel(const Graph& body, int64_t tiles) {
  Portion out;
  out.tiles.resize(static_cast<size_t>(tiles));
  std::iota(out.tiles.begin(), out.tiles.end(), int64_t{0});
  out.body = body.clone();
  for (size_t i = 0; i < body.inputs().size(); ++i) out.inputs.push_back({i, PortionInput::Part::whole, {}});
  out.columns.resize(body.outputs().size());
  return out;
}

}  // namespace lmc
