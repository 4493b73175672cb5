// Loading kernels.o with ORC's LLJIT. No code is generated here: the object in the bundle is what runs.
#include <llvm/ExecutionEngine/Orc/Debugging/DebuggerSupport.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Object/ELFObjectFile.h>
#include <llvm/Support/TargetSelect.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "codegen/codegen.h"
#include "ir/error.h"
#include "ir/out_of_memory.h"

namespace lmc {
namespace {

std::string text(llvm::Error e) { return llvm::toString(std::move(e)); }

void check_object(const std::string& object) {
  auto parsed = llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(object, "kernels.o"));
  if (!parsed) throw Error("kernels.o is damaged: " + text(parsed.takeError()));
  for (const auto& symbol : (*parsed)->symbols()) {
    auto flags = symbol.getFlags();
    if (!flags) throw Error("kernels.o is damaged: " + text(flags.takeError()));
    if (!(*flags & llvm::object::SymbolRef::SF_Undefined)) continue;
    auto name = symbol.getName();
    if (!name) throw Error("kernels.o is damaged: " + text(name.takeError()));
    if (!name->empty()) throw Error("kernels.o calls '" + name->str() + "', which it does not hold");
  }
}

// What perf reads to name code that is in no file: a line "address size name" per function.
void write_perf_map(const std::string& object, const std::function<void*(const std::string&)>& find) {
  const std::string path = "/tmp/perf-" + std::to_string(::getpid()) + ".map";
  std::ofstream out(path);
  const auto elf = llvm::cantFail(
      llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef(object, "kernels.o")));
  for (const llvm::object::SymbolRef& s : elf->symbols()) {
    if (llvm::cantFail(s.getType()) != llvm::object::SymbolRef::ST_Function) continue;
    const std::string name = llvm::cantFail(s.getName()).str();
    out << std::hex << reinterpret_cast<uintptr_t>(find(name)) << ' '
        << llvm::object::ELFSymbolRef(s).getSize() << ' ' << name << '\n';
  }
  out.close();
  if (!out) throw Error("cannot write " + path);
}

}  // namespace

struct LoadedKernels::Impl {
  ~Impl() {
    const NotUnwound llvm;
    jit.reset();
  }
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

LoadedKernels::LoadedKernels(const std::string& object, const LoadOptions& options)
    : impl_(std::make_unique<Impl>()) {
  const NotUnwound llvm;
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  check_object(object);
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit) throw Error("cannot start the loader of kernels.o: " + text(jit.takeError()));
  impl_->jit = std::move(*jit);
  if (options.debugger) {
    if (auto e = llvm::orc::enableDebuggerSupport(*impl_->jit)) {
      throw Error("cannot tell the debugger about kernels.o: " + text(std::move(e)));
    }
  }
  if (auto e = impl_->jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(object, "kernels.o"))) {
    throw Error("cannot load kernels.o: " + text(std::move(e)));
  }
  if (options.perf) write_perf_map(object, [&](const std::string& symbol) { return find(symbol); });
}

LoadedKernels::~LoadedKernels() = default;
LoadedKernels::LoadedKernels(LoadedKernels&&) noexcept = default;
LoadedKernels& LoadedKernels::operator=(LoadedKernels&&) noexcept = default;

void* LoadedKernels::find(const std::string& symbol) const {
  const NotUnwound llvm;
  auto address = impl_->jit->lookup(symbol);
  if (!address) throw Error("kernels.o has no kernel '" + symbol + "': " + text(address.takeError()));
  return address->toPtr<void*>();
}

}  // namespace lmc
