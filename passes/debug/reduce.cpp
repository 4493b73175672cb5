#include "passes/debug/reduce.h"

#include <algorithm>
#include <cctype>

#include "ir/op_def.h"
#include "ir/text.h"
#include "passes/debug/dimensions.h"
#include "passes/debug/graph_edit.h"

namespace lmc {
namespace {

const char* kind_text(FailureKind kind) {
  switch (kind) {
    case FailureKind::threw:
      return "it throws";
    case FailureKind::unsound:
      return "it leaves the graph unsound";
    case FailureKind::dishonest:
      return "it lies about changing the graph";
    case FailureKind::results_changed:
      return "results change";
    case FailureKind::over_budget:
      return "results change by more than the budget";
  }
  return "";
}

// "%q.1 is 12" and "%k is 8" are the same complaint: names and numbers go, words stay.
std::string without_details(const std::string& message) {
  std::string out;
  for (size_t i = 0; i < message.size();) {
    const auto c = static_cast<unsigned char>(message[i]);
    const bool name = c == '%' || c == '@';
    if (!name && std::isdigit(c) == 0) {
      out += message[i++];
      continue;
    }
    out += '#';
    const auto part = [&](unsigned char d) {
      return name ? std::isalnum(d) != 0 || d == '_' || d == '.' : std::isdigit(d) != 0 || d == '.';
    };
    for (++i; i < message.size() && part(static_cast<unsigned char>(message[i]));) ++i;
  }
  return out;
}

// The search: every kind of step in turn, until none gets further.
class Reducer {
 public:
  Reducer(const Graph& g, const ReduceOptions& options) : options_(options), best_(g.clone()) {
    failure_ = options.failure(best_);
    if (failure_.empty())
      throw Error("the graph does not fail (with seeded inputs and weights): there is nothing to reduce");
  }

  ReduceResult run() {
    size_t before = 0;
    do {
      before = size_of(best_);
      shrink_dimensions();  // first: everything after it costs less
      drop_ops();
      drop_outputs();
      skip_ops();
      open_groups();
      merge_leaves();
      default_attributes();
    } while (!stopped_ && size_of(best_) < before);
    return {std::move(best_), failure_, attempts_, !stopped_};
  }

 private:
  static size_t size_of(const Graph& g) { return print_graph(g).size(); }

  bool attempt(const GraphEdit& edit, const std::string& what) {
    if (stopped_ || !options_.go_on()) {
      stopped_ = true;
      return false;
    }
    std::optional<Graph> candidate = edited(best_, edit);
    if (!candidate) return false;
    ++attempts_;
    if (options_.failure(*candidate) != failure_) return false;
    best_ = std::move(*candidate);
    options_.progress(what + ": " + std::to_string(best_.ops().size()) + " ops, " +
                      std::to_string(best_.outputs().size()) + " outputs, " +
                      std::to_string(best_.inputs().size() + best_.weights().size()) + " inputs and weights");
    return true;
  }

  // Tries to do without items [first, first + count), halving the count down to 1. `without(first, count)`
  // is true if that worked, which makes everything behind it move up.
  template <class Count, class Without>
  static void halve_chunks(const Count& items, const Without& without) {
    for (size_t chunk = std::max<size_t>(items() / 2, 1);; chunk /= 2) {
      for (size_t first = items(); first > 0;) {  // from the end: readers go before what they read
        first -= std::min(chunk, first);
        if (first < items()) without(first, std::min(chunk, items() - first));
      }
      if (chunk <= 1) return;
    }
  }

  // A set of ops goes: what reads them reads inputs instead, and what only they read becomes an output, so
  // that the rest stays.
  void drop_ops() {
    halve_chunks([&] { return best_.ops().size(); },
                 [&](size_t first, size_t count) {
                   const std::vector<OpId> order = topo_order(best_);
                   const std::set<OpId> gone(order.begin() + static_cast<int64_t>(first),
                                             order.begin() + static_cast<int64_t>(first + count));
                   return attempt(without_ops(gone), "dropped ops");
                 });
  }

  GraphEdit without_ops(const std::set<OpId>& gone) const {
    GraphEdit edit;
    const auto dropped = [&](ValueId v) { return best_.def_op(v) && gone.contains(best_.value(v).def); };
    std::vector<ValueId> outputs;
    for (ValueId v : best_.outputs()) {
      if (!dropped(v)) outputs.push_back(v);
    }
    for (OpId id : topo_order(best_)) {
      for (ValueId r : best_.op(id).results) {
        if (gone.contains(id)) {
          edit.cut.insert(r);
        } else if (const auto& uses = best_.value(r).uses;
                   !uses.empty() && !best_.is_output(r) &&
                   std::all_of(uses.begin(), uses.end(), [&](const Use& u) { return gone.contains(u.op); })) {
          if (best_.type(r).dtype == DType::f32 || is_kv(best_.type(r).dtype)) outputs.push_back(r);
        }
      }
    }
    edit.outputs = std::move(outputs);
    return edit;
  }

  void drop_outputs() {
    halve_chunks([&] { return best_.outputs().size(); },
                 [&](size_t first, size_t count) {
                   std::vector<ValueId> kept = best_.outputs();
                   kept.erase(kept.begin() + static_cast<int64_t>(first),
                              kept.begin() + static_cast<int64_t>(first + count));
                   GraphEdit edit;
                   edit.outputs = std::move(kept);
                   return attempt(edit, "dropped outputs");
                 });
  }

