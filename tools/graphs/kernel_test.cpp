#include "tools/graphs/kernel_test.h"

#include "codegen/proof/prove.h"
#include "passes/engine/lowering.h"
#include "tools/system/cache_folder.h"

namespace lmc {

std::string wrong_kernel(const Graph& g) {
  constexpr int64_t kBlock = 16;
  PassOptions quiet;
  quiet.repro_path.clear();
  CodegenOptions options;
  options.cache_folder = cache_folder();
  const CodegenResult code = emit(lower(g.clone(), {kBlock}, quiet), options);
  const Proof proof = prove_kernels(code.graphs, code.plan, LoadedKernels(code.object), false);
  return proof.wrong ? proof.wrong->str() : "";
}

}  // namespace lmc
