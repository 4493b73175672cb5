#include "codegen/backend.h"

#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <mutex>

#include "ir/error.h"

namespace lmc {
namespace {

std::unique_ptr<llvm::TargetMachine> machine(const Target& target) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
  });
  std::string problem;
  const llvm::Target* found = llvm::TargetRegistry::lookupTarget(target.triple(), problem);
  if (!found) throw Error("LLVM has no code generator for " + target.triple() + ": " + problem);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;  // a fused multiply-add only where we wrote one
  return std::unique_ptr<llvm::TargetMachine>(
      found->createTargetMachine(target.triple(), target.cpu(), target.features(), options, llvm::Reloc::PIC_,
                                 llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default));
}

std::string emit(llvm::Module& module, const Target& target, llvm::CodeGenFileType type) {
  const auto tm = machine(target);
  llvm::SmallVector<char, 0> out;
  llvm::raw_svector_ostream stream(out);
  llvm::legacy::PassManager pm;
  llvm::TargetLibraryInfoImpl no_library(llvm::Triple(target.triple()));
  no_library.disableAllFunctions();
  pm.add(new llvm::TargetLibraryInfoWrapperPass(no_library));
  if (tm->addPassesToEmitFile(pm, stream, nullptr, type)) throw Error("LLVM cannot write this kind of file");
  pm.run(module);
  return std::string(out.begin(), out.end());
}

}  // namespace

std::string backend_version() { return LMC_BACKEND_VERSION; }

void prepare_module(llvm::Module& module, const Target& target) {
  module.setTargetTriple(target.triple());
  module.setDataLayout(machine(target)->createDataLayout());
  module.setPICLevel(llvm::PICLevel::BigPIC);
}

void optimise(llvm::Module& module, const Target& target) {
  const auto tm = machine(target);
  llvm::LoopAnalysisManager lam;
  llvm::FunctionAnalysisManager fam;
  llvm::CGSCCAnalysisManager cgam;
  llvm::ModuleAnalysisManager mam;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;  // kernels are vectors already
  tuning.SLPVectorization = false;
  tuning.LoopUnrolling = false;
  llvm::PassBuilder builder(tm.get(), tuning);
  // Nothing may turn into a library call: kernels.o has no undefined symbols.
  llvm::TargetLibraryInfoImpl no_library(llvm::Triple(target.triple()));
  no_library.disableAllFunctions();
  fam.registerPass([&] { return llvm::TargetLibraryAnalysis(no_library); });
  builder.registerModuleAnalyses(mam);
  builder.registerCGSCCAnalyses(cgam);
  builder.registerFunctionAnalyses(fam);
  builder.registerLoopAnalyses(lam);
  builder.crossRegisterProxies(lam, fam, cgam, mam);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, mam);
}

// The code generator rewrites its input, so each works on a copy.
std::string to_object(llvm::Module& module, const Target& target) {
  return emit(*llvm::CloneModule(module), target, llvm::CodeGenFileType::ObjectFile);
}

std::string to_assembly(llvm::Module& module, const Target& target) {
  return emit(*llvm::CloneModule(module), target, llvm::CodeGenFileType::AssemblyFile);
}

}  // namespace lmc
