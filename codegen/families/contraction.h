// What the families around contractions have in common: rows of a weight are shared out among tiles, what is
// elementwise over the outputs is computed as they come.
#pragma once

#include <string>
#include <vector>

#include "codegen/family.h"
#include "codegen/kernels/linear_form.h"

namespace lmc {

class ContractionFamily : public KernelFamily {
 public:
  std::vector<OpId> claim(const Cluster& cluster, OpId core) const override;
  void check(const KernelSpec& spec) const override { form(spec); }
  bool asks_ahead() const override { return true; }
  void cut(KernelSpec& spec) const override;
  KernelMemory memory(const KernelSpec& spec) const override;
  void cost(const KernelSpec& spec, StageWork& work) const override;
  std::vector<Portion> portions(const KernelSpec& spec, bool all) const override;
  void emit(KernelBuilder& k, const KernelSpec& spec) const override;

 protected:
  LinearForm form(const KernelSpec& spec) const { return {spec, core_of(spec.body)}; }
};

}  // namespace lmc
