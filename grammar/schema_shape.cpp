#include "grammar/schema_shape.h"

#include <algorithm>

namespace lmc::grammar {

Conjunction in_order(const SchemaDocument& document, Conjunction all) {
  std::sort(all.begin(), all.end(), [&](const Json* a, const Json* b) { return document.earlier(*a, *b); });
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace lmc::grammar
