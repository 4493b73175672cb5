// Loading .lmpass files: all of them, or none.
#include <set>

#include "ir/files.h"
#include "ir/names.h"
#include "passes/pattern/lmpass.h"

namespace lmc {
namespace {

// A name that nobody has is a slip of the pen; the order would silently lack it.
void check_order(const FusionSpec& spec, const std::set<std::string>& loaded) {
  for (const auto* names : {&spec.after, &spec.before, &spec.rivals}) {
    for (const FusionSpec::Text& n : *names) {
      if (loaded.contains(n.text) || is_pass(n.text)) continue;
      std::vector<std::string> known(loaded.begin(), loaded.end());
      for (const Pass* p : ordered_passes()) known.push_back(p->name());
      throw Error(n.at,
                  "there is no pass '" + n.text + "'" + did_you_mean(n.text, known, "; see lmc passes"));
    }
  }
}

}  // namespace

void load_pass_files(const std::vector<std::string>& files) {
  std::vector<std::vector<FusionSpec>> specs;  // by file
  std::set<std::string> loaded;
  for (const std::string& file : files) {
    specs.push_back(parse_lmpass(read_input(file), file));
    for (const FusionSpec& s : specs.back()) {
      if (!loaded.insert(s.name).second)
        throw Error(file + ": pass " + s.name + " is also in another file given, or given twice");
    }
  }
  for (const auto& file : specs) {
    for (const FusionSpec& s : file) check_order(s, loaded);
  }
  for (size_t i = 0; i < specs.size(); ++i) {
    std::vector<std::unique_ptr<Pass>> passes;
    for (const FusionSpec& s : specs[i]) passes.push_back(make_fusion(s));
    register_passes(std::move(passes), "--pass", files[i]);
  }
}

}  // namespace lmc
