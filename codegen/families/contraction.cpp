#include "codegen/families/contraction.h"

#include <algorithm>

#include "codegen/families/contraction_portion.h"
#include "codegen/kernels/linear.h"
#include "codegen/kernels/linear_rows.h"
#include "codegen/kernels/row_kernel.h"
#include "codegen/layout.h"
#include "codegen/packed_form.h"
#include "codegen/weight_layout.h"
#include "ir/cost.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

bool holds(const std::vector<OpId>& list, OpId id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

// For one token every worker may as well compute the row itself: it costs no more time than waiting for
// the one that does, and saves that wait. Other stages get what they read from the worker of tile 0, which
// a step without rows never runs.
bool fits_prologue(const Cluster& c, const std::vector<OpId>& ahead, OpId core) {
  const Graph& g = c.g;
  const bool over_rows = runs_over_rows(g, core);
  return c.single && std::all_of(ahead.begin(), ahead.end(), [&](OpId id) {
           const Op& op = g.op(id);
           if (find_row_op(op.def->name) == nullptr) return false;
           return std::all_of(op.results.begin(), op.results.end(), [&](ValueId v) {
             if (is_kv(g.type(v).dtype) || g.is_output(v)) return false;
             if (runs_over_rows(g, id) == over_rows) return true;
             const auto& uses = g.value(v).uses;
             return std::all_of(uses.begin(), uses.end(),
                                [&](const Use& u) { return u.op == core || holds(ahead, u.op); });
           });
         });
}

// The core and what of `behind` can be computed as its outputs come.
std::vector<OpId> with_epilogue(const Cluster& c, OpId core, const std::vector<OpId>& behind,
                                const std::vector<ValueId>& halves) {
  const Op& op = c.g.op(core);
  std::vector<OpId> taken{core};
  std::vector<OpId> elementwise;
  bool quantised = false;
  const Epilogue epilogue{c.g,
                          op.results[0],
                          halves,
                          c.g.type(op.operands[1]).rank() == 3,
                          [&](OpId id) { return holds(behind, id); },
                          [&](OpId id) { return holds(elementwise, id); }};
  for (OpId id : behind) {
    if (epilogue.fits(c.g.op(id))) {
      taken.push_back(id);
      elementwise.push_back(id);
    } else if (!quantised && epilogue.quantises(c.g.op(id))) {
      taken.push_back(id);
      quantised = true;
    }
  }
  return taken;
}

// As the weight is packed.
int64_t rows_of_groups(const Graph& g, ValueId weight) {
  if (!packed_weight(g, weight).valid()) return 1;
  const WeightLayout* layout = find_weight_layout(attr_string(*g.def_op(weight), "layout"));
  return layout ? layout->group_rows() : 1;
}

}  // namespace

std::vector<OpId> ContractionFamily::claim(const Cluster& cluster, OpId core) const {
  const ValueId y = cluster.g.result(core);
  const std::vector<OpId> behind = cluster.behind(core);
  std::vector<OpId> ahead;
  for (OpId id : cluster.ops) {
    if (id != core && !holds(behind, id)) ahead.push_back(id);
  }
  std::vector<OpId> taken;
  const int64_t group_rows = rows_of_groups(cluster.g, cluster.g.op(core).operands[1]);
  if (const std::vector<ValueId> halves = halves_of(cluster.g, y, group_rows); !halves.empty()) {
    taken = with_epilogue(cluster, core, behind, halves);
    // Who is left outside reads the whole output from memory, and nobody would have written it.
    const std::vector<OpId> readers = cluster.readers(y);
    const bool all = std::all_of(readers.begin(), readers.end(), [&](OpId id) { return holds(taken, id); });
    if (!all || cluster.returned(y)) taken.clear();
  }
  if (taken.empty()) taken = with_epilogue(cluster, core, behind, {});
  if (!fits_prologue(cluster, ahead, core)) ahead.clear();
  ahead.insert(ahead.end(), taken.begin(), taken.end());
  return ahead;
}

// Tiles of about 256 kB, at least eight of a matrix that is worth sharing out.
void ContractionFamily::cut(KernelSpec& spec) const {
  const LinearForm f = form(spec);
  const int64_t groups = std::max<int64_t>(f.groups(), 1);
  const Type& w = f.frame.g.type(f.op().operands[1]);
  const Type matrix{w.dtype, {w.dims.end() - 2, w.dims.end()}};
  const auto bytes = static_cast<double>(packed_bytes(f.frame.slot(f.op().operands[1]).layout, matrix));
  const auto wanted =
      bytes < (64 << 10) ? 1 : std::max<int64_t>(static_cast<int64_t>(bytes / (256 << 10)), 8);
  spec.grain = ((groups + wanted - 1) / wanted + 3) / 4 * 4;
  spec.tiles = (groups + spec.grain - 1) / spec.grain * LinearRows::shares(f);
}

KernelMemory ContractionFamily::memory(const KernelSpec& spec) const {
  const LinearForm f = form(spec);
  return {linear_scratch_bytes(f), f.kept_bytes};
}

// What stands in front every worker computes for itself.
void ContractionFamily::cost(const KernelSpec& spec, StageWork& work) const {
  const LinearForm f = form(spec);
  for (OpId id : f.frame.ops) {
    const bool ahead = holds(f.prologue, id);
    StageWork part;
    count_op(f.frame.g, id, part);
    work.products += part.products;
    RowWork& rows = ahead ? work.prologue : work.rows;
    rows.ops += part.rows.ops;
    rows.exps += part.rows.exps;
  }
}

std::vector<Portion> ContractionFamily::portions(const KernelSpec& spec, bool all) const {
  const LinearForm f = form(spec);
  const int64_t shares = LinearRows::shares(f);
  const int64_t tiles = spec.tiles / shares;
  std::vector<Portion> out;
  for (int64_t t = 0; t < tiles; ++t) {
    if (all || t == 0 || t == tiles / 2 || t + 1 == tiles)
      out.push_back(contraction_portion(f, t, tiles, shares));
  }
  return out;
}

void ContractionFamily::emit(KernelBuilder& k, const KernelSpec& spec) const {
  const LinearForm f = form(spec);
  emit_linear_kernel(k, f);
}

}  // namespace lmc
