// What the passes did and what quantising cost: report.json of a bundle, and the lines people read.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "codegen/codegen.h"
#include "codegen/layout.h"
#include "ir/weight_sources.h"
#include "passes/engine/manager.h"

namespace lmc {

// As in report.json. An error without noise is left out.
nlohmann::ordered_json pass_json(const PassReport& r);
nlohmann::ordered_json ledger_json(const LedgerEntry& e, const PackError& error);

class QuantReport {
 public:
  // Both must outlive the report.
  QuantReport(const std::vector<PassReport>& passes, const CodegenResult& code)
      : passes_(passes), code_(code), rows_(weight_rows(code.graphs.model, code.packs)) {}

  std::vector<std::vector<PackError>> errors;  // of each row of each packed weight
  std::vector<std::string> adapters;           // merged: Model::adapters

  std::string json() const;
  void print() const;  // the ledger from LMC_LOG=debug on

 private:
  // Sums over the rows that a ledger entry names, wherever they were packed.
  PackError error_of(const LedgerEntry& e) const;

  const std::vector<PassReport>& passes_;
  const CodegenResult& code_;
  std::vector<std::vector<WeightRows>> rows_;  // of each packed weight
};

}  // namespace lmc
