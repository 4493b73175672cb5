#include "tools/pipeline/pass_prices.h"

#include <fmt/format.h>

#include "tools/cli/console.h"
#include "tools/cli/text_table.h"

namespace lmc {

void PassPrices::watch(const Graph& g, PassOptions& options) {
  add("(as it was)", 0, g);
  options.after_pass = [this, then = options.after_pass](const PassReport& report, const Graph& now) {
    if (then) then(report, now);
    if (report.changed) add(report.pass, report.applications, now);
  };
}

void PassPrices::add(const std::string& pass, int64_t applications, const Graph& g) {
  Row row{pass, applications, {}, ""};
  try {
    row.price = price_of(g, figures_.get());
  } catch (const Error& e) {
    row.obstacle = e.what();
  }
  rows_.push_back(std::move(row));
}

std::string PassPrices::table() const {
  TextTable t({"<pass", "applied", "kernels/token", "weight bytes", "activation bytes", "Mflop",
               "predicted ms", "change", "prefill ms", "change"});
  const auto change = [](double before, double after) {
    return before > 0 ? fmt::format("{:+.1f}%", (after / before - 1) * 100) : "";
  };
  const Price* last = nullptr;
  for (const Row& r : rows_) {
    const std::string applied = &r == rows_.data() ? "" : std::to_string(r.applications);
    if (!r.price) {
      t.row({r.pass + ": no plan, " + r.obstacle, applied, "", "", "", "", "", "", "", ""});
      continue;
    }
    const Price& p = *r.price;
    t.row({r.pass, applied, std::to_string(p.kernels), human_bytes(p.weight_bytes),
           human_bytes(p.activation_bytes), fmt::format("{:.2f}", p.flops / 1e6),
           fmt::format("{:.3f}", p.seconds * 1e3), change(last ? last->seconds : 0, p.seconds),
           fmt::format("{:.3f}", p.block_seconds * 1e3),
           change(last ? last->block_seconds : 0, p.block_seconds)});
    last = &p;
  }
  return t.str() + fmt::format("  predicted for {} threads: a token decoded, and a block of prompt ({})\n",
                               figures_.get().threads, last ? last->block : 0);
}

}  // namespace lmc
