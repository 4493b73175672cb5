#include "tools/build/quant_report.h"

#include <cmath>
#include <map>

#include "codegen/weight_layout.h"
#include "passes/quant_rules.h"
#include "tools/cli/console.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

double decibels(const PackError& e) { return 10 * std::log10(e.signal / e.noise); }

}  // namespace

Json pass_json(const PassReport& r) {
  return {{"pass", r.pass},
          {"changed", r.changed},
          {"applications", r.applications},
          {"ops_before", r.ops_before},
          {"ops_after", r.ops_after},
          {"linears_before", r.linears_before},
          {"linears_after", r.linears_after},
          {"weight_bytes_before", r.weight_bytes_before},
          {"weight_bytes_after", r.weight_bytes_after},
          {"summary", r.summary},
          {"remarks", r.remarks},
          {"near_misses", r.near_misses}};
}

Json ledger_json(const LedgerEntry& e, const PackError& error) {
  Json out = {{"tensor", e.tensor()},
              {"rows", e.rows},
              {"cols", e.cols},
              {"rule", e.rule},
              {"format", e.format},
              {"bytes_before", e.bytes_before},
              {"bytes_after", e.bytes_after}};
  if (error.noise > 0) out["sqnr_db"] = decibels(error);
  return out;
}

PackError QuantReport::error_of(const LedgerEntry& e) const {
  PackError sum;
  for (const WeightRows& wanted : e.sources) {
    for (size_t w = 0; w < errors.size(); ++w) {
      if (!find_weight_layout(code_.plan.weights[w].layout)) continue;
      int64_t row = 0;
      for (const WeightRows& have : rows_[w]) {
        if (have.tensor == wanted.tensor) {
          for (int64_t i = 0; i < have.rows; ++i) {
            if (wanted.index(have.row(i)) >= 0) sum += errors[w][static_cast<size_t>(row + i)];
          }
        }
        row += have.rows;
      }
    }
  }
  return sum;
}

std::string QuantReport::json() const {
  Json passes = Json::array();
  Json ledger = Json::array();
  for (const PassReport& r : passes_) {
    passes.push_back(pass_json(r));
    for (const LedgerEntry& e : r.ledger) ledger.push_back(ledger_json(e, error_of(e)));
  }
  Json packed = Json::array();
  for (const PlanWeight& w : code_.plan.weights) {
    packed.push_back({{"weight", w.name}, {"layout", w.layout}, {"bytes", w.bytes}});
  }
  return Json({{"passes", passes}, {"quantization", ledger}, {"packed", packed}, {"adapters", adapters}})
             .dump(1) +
         "\n";
}

void QuantReport::print() const {
  struct Sum {
    PackError error;
    double worst = INFINITY;
    std::string tensor;
  };
  std::map<DType, Sum> by_format;
  for (const PassReport& r : passes_) {
    for (const LedgerEntry& e : r.ledger) {
      const PackError error = error_of(e);
      const bool lossy = error.noise > 0;
      if (lossy) {
        Sum& sum = by_format[*dtype_from_name(e.format)];
        sum.error += error;
        if (decibels(error) < sum.worst) {
          sum.worst = decibels(error);
          sum.tensor = e.tensor();
        }
      }
      if (log_level() < LogLevel::debug) continue;
      info("  {:<48} [{}, {}] {:<5} {} -> {}  {}{}", e.tensor(), e.rows, e.cols, e.format,
           human_bytes(static_cast<double>(e.bytes_before)), human_bytes(static_cast<double>(e.bytes_after)),
           lossy ? fmt::format("SQNR {:.1f} dB  ", decibels(error)) : "", e.rule);
    }
  }
  int64_t not_finite = 0;
  for (const auto& rows : errors) {
    for (const PackError& e : rows) not_finite += e.not_finite;
  }
  if (not_finite > 0)
    info("{} weights are NaN or infinite, or in a block with one; no SQNR counts them", not_finite);
  for (const auto& [format, sum] : by_format)
    info("{} weights: SQNR {:.1f} dB, worst {:.1f} dB ({})", format_title(format), decibels(sum.error),
         sum.worst, sum.tensor);
}

}  // namespace lmc
