#include "codegen/lowering/pieces.h"

#include <algorithm>

#include "codegen/lowering/kernel_of_group.h"
#include "ir/effects.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

class Cutter {
 public:
  Cutter(const FlatGraph& flat, const SideTable<ValueId, char>& weight_only, bool single)
      : flat_(flat), g_(flat.graph), single_(single), weight_only_(weight_only) {}

  std::vector<Piece> run() {
    std::vector<OpId> cluster;
    for (OpId id : g_.ops()) {
      const Op& op = g_.op(id);
      if (weight_only_[op.results[0]] || op.def->category == OpCategory::view) continue;
      if (!cluster.empty() && flat_.cluster[cluster[0]] != flat_.cluster[id]) {
        place(cluster);
        cluster.clear();
      }
      cluster.push_back(id);
    }
    if (!cluster.empty()) place(cluster);
    close_rows();
    return std::move(pieces_);
  }

 private:
  // One group, or a single op.
  void place(const std::vector<OpId>& ops) {
    std::vector<std::vector<OpId>> pending{ops};  // the next one last: a group may hold any number of cores
    while (!pending.empty()) {
      const std::vector<OpId> next = std::move(pending.back());
      pending.pop_back();
      place_or_divide(next, pending);
    }
  }

  void place_or_divide(const std::vector<OpId>& ops, std::vector<std::vector<OpId>>& pending) {
    const Cluster cluster{g_, ops, single_};
    std::vector<OpId> cores;
    std::copy_if(ops.begin(), ops.end(), std::back_inserter(cores),
                 [&](OpId id) { return family_around(g_.op(id)) != nullptr; });
    if (cores.empty()) {
      for (OpId id : ops) add_loose(id);
    } else if (cores.size() == 1) {
      place_around(cores[0], cluster);
    } else {
      const std::vector<OpId> behind = cluster.behind(cores[0]);
      const auto is_behind = [&](OpId id) {
        return std::find(behind.begin(), behind.end(), id) != behind.end();
      };
      if (!family_around(g_.op(cores[0]))->stands_alone() || !is_behind(cores[1])) {
        throw Error(g_.op(cores[1]).loc, "group '" + flat_.group[cores[1]] + "' holds two contractions (" +
                                             describe(cores[0]) + " and " + describe(cores[1]) +
                                             "); one kernel can hold one");
      }
      std::vector<OpId> first, second;
      for (OpId id : ops) (is_behind(id) ? second : first).push_back(id);
      pending.push_back(std::move(second));
      pending.push_back(std::move(first));
    }
  }

  // Rows in front, the kernel of the core, rows behind.
  void place_around(OpId core, const Cluster& cluster) {
    const KernelFamily* family = family_around(g_.op(core));
    const std::vector<OpId> taken = family->claim(cluster, core);
    const std::vector<OpId> behind = cluster.behind(core);
    const auto holds = [](const std::vector<OpId>& list, OpId id) {
      return std::find(list.begin(), list.end(), id) != list.end();
    };
    for (OpId id : cluster.ops) {
      if (!holds(taken, id) && !holds(behind, id)) add_loose(id);
    }
    close_rows();
    pieces_.push_back({family, taken, runs_over_rows(g_, core)});
    for (OpId id : cluster.ops) {
      if (!holds(taken, id) && holds(behind, id)) add_loose(id);
    }
  }

  std::string describe(OpId id) const { return g_.op(id).def->name + " %" + g_.value(g_.result(id)).name; }

  void add_loose(OpId id) {
    const Op& op = g_.op(id);
    const KernelFamily* family = family_of_loose(op);
    if (!family) throw Error(op.loc, "there is no kernel for op " + op.def->name);
    const bool over_rows = runs_over_rows(g_, id);
    if (!rows_.ops.empty() &&
        (rows_.over_rows != over_rows || rows_.family != family || (!single_ && looks_back(op))))
      close_rows();
    rows_.over_rows = over_rows;
    rows_.family = family;
    rows_.ops.push_back(id);
  }

  // Does it read a cache that the rows so far append to? Tokens of a kernel run in no order: what one looks
  // back on must be there before.
  bool looks_back(const Op& op) const {
    const std::optional<size_t> cache = cache_read(g_, op);
    if (!cache) return false;
    const ValueId read = op.operands[*cache];
    return std::any_of(rows_.ops.begin(), rows_.ops.end(), [&](OpId id) {
      const std::vector<Update> updates = updates_of(g_.op(id));
      return std::any_of(updates.begin(), updates.end(),
                         [&](const Update& u) { return g_.op(id).results[u.result] == read; });
    });
  }

  void close_rows() {
    if (!rows_.ops.empty()) pieces_.push_back(std::move(rows_));
    rows_ = Piece();
  }

  const FlatGraph& flat_;
  const Graph& g_;
  const bool single_;
  const SideTable<ValueId, char>& weight_only_;
  std::vector<Piece> pieces_;
  Piece rows_;
};

}  // namespace

std::vector<Piece> cut_into_pieces(const FlatGraph& flat, const SideTable<ValueId, char>& weight_only,
                                   bool single) {
  return Cutter(flat, weight_only, single).run();
}

}  // namespace lmc
