// What the graph costs behind every pass, by its plan: before anything is compiled or runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "passes/engine/manager.h"
#include "tools/pipeline/price.h"

namespace lmc {

class PassPrices {
 public:
  // Prices `g` as it is, and from then on behind every pass that changes it. `options` must not outlive this.
  void watch(const Graph& g, PassOptions& options);

  // A table: a row for the graph as it was and for each pass that changed it, each with the difference it
  // made.
  std::string table() const;

 private:
  struct Row {
    std::string pass;
    int64_t applications = 0;
    std::optional<Price> price;  // none: there is no plan for the graph as it is
    std::string obstacle;        // why
  };
  void add(const std::string& pass, int64_t applications, const Graph& g);

  PricingFigures figures_;
  std::vector<Row> rows_;
};

}  // namespace lmc
