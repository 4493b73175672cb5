// all_gather: the rank's own part of each row to its place. The others' come when the tile has run, through
// whoever runs the plan (PlanStage::gather); until then they are zeros.
#include "codegen/family.h"
#include "codegen/kernels/row_kernel.h"
#include "ir/op_def.h"

namespace lmc::families::all_gather {
namespace {

class AllGatherFamily : public KernelFamily {
 public:
  std::string name() const override { return "all_gather"; }
  std::string doc() const override { return "a row of the parts that all ranks have of it; they are sent"; }
  bool is_core(const Op& op) const override { return op.def->name == "all_gather"; }

  void check(const KernelSpec& spec) const override {
    const Frame f(spec);
    const Op& op = f.g.op(f.ops.at(0));
    if (f.ops.size() != 1 || op.def->name != "all_gather")
      throw Error(op.loc, "a collective is a kernel of its own");
    if (attr_int(op, "rank") < 0)
      throw Error(op.loc, "the graph is that of all ranks: one machine runs the graph of one of them");
  }
  // Whoever has run the last row sends them all.
  void cut(KernelSpec& spec) const override { spec.tiles = spec.grain = 1; }
  KernelMemory memory(const KernelSpec&) const override { return {}; }

  std::optional<PlanGather> gather(const KernelSpec& spec) const override {
    const Frame f(spec);
    const Op& op = f.g.op(f.ops.at(0));
    PlanGather out;
    for (const int64_t n : attr_ints(op, "sizes")) out.bytes.push_back(n * int64_t{sizeof(float)});
    out.rank = attr_int(op, "rank");
    out.to = attr_ints(op, "to");
    out.stride = f.output_slot(op.results[0]).stride;
    return out;
  }

  void emit(KernelBuilder& k, const KernelSpec& spec) const override {
    const Frame f(spec);
    const Op& op = f.g.op(f.ops.at(0));
    k.loop(k.i64(0), f.over_rows ? k.rows() : k.tokens(), 1,
           [&](llvm::Value* token) { emit_row(k, f, op, token); });
    k.finish();
  }

 private:
  static void emit_row(KernelBuilder& k, const Frame& f, const Op& op, llvm::Value* token) {
    RowEmitter e(k, f, token);
    const std::vector<int64_t>& sizes = attr_ints(op, "sizes");
    int64_t at = 0;
    for (size_t r = 0; r < sizes.size(); ++r) {
      if (sizes[r] == 0) continue;
      const bool own = static_cast<int64_t>(r) == attr_int(op, "rank");
      e.for_lanes(sizes[r], [&](llvm::Value* j, int64_t n) {
        llvm::Value* y = own ? e.lanes(op.operands[0], k.i64(0), j) : k.splat(0.0);
        e.store(op.results[0], k.i64(0), k.add(j, k.i64(at)), y, n);
      });
      at += sizes[r];
    }
  }
};

const AllGatherFamily kFamily;
const RegisterFamily kRegister(kFamily);

}  // namespace
}  // namespace lmc::families::all_gather
