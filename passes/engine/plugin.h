// Passes compiled out of this tree: a shared object with LMC_FUSION or RegisterPass objects and one
// LMC_PLUGIN line, built against an installed lmc, loaded with --load-pass FILE. tests/plugin is an example.
#pragma once

#include <string>
#include <vector>

#include "passes/abi.h"  // made by the build: version and a hash of the headers
#include "passes/pattern/fusion.h"

#define LMC_ABI_TEXT_(x) #x
#define LMC_ABI_TEXT(x) LMC_ABI_TEXT_(x)

#if defined(__clang__)
#define LMC_ABI_COMPILER "clang " LMC_ABI_TEXT(__clang_major__)
#else
#define LMC_ABI_COMPILER "gcc " LMC_ABI_TEXT(__GNUC__)
#endif

#if defined(_LIBCPP_VERSION)
#define LMC_ABI_LIBRARY "libc++ " LMC_ABI_TEXT(_LIBCPP_VERSION)
#elif defined(_GLIBCXX_DEBUG)
#define LMC_ABI_LIBRARY "libstdc++ with _GLIBCXX_DEBUG"
#else
#define LMC_ABI_LIBRARY "libstdc++, cxx11 abi " LMC_ABI_TEXT(_GLIBCXX_USE_CXX11_ABI)
#endif

// What program and plugin must agree in: both exchange C++ objects. Found in the file before it is loaded,
// so that nothing of a plugin that does not fit ever runs.
#define LMC_PLUGIN_MARK "lmc-plugin-abi: "
#define LMC_PLUGIN_ABI                                                                           \
  "lmc " LMC_ABI_VERSION ", headers " LMC_ABI_HEADERS ", " LMC_ABI_COMPILER ", " LMC_ABI_LIBRARY \
  ", C++ " LMC_ABI_TEXT(__cplusplus)

// Once in every plugin, outside any namespace.
#define LMC_PLUGIN                                                                      \
  extern "C" __attribute__((visibility("default"), used)) const char lmc_plugin_abi[] = \
      LMC_PLUGIN_MARK LMC_PLUGIN_ABI;

namespace lmc {

// Loads the shared object and registers its passes; its ops register themselves. Throws Error with the reason
// if it is none, was built for another lmc, throws while loading, brings a pass or an op that is there
// already, or nothing.
void load_plugin(const std::string& path);
// Files of the plugins that brought ops: a graph that uses one needs them before it is read.
const std::vector<std::string>& plugins_with_ops();

}  // namespace lmc
