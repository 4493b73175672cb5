#include "tools/pipeline/group_outcome.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "ir/block_format.h"
#include "ir/op_def.h"
#include "ir/weight_sources.h"
#include "passes/debug/graph_edit.h"
#include "passes/engine/lowering.h"
#include "tools/cli/console.h"

namespace lmc {
namespace {

// Made by a pass that came with --pass or --load-pass: "--pass mine.lmpass".
std::string origin(const Op& group) {
  const std::string& pass = attr_string(group, "name");
  if (is_pass(pass)) return origin_flags(pass);
  const std::string& file = group.loc.file;
  return file.ends_with(".lmpass") ? "--pass " + file : "";  // of another label
}

// "linear: linear", "row: reshape mul"
std::string words(const Op& kernel) {
  std::string out = attr_string(kernel, "kernel") + ":";
  for (OpId id : topo_order(*kernel.body)) {
    const Op& op = kernel.body->op(id);
    if (op.def->category != OpCategory::view) out += " " + op.def->name;
  }
  return out;
}

// The lowered groups in which statements of each number ended up.
std::map<int32_t, std::set<OpId>> kernels_by_source(const Graph& lowered) {
  std::map<int32_t, std::set<OpId>> out;
  for (OpId id : lowered.ops()) {
    if (!lowered.op(id).body) continue;
    for (OpId inner : lowered.op(id).body->ops()) {
      const Op& op = lowered.op(id).body->op(inner);
      if (op.def->category != OpCategory::view) out[op.source].insert(id);
    }
  }
  return out;
}

// As numbered ops end up in a step of one token.
Lowered lowered(const Graph& numbered) {
  PassOptions quiet;
  quiet.repro_path.clear();
  return lower(numbered.clone(), {}, quiet);
}

// The groups that passes from files asked for, those within other groups too (which nest 32 deep at most):
// the first of each file.
struct Asked {
  const Op* group;
  std::string result;
};

void find_asked(const Graph& g, std::map<std::string, Asked>& out) {
  for (OpId id : g.ops()) {
    const Op& op = g.op(id);
    if (!op.body) continue;
    if (const std::string from = origin(op); !from.empty())
      out.try_emplace(from, Asked{&op, g.value(op.results[0]).name});
    find_asked(*op.body, out);
  }
}

std::map<std::string, Asked> asked_for(const Graph& g) {
  std::map<std::string, Asked> out;
  find_asked(g, out);
  return out;
}

bool holds(const Op& group, const std::string& from) {
  return origin(group) == from || asked_for(*group.body).contains(from);
}

// Opened are the groups of that file, and those around them.
Graph without_groups(const Graph& g, const std::string& from) {
  GraphEdit edit;
  for (OpId id : g.ops()) {
    if (g.op(id).body && holds(g.op(id), from)) edit.inlined.insert(id);
  }
  if (edit.inlined.empty()) return g.clone();
  return without_groups(edited(g, edit).value(), from);
}

// Whose groups keep a graph from being lowered, `why`: those of the file without which it can be.
std::optional<Error> to_blame(const Graph& g, const Error& why) {
  for (const auto& [from, asked] : asked_for(g)) {
    try {
      lowered(without_groups(g, from));
    } catch (const Error&) {  // something else is wrong as well
      continue;
    }
    return Error(asked.group->loc, fmt::format("group %{} of {} ({}) cannot be a kernel: {}", asked.result,
                                               attr_string(*asked.group, "name"), from, why.what()));
  }
  return std::nullopt;
}

}  // namespace

GroupOutcomes group_outcomes(const Graph& g, bool all) {
  const std::vector<OpId> ops = g.ops();
  const auto is_group = [&](OpId id) { return g.op(id).body != nullptr; };
  if (!(all && std::any_of(ops.begin(), ops.end(), is_group)) && asked_for(g).empty()) return {};
  Graph numbered = g.clone();
  number_ops(numbered);
  std::map<std::string, std::pair<int, std::string>> lines;  // by what is said: how often, the first group
  try {
    const Graph decode = lowered(numbered).decode;
    const auto kernels = kernels_by_source(decode);
    for (OpId id : numbered.ops()) {
      const Op& group = numbered.op(id);
      if (!group.body || (!all && origin(group).empty())) continue;
      std::set<OpId> used;
      for (OpId inner : group.body->ops()) {
        const auto it = kernels.find(group.body->op(inner).source);
        if (it != kernels.end()) used.insert(it->second.begin(), it->second.end());
      }
      if (used.size() < 2) continue;
      std::vector<std::string> parts;
      for (OpId k : used) parts.push_back(words(decode.op(k)));
      const std::string from = origin(group);
      auto& line =
          lines[fmt::format("{}{}: {} kernels in a step of one token ({})", attr_string(group, "name"),
                            from.empty() ? "" : " (" + from + ")", used.size(), fmt::join(parts, "; "))];
      if (line.first++ == 0) {
        const std::string place = from.empty() ? "" : group.loc.str();
        line.second = (place.empty() ? "" : place + ": ") + "group %" + numbered.value(group.results[0]).name;
      }
    }
  } catch (const Error& e) {
    return {{}, to_blame(numbered, e)};
  }
  GroupOutcomes out;
  for (const auto& [text, groups] : lines)
    out.several.push_back(fmt::format("{}{} of {}", groups.second,
                                      groups.first > 1 ? fmt::format(" and {} more", groups.first - 1) : "",
                                      text));
  return out;
}

std::vector<std::string> stored_more_than_once(const Graph& model) {
  std::vector<ValueId> packs;
  for (OpId id : model.ops()) {
    if (model.op(id).def->name == "pack") packs.push_back(model.result(id));
  }
  const std::vector<std::vector<WeightRows>> rows = weight_rows(model, packs);
  std::map<std::string, std::vector<size_t>> by_tensor;
  std::map<std::string, int64_t> counted, whole;
  for (size_t p = 0; p < packs.size(); ++p) {
    for (const WeightRows& r : rows[p]) {
      auto& list = by_tensor[r.tensor];
      if (list.empty() || list.back() != p) list.push_back(p);
      counted[r.tensor] += r.rows;
      whole[r.tensor] = r.of;
    }
  }
  std::vector<std::string> out;
  for (const auto& [tensor, list] : by_tensor) {
    if (list.size() < 2 || counted[tensor] <= whole[tensor]) continue;
    std::vector<std::string> forms;
    for (const size_t p : list) {
      const Type& t = model.type(packs[p]);
      forms.push_back(
          fmt::format("{} ({})", dtype_name(t.dtype),
                      human_bytes(static_cast<double>(storage_bytes(t.dtype, t.elements(), t.last())))));
    }
    out.push_back(fmt::format("weight {} is stored more than once: {}", tensor, fmt::join(forms, ", ")));
  }
  return out;
}

}  // namespace lmc
