// Kernel families: which ops become one kernel of a kind, how it is cut into tiles and what memory it takes,
// its code, its cost. One file each; adding one touches nothing else.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "codegen/frame.h"
#include "codegen/kernel_spec.h"
#include "codegen/portion.h"

namespace lmc {

class KernelBuilder;

// Ops that are to be one kernel if they can: those of a fusion, or a single one.
struct Cluster {
  Cluster(const Graph& graph, std::vector<OpId> members, bool one_token);

  const Graph& g;               // of the step, groups opened
  const std::vector<OpId> ops;  // in the order they run, without views and what is on weights alone
  const bool single;            // for a step of one token

  bool has(OpId id) const { return inside_.contains(id); }
  // Ops of the cluster that need a result of `core`, also through views, in order.
  std::vector<OpId> behind(OpId core) const;
  // Ops that read `v`, in the cluster or elsewhere, directly or through views.
  std::vector<OpId> readers(ValueId v) const;
  // Is `v` or a view of it returned by the graph?
  bool returned(ValueId v) const;

 private:
  const std::unordered_set<OpId> inside_;  // of a graph with thousands of clusters: no table of all its ops
};

// Per worker, in bytes.
struct KernelMemory {
  int64_t scratch = 0;
  int64_t kept = 0;  // in front of the scratch, from tile to tile and step to step (kernel_abi.h)
};

class KernelFamily {
 public:
  virtual ~KernelFamily() = default;

  virtual std::string name() const = 0;
  virtual std::string doc() const = 0;

  // Does it take the op without one to build a kernel around? Such ops make one kernel with their neighbours.
  virtual bool takes_loose(const Op&) const { return false; }
  // Does it build kernels around the op?
  virtual bool is_core(const Op&) const { return false; }
  // Of a cluster with this core: the ops that become one kernel with it, the core among them, in order. The
  // others become kernels in front of it and behind it. Throws Error at the op if there is no kernel for it.
  virtual std::vector<OpId> claim(const Cluster& cluster, OpId core) const;
  // Is what stands behind the core placed as if it were a cluster of its own?
  virtual bool stands_alone() const { return false; }

  // Throws Error, at the op and with the reason, if the body is none of this family's kernels.
  virtual void check(const KernelSpec& spec) const = 0;
  // Does it read weights in an order that is known, so that they can be asked for ahead of their use?
  virtual bool asks_ahead() const { return false; }
  // Decides tiles and grain.
  virtual void cut(KernelSpec& spec) const = 0;
  virtual KernelMemory memory(const KernelSpec& spec) const = 0;
  // What a launch does, for the cost model (ir/cost.h): adds products, rows, prologue and attention to
  // `work`. By default what count_op makes of every op of the body.
  virtual void cost(const KernelSpec& spec, StageWork& work) const;
  // Of the core's weights, what part a launch reads.
  virtual double share_of_weights(const KernelSpec&) const { return 1; }
  // What the ranks send each other when the kernel has run, if anything.
  virtual std::optional<PlanGather> gather(const KernelSpec&) const { return std::nullopt; }
  // If its outputs are logits, can it leave some or all of them out (StepInfo::allowed, StepInfo::argmax)?
  virtual bool can_pick(const KernelSpec&) const { return false; }
  // What of the kernel to compare with the evaluator: all tiles, or enough of them to touch the first, the
  // last and one in the middle.
  virtual std::vector<Portion> portions(const KernelSpec& spec, bool all) const;
  // The whole function; `spec` is canonical.
  virtual void emit(KernelBuilder& k, const KernelSpec& spec) const = 0;

  // The op of the body that is_core(); invalid if there is none.
  OpId core_of(const Graph& body) const;
};

struct RegisterFamily {
  explicit RegisterFamily(const KernelFamily& family);  // which lives as long as the program
};

const KernelFamily& find_family(const std::string& name);  // Error naming those there are
const KernelFamily* family_around(const Op& op);           // of kernels built around it, or null
const KernelFamily* family_of_loose(const Op& op);         // that takes it without a core, or null
std::vector<const KernelFamily*> all_families();           // by name

}  // namespace lmc
