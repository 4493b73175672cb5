#include "models/load/find_model.h"

#include <algorithm>
#include <filesystem>

#include "models/language/builtin.h"

namespace lmc {
namespace fs = std::filesystem;

std::string find_model_file(const std::string& given, const std::string& shared) {
  std::error_code ec;
  if (given.empty() || fs::exists(given, ec)) return given;
  const fs::path installed = fs::path(shared) / given;  // `given` alone where that is absolute
  if (fs::is_regular_file(installed, ec)) return installed.string();
  const std::vector<std::string> names = builtin_names();
  return std::find(names.begin(), names.end(), given) != names.end() ? kBuiltin + given : given;
}

std::string shared_models() {
  std::error_code ec;
  const fs::path program = fs::read_symlink("/proc/self/exe", ec);
  return (program.parent_path().parent_path() / "share/lmc/models").string();
}

}  // namespace lmc
