#include "passes/engine/plugin.h"

#include <dlfcn.h>
#include <elf.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>

#include "ir/files.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

void check_elf(const std::string& path, const std::string& bytes) {
  Elf64_Ehdr header;
  const bool elf = bytes.size() >= sizeof header && std::memcmp(bytes.data(), ELFMAG, SELFMAG) == 0;
  if (elf) std::memcpy(&header, bytes.data(), sizeof header);
  if (!elf || header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN)
    throw Error(path + ": is not a shared object");
  if (header.e_machine != EM_X86_64) throw Error(path + ": is a shared object for another machine");
  // The table of sections ends the file; the loader would read what is missing, and crash.
  const uint64_t table = uint64_t{header.e_shnum} * header.e_shentsize;
  if (header.e_shoff > bytes.size() || table > bytes.size() - header.e_shoff)
    throw Error(path + ": is cut short");
}

// The tag stands in the file as text; loading it to ask for the symbol would run its static objects first.
void check_abi(const std::string& path, const std::string& bytes) {
  const size_t at = bytes.find(LMC_PLUGIN_MARK);
  if (at == std::string::npos) {
    throw Error(
        path + ": has no lmc_plugin_abi; write LMC_PLUGIN (of passes/engine/plugin.h) into one of its files");
  }
  const size_t start = at + std::strlen(LMC_PLUGIN_MARK);
  const std::string tag = bytes.substr(start, std::min<size_t>(bytes.find('\0', start) - start, 300));
  if (tag == LMC_PLUGIN_ABI) return;
  throw Error(path + ": was built for another lmc; build it again against this one\n  it has " + tag +
              "\n  this is " LMC_PLUGIN_ABI);
}

// An exception that leaves a static object's constructor may find no way through the loader: then the program
// ends, but it says why. The path is kept here because a terminate handler has no arguments.
const char* loading_path = "";

[[noreturn]] void die_of_load() {
  const char* what = "something that is no std::exception";
  try {
    if (const std::exception_ptr e = std::current_exception()) std::rethrow_exception(e);
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
  }
  std::fprintf(stderr, "lmc: %s: throws while it is loaded: %s\n", loading_path, what);
  std::_Exit(1);
}

void* open_library(const std::string& path) {
  // A name without a slash would be searched for in the system's folders.
  const std::string full = std::filesystem::absolute(path).string();
  loading_path = path.c_str();
  const std::terminate_handler before = std::set_terminate(die_of_load);
  void* handle = nullptr;
  std::string thrown;
  try {
    handle = dlopen(full.c_str(), RTLD_NOW | RTLD_LOCAL);
  } catch (const std::exception& e) {
    thrown = e.what();
  } catch (...) {
    thrown = "something that is no std::exception";
  }
  std::set_terminate(before);
  loading_path = "";
  if (!thrown.empty()) throw Error(path + ": throws while it is loaded: " + thrown);
  if (!handle) throw Error(path + ": cannot be loaded: " + dlerror());
  return handle;
}

std::vector<std::string>& op_files() {
  static std::vector<std::string> files;
  return files;
}

}  // namespace

const std::vector<std::string>& plugins_with_ops() { return op_files(); }

void load_plugin(const std::string& path) {
  {
    const std::string bytes = read_file(path);
    check_elf(path, bytes);
    check_abi(path, bytes);
  }
  const size_t before = registered_count();
  const size_t ops_before = all_ops().size();
  void* handle = open_library(path);  // never closed: its passes live as long as the program
  std::vector<std::unique_ptr<Pass>> passes = take_registered_since(before);
  const bool brings_ops = all_ops().size() > ops_before;
  if (!dlsym(handle, "lmc_plugin_abi"))
    throw Error(path + ": does not export lmc_plugin_abi; write LMC_PLUGIN outside any namespace");
  if (passes.empty() && !brings_ops) throw Error(path + ": brings no pass and no op, or is given twice");
  register_passes(std::move(passes), "--load-pass", path);
  if (brings_ops) op_files().push_back(path);
}

}  // namespace lmc
