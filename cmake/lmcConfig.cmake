# find_package(lmc): lmc::passes to build a plugin against (passes/engine/plugin.h), and lmc_plugin() to do it.
include(${CMAKE_CURRENT_LIST_DIR}/lmcTargets.cmake)

# lmc_plugin(mine mine.cpp …): a shared object for `lmc … --load-pass mine.so`.
function(lmc_plugin name)
  add_library(${name} MODULE ${ARGN})
  set_target_properties(${name} PROPERTIES PREFIX "")
  target_link_libraries(${name} PRIVATE lmc::passes)
endfunction()

# lmc_kernel_plugin(mine mine.cpp …): one that brings kernels as well (codegen/family.h).
function(lmc_kernel_plugin name)
  # LLVM asks the C compiler for libedit, which a project in C++ alone need not have enabled; only LLVM's headers are used.
  set(HAVE_HISTEDIT_H FALSE)
  find_package(LLVM 19.1 REQUIRED CONFIG)
  lmc_plugin(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE lmc::codegen)
  target_include_directories(${name} SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS})
endfunction()
