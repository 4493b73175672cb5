#include "codegen/family.h"

#include <algorithm>
#include <map>

#include "ir/cost.h"
#include "ir/names.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

std::map<std::string, const KernelFamily*>& table() {
  static std::map<std::string, const KernelFamily*> families;
  return families;
}

// Calls f for every op that is reached from `v` and is no view.
template <class F>
void for_readers(const Graph& g, ValueId v, const F& f) {
  std::vector<ValueId> pending{v};
  while (!pending.empty()) {
    const ValueId at = pending.back();
    pending.pop_back();
    for (const Use& u : g.value(at).uses) {
      const Op& user = g.op(u.op);
      if (user.def->category == OpCategory::view) {
        pending.insert(pending.end(), user.results.begin(), user.results.end());
      } else {
        f(u.op);
      }
    }
  }
}

}  // namespace

void KernelFamily::cost(const KernelSpec& spec, StageWork& work) const {
  const Frame f(spec);
  for (OpId id : f.ops) count_op(f.g, id, work);
}

Cluster::Cluster(const Graph& graph, std::vector<OpId> members, bool one_token)
    : g(graph), ops(std::move(members)), single(one_token), inside_(ops.begin(), ops.end()) {}

std::vector<OpId> Cluster::behind(OpId core) const {
  std::unordered_set<OpId> reached;
  std::vector<OpId> pending{core};
  while (!pending.empty()) {
    const OpId at = pending.back();
    pending.pop_back();
    for (ValueId r : g.op(at).results) {
      for_readers(g, r, [&](OpId user) {
        if (has(user) && reached.insert(user).second) pending.push_back(user);
      });
    }
  }
  std::vector<OpId> out;
  std::copy_if(ops.begin(), ops.end(), std::back_inserter(out),
               [&](OpId id) { return reached.contains(id); });
  return out;
}

std::vector<OpId> Cluster::readers(ValueId v) const {
  std::vector<OpId> out;
  for_readers(g, v, [&](OpId user) { out.push_back(user); });
  return out;
}

bool Cluster::returned(ValueId v) const {
  std::vector<ValueId> pending{v};
  while (!pending.empty()) {
    const ValueId at = pending.back();
    pending.pop_back();
    if (g.is_output(at)) return true;
    for (const Use& u : g.value(at).uses) {
      const Op& user = g.op(u.op);
      if (user.def->category == OpCategory::view)
        pending.insert(pending.end(), user.results.begin(), user.results.end());
    }
  }
  return false;
}

std::vector<OpId> KernelFamily::claim(const Cluster&, OpId core) const { return {core}; }

std::vector<Portion> KernelFamily::portions(const KernelSpec& spec, bool) const {
  std::vector<Portion> out;
  out.push_back(whole_kernel(spec.body, spec.tiles));
  return out;
}

OpId KernelFamily::core_of(const Graph& body) const {
  for (OpId id : body.ops()) {
    if (is_core(body.op(id))) return id;
  }
  return {};
}

RegisterFamily::RegisterFamily(const KernelFamily& family) { table()[family.name()] = &family; }

const KernelFamily& find_family(const std::string& name) {
  const auto it = table().find(name);
  if (it != table().end()) return *it->second;
  std::vector<std::string> known;
  std::string list;
  for (const auto& [other, family] : table()) {
    known.push_back(other);
    list += (list.empty() ? "" : ", ") + other;
  }
  throw Error("there is no kernel family '" + name + "'" + did_you_mean(name, known, "; there are " + list));
}

const KernelFamily* family_around(const Op& op) {
  for (const auto& [name, family] : table()) {
    if (family->is_core(op)) return family;
  }
  return nullptr;
}

const KernelFamily* family_of_loose(const Op& op) {
  for (const auto& [name, family] : table()) {
    if (family->takes_loose(op)) return family;
  }
  return nullptr;
}

std::vector<const KernelFamily*> all_families() {
  std::vector<const KernelFamily*> out;
  for (const auto& [name, family] : table()) out.push_back(family);
  return out;
}

}  // namespace lmc