  // Calls `step` for the op at each place, from the end, until it finds no op there.
  template <class Step>
  void each_op(const Step& step) {
    for (size_t at = best_.ops().size(); at > 0 && !stopped_; --at) {
      const std::vector<OpId> order = topo_order(best_);
      if (at <= order.size()) step(order[at - 1]);
    }
  }

  // An op whose result has the type of an operand: readers take the operand.
  void skip_ops() {
    each_op([&](OpId id) {
      if (best_.op(id).body && skip_in_body(id)) return;
      for (const GraphEdit& edit : skips(best_, id)) {
        if (attempt(edit, "skipped an op")) return;
      }
    });
  }

  static std::vector<GraphEdit> skips(const Graph& g, OpId id) {
    std::vector<GraphEdit> out;
    const Op& op = g.op(id);
    if (op.results.size() != 1) return out;
    for (ValueId v : op.operands) {
      if (g.type(v) != g.type(op.results[0])) continue;
      out.emplace_back();
      out.back().instead[op.results[0]] = v;
    }
    return out;
  }

  bool skip_in_body(OpId group) {
    for (size_t at = best_.op(group).body->ops().size(); at > 0 && !stopped_; --at) {
      const Graph& body = *best_.op(group).body;
      const std::vector<OpId> order = topo_order(body);
      if (at > order.size()) continue;
      for (GraphEdit& inner : skips(body, order[at - 1])) {
        GraphEdit edit;
        edit.bodies[group] = std::move(inner);
        if (!attempt(edit, "skipped an op of a group")) continue;
        return true;  // the group has another id now
      }
    }
    return false;
  }

  void open_groups() {
    each_op([&](OpId id) {
      if (!best_.op(id).body) return;
      GraphEdit edit;
      edit.inlined.insert(id);
      attempt(edit, "opened a group");
    });
  }

  // Inputs, and weights, of one type become one.
  void merge_leaves() {
    for (const bool weights : {false, true}) {
      const auto leaves = [&] { return weights ? best_.weights() : best_.inputs(); };
      for (size_t at = leaves().size(); at > 1; --at) {
        const std::vector<ValueId> all = leaves();
        if (at > all.size()) continue;
        for (size_t other = 0; other + 1 < at; ++other) {
          if (best_.type(all[other]) != best_.type(all[at - 1])) continue;
          GraphEdit edit;
          edit.instead[all[at - 1]] = all[other];
          if (attempt(edit, weights ? "merged two weights" : "merged two inputs")) break;
        }
      }
    }
  }

  void default_attributes() {
    each_op([&](OpId id) {
      for (const AttrDef& a : best_.op(id).def->attrs) {
        const Op& op = best_.op(id);
        if (!a.fallback || op.attrs.at(a.name) == *a.fallback) continue;
        GraphEdit edit;
        edit.attrs[id] = op.attrs;
        edit.attrs[id][a.name] = *a.fallback;
        if (attempt(edit, "left out " + a.name)) return;
      }
    });
    for (OpId id : topo_order(best_)) {
      if (!best_.op(id).scope.empty()) return drop_scopes();
    }
  }

  // Scopes mean nothing to results, but a pass may look at them.
  void drop_scopes() {
    Graph bare = best_.clone();
    for (OpId id : bare.ops()) bare.set_scope(id, "");
    if (stopped_ || !options_.go_on()) return;
    ++attempts_;
    if (options_.failure(bare) == failure_) best_ = std::move(bare);
  }

  void shrink_dimensions() {
    Dimensions dimensions(best_);
    for (size_t i = 0; i < dimensions.choices().size() && !stopped_;) {
      if (shrink(dimensions, dimensions.choices()[i])) {
        dimensions = Dimensions(best_);  // at this place there is another one now
      } else {
        ++i;
      }
    }
  }

  // Smallest first.
  bool shrink(const Dimensions& dimensions, const Dimensions::Choice& choice) {
    for (int64_t to = 1; to < choice.number; to *= 2) {
      const std::optional<GraphEdit> edit = dimensions.change(choice, to);
      if (edit && attempt(*edit, std::to_string(choice.number) + " became " + std::to_string(to)))
        return true;
    }
    return false;
  }

  const ReduceOptions& options_;
  Graph best_;
  std::string failure_;
  int64_t attempts_ = 0;
  bool stopped_ = false;
};

}  // namespace

FailureOf pass_failure(PassOptions options) {
  options.weights = nullptr;
  options.repro_path.clear();
  options.dump_dir.clear();
  options.print_to = nullptr;
  options.after_pass = nullptr;
  pipeline(options);  // throws where it names no pass
  return [options](const Graph& given) -> std::string {
    Graph g = given.clone();
    try {
      run_passes(g, options);
    } catch (const PassFailure& e) {
      const std::string how = std::string("pass ") + e.pass + ": " + kind_text(e.kind);
      return e.kind == FailureKind::threw ? how + ": " + without_details(e.reason) : how;
    } catch (const Error&) {  // cannot be evaluated at all
    }
    return "";
  };
}

ReduceResult reduce(const Graph& g, const ReduceOptions& options) { return Reducer(g, options).run(); }

}  // namespace lmc
