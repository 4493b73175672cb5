#include "ir/pass.h"

#include <algorithm>
#include <set>

#include "ir/names.h"

namespace lmc {
namespace {

struct Entry {
  std::unique_ptr<Pass> pass;
  std::string flag, file;  // "" for those built in
};

std::vector<Entry>& table() {
  static std::vector<Entry> passes;
  return passes;
}

const Entry* find_entry(const std::string& name) {
  for (const Entry& e : table()) {
    if (e.pass->name() == name) return &e;
  }
  return nullptr;
}

std::vector<const Pass*> all_passes() {
  std::vector<const Pass*> all;
  for (const Entry& e : table()) all.push_back(e.pass.get());
  return all;
}

}  // namespace

std::string LedgerEntry::tensor() const {
  std::string out;
  for (const WeightRows& r : sources) out += (out.empty() ? "" : " + ") + r.str();
  return out;
}

RegisterPass::RegisterPass(std::unique_ptr<Pass> pass) { table().push_back({std::move(pass), "", ""}); }

std::vector<const Pass*> ordered_passes() { return order_passes(all_passes()); }

std::vector<const Pass*> order_passes(const std::vector<const Pass*>& passes) {
  std::map<std::string, const Pass*> waiting;
  for (const Pass* p : passes) {
    if (!waiting.emplace(p->name(), p).second) throw Error("two passes are called " + p->name());
  }
  std::map<std::string, std::set<std::string>> predecessors;
  for (const auto& [name, pass] : waiting) {
    for (const std::string& a : pass->after()) predecessors[name].insert(a);
    for (const std::string& b : pass->before()) predecessors[b].insert(name);
  }
  std::vector<const Pass*> order;
  while (!waiting.empty()) {
    PassPhase phase = PassPhase::lower_step;
    for (const auto& [name, pass] : waiting) phase = std::min(phase, pass->phase());
    const auto ready = std::find_if(waiting.begin(), waiting.end(), [&](const auto& entry) {
      if (entry.second->phase() != phase) return false;
      const auto& needs = predecessors[entry.first];
      return std::none_of(needs.begin(), needs.end(),
                          [&](const std::string& n) { return waiting.contains(n); });
    });
    if (ready == waiting.end())
      throw Error("the order of passes goes in a circle through " + waiting.begin()->first);
    order.push_back(ready->second);
    waiting.erase(ready);
  }
  return order;
}

const Pass& find_pass(const std::string& name) {
  std::string list;
  std::vector<std::string> known;
  for (const Pass* p : ordered_passes()) {
    if (p->name() == name) return *p;
    known.push_back(p->name());
    list += (list.empty() ? "" : ", ") + p->name();
  }
  throw Error("there is no pass '" + name + "'" + did_you_mean(name, known, "; there are " + list));
}

bool is_pass(const std::string& name) { return find_entry(name) != nullptr; }

void register_passes(std::vector<std::unique_ptr<Pass>> passes, const std::string& flag,
                     const std::string& file) {
  std::vector<const Pass*> all = all_passes();
  for (const auto& p : passes) {
    if (const Entry* e = find_entry(p->name())) {
      throw Error(file + ": there is already a pass " + p->name() +
                  (e->file.empty() ? ", built in" : " from " + e->file));
    }
    all.push_back(p.get());
  }
  try {
    order_passes(all);
  } catch (const Error& e) {
    throw Error(file + ": " + e.what());
  }
  for (auto& p : passes) table().push_back({std::move(p), flag, file});
}

size_t registered_count() { return table().size(); }

std::vector<std::unique_ptr<Pass>> take_registered_since(size_t count) {
  std::vector<std::unique_ptr<Pass>> out;
  for (size_t i = count; i < table().size(); ++i) out.push_back(std::move(table()[i].pass));
  table().resize(std::min(count, table().size()));
  return out;
}

std::string origin_flags(const std::string& pass) {
  const Entry* e = find_entry(pass);
  return !e || e->file.empty() ? "" : e->flag + " " + e->file;
}

}  // namespace lmc
