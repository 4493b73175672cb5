#include "tools/build/auto_quant/input_importance.h"

#include "ir/weight_sources.h"

namespace lmc {

ColumnImportance column_importance(const InputImportance& inputs, const CodegenResult& code) {
  ColumnImportance out(code.packs.size());
  if (inputs.empty()) return out;
  const std::vector<std::vector<WeightRows>> rows = weight_rows(code.graphs.model, code.packs);
  for (size_t w = 0; w < code.packs.size(); ++w) {
    const auto found = rows[w].empty() ? inputs.end() : inputs.find(rows[w][0].tensor);
    const Type& type = code.graphs.model.type(code.packs[w]);
    if (found != inputs.end() && type.rank() >= 2 &&
        static_cast<int64_t>(found->second.importance.size()) == type.last())
      out[w] = found->second;
  }
  return out;
}

}  // namespace lmc
