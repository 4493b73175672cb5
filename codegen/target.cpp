#include "codegen/target.h"

#include <algorithm>

#include "ir/error.h"

namespace lmc {
namespace {

// Best first.
std::vector<const Target*>& all_targets() {
  static std::vector<const Target*> all;
  return all;
}

}  // namespace

RegisterTarget::RegisterTarget(const Target& target) {
  std::vector<const Target*>& all = all_targets();
  const auto worse = [&](const Target* t) { return t->preference() < target.preference(); };
  all.insert(std::find_if(all.begin(), all.end(), worse), &target);
}

std::vector<const Target*> targets_here() {
  std::vector<const Target*> out;
  for (const Target* t : all_targets()) {
    if (t->supported_here()) out.push_back(t);
  }
  return out;
}

const Target& find_target(const std::string& name) {
  std::string known = "native";
  for (const Target* t : all_targets()) {
    if (name == t->name() || (name == "native" && t->supported_here())) return *t;
    known += ", " + t->name();
  }
  if (name == "native") throw Error("this CPU has no AVX2, FMA and F16C, which every target of lmc needs");
  throw Error("unknown target '" + name + "'; known are: " + known);
}

}  // namespace lmc
