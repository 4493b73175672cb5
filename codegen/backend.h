// LLVM IR → optimised IR → machine code for a Target.
#pragma once

#include <string>

#include "codegen/target.h"

namespace llvm {
class Module;
}

namespace lmc {

std::string backend_version();  // another one may compile the same module to other code

void prepare_module(llvm::Module& module, const Target& target);  // triple and data layout
void optimise(llvm::Module& module, const Target& target);
std::string to_object(llvm::Module& module, const Target& target);
std::string to_assembly(llvm::Module& module, const Target& target);

}  // namespace lmc
