// The last pass: everything a step computes becomes groups of which each is one kernel. What a fusion grouped
// is one kernel if a family takes it as a whole; consecutive ops that need none of their own make one kernel
// of rows. Views move into the kernels that read through them, so that a body says all that its kernel does.
//
//   %n = rms_norm(%x, @w.packed)       →   %n = group(%x, @w.packed) {kernel=row, tokens=1, tiles=1, …} { … }
//   %y = linear(%n, @m.packed)             %y = group(%n, @m.packed) {kernel=linear, tiles=54, …} { … }
#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "codegen/lowering/kernel_of_group.h"
#include "codegen/lowering/pieces.h"
#include "ir/effects.h"
#include "ir/op_def.h"
#include "ir/pass.h"

namespace lmc::lowering::form_kernels {
namespace {

// Writes the pieces as groups of a new graph.
class Former {
 public:
  Former(const FlatGraph& flat, int64_t tokens, int64_t prefetch)
      : flat_(flat),
        g_(flat.graph),
        tokens_(tokens),
        prefetch_(prefetch),
        only_(weight_only(g_)),
        out_(g_.name) {}

  Graph run() {
    for (ValueId v : g_.inputs()) map_[v] = out_.add_input(g_.value(v).name, g_.type(v));
    for (ValueId v : g_.weights()) map_[v] = out_.add_weight(g_.value(v).name, g_.type(v));
    const std::vector<Piece> pieces = cut_into_pieces(flat_, only_, tokens_ == 1);
    for (const Piece& p : pieces) add(p);
    std::vector<ValueId> outputs;
    for (ValueId v : g_.outputs()) outputs.push_back(at_top(v));
    out_.set_outputs(outputs);
    cut();
    return std::move(out_);
  }

 private:
  using Map = std::map<ValueId, ValueId>;

  // A body in the making.
  struct Body {
    std::unique_ptr<Graph> graph;
    Map map;                      // of the flat graph's values
    std::vector<ValueId> inputs;  // of the flat graph
  };

  static void copy(const Graph& g, OpId id, Graph& to, Map& map, const std::string& scope) {
    const Op& op = g.op(id);
    std::vector<ValueId> operands;
    for (ValueId v : op.operands) operands.push_back(map.at(v));
    std::vector<std::string> names;
    for (ValueId r : op.results) names.push_back(g.value(r).name);
    const OpId made = to.add_op(*op.def, operands, op.attrs, names, scope, op.loc);
    to.set_source(made, op.source);
    for (size_t i = 0; i < op.results.size(); ++i) map[op.results[i]] = to.result(made, i);
  }

  ValueId at_top(ValueId v) const {
    const auto it = map_.find(v);
    if (it == map_.end())
      throw Error("output %" + g_.value(v).name + " of graph @" + g_.name + " must be computed by an op");
    return it->second;
  }

  // Makes `v` known inside: views with all they look through, anything else as an input.
  void bring_in(Body& body, ValueId v) {
    std::vector<OpId> views;  // the last one first
    while (!body.map.contains(v)) {
      const Op* op = g_.def_op(v);
      if (!op || op->def->category != OpCategory::view || only_[v]) {
        std::string name = g_.value(v).name;
        while (body.graph->find_input(name).valid()) name += "_";
        body.map[v] = body.graph->add_input(name, g_.type(v));
        body.inputs.push_back(v);
        break;
      }
      views.push_back(g_.value(v).def);
      v = op->operands[0];
    }
    for (auto it = views.rbegin(); it != views.rend(); ++it) copy(g_, *it, *body.graph, body.map, "");
  }

  void add(const Piece& piece) {
    const std::set<OpId> inside(piece.ops.begin(), piece.ops.end());
    const Cluster cluster{g_, piece.ops, tokens_ == 1};
    std::string name;
    for (OpId id : piece.ops) {
      if (const std::string& group = flat_.group[id]; !group.empty() && name.find(group) == std::string::npos)
        name += (name.empty() ? "" : "+") + group;
    }
    Body body{std::make_unique<Graph>(name.empty() ? piece.family->name() : name), {}, {}};
    for (OpId id : piece.ops) {
      for (ValueId v : g_.op(id).operands) bring_in(body, v);
      copy(g_, id, *body.graph, body.map, "");
    }
    std::vector<ValueId> results, outputs;
    std::vector<std::string> names;
    for (OpId id : piece.ops) {
      for (ValueId v : g_.op(id).results) {
        const std::vector<OpId> readers = cluster.readers(v);
        const bool outside =
            std::any_of(readers.begin(), readers.end(), [&](OpId user) { return !inside.contains(user); });
        if (!outside && !cluster.returned(v)) continue;
        results.push_back(v);
        outputs.push_back(body.map.at(v));
        names.push_back(g_.value(v).name);
      }
    }
    if (results.empty()) return;  // nobody needs it
    body.graph->set_outputs(outputs);
    std::vector<ValueId> operands;
    for (ValueId v : body.inputs) {
      copy_weight(v);
      operands.push_back(map_.at(v));
    }
    const OpId reported = reported_as(piece);
    AttrMap attrs{{"name", name}, {"kernel", piece.family->name()}, {"tokens", tokens_}};
    if (piece.family->asks_ahead()) attrs["prefetch"] = prefetch_;
    const OpId made = out_.add_op(get_op("group"), operands, attrs, names, g_.op(reported).scope,
                                  g_.op(reported).loc, std::move(body.graph));
    for (size_t i = 0; i < results.size(); ++i) map_[results[i]] = out_.result(made, i);
  }

  // The expression over weights that `v` is, in front of the first kernel that reads it.
  void copy_weight(ValueId v) {
    std::set<OpId> needed;
    std::vector<ValueId> pending{v};
    while (!pending.empty()) {
      const ValueId at = pending.back();
      pending.pop_back();
      if (map_.contains(at) || !needed.insert(g_.value(at).def).second) continue;
      for (ValueId o : g_.def_op(at)->operands) pending.push_back(o);
    }
    for (OpId id : needed) copy(g_, id, out_, map_, g_.op(id).scope);
  }

  // The op whose scope a kernel reports under: its core, the embedding, or what the model does first.
  OpId reported_as(const Piece& piece) const {
    for (OpId id : piece.ops) {
      if (piece.family->is_core(g_.op(id)) || g_.op(id).def->name == "embedding") return id;
    }
    return piece.ops.front();
  }

  void cut() {
    const GroupKernels kernels(out_, tokens_);
    for (OpId id : out_.ops()) {
      if (!out_.op(id).body) continue;
      GroupKernel kernel = kernels.of(id);
      const KernelFamily& family = find_family(kernel.spec.family);
      family.check(kernel.spec);
      family.cut(kernel.spec);
      out_.set_attr(id, "tiles", kernel.spec.tiles);
      out_.set_attr(id, "grain", kernel.spec.grain);
    }
  }

  const FlatGraph& flat_;
  const Graph& g_;
  const int64_t tokens_, prefetch_;
  const SideTable<ValueId, char> only_;
  Graph out_;
  Map map_;
};

class FormKernels : public Pass {
 public:
  std::string name() const override { return "form-kernels"; }
  std::string doc() const override { return "everything a step computes as groups of one kernel each"; }
  std::vector<std::string> after() const override { return {"split-attention"}; }
  PassPhase phase() const override { return PassPhase::lower_step; }
  std::string example() const override {
    return R"(graph @example (%tokens: i32[1], %out_rows: i32[R]) {
  weight @embed : f32[64,32]
  weight @b : f32[32]
  %table = pack(@embed) {layout=f32}
  %bias = pack(@b) {layout=f32}
  %x = embedding(%tokens, %table)
  %h = reshape(%x) {shape=[4,8]}
  %f = reshape(%h) {shape=[32]}
  %y = add(%f, %bias)
  %logits = select_rows(%y, %out_rows)
  return %logits
})";
  }
  std::vector<PassSetting> settings() const override {
    return {{"tokens", "most tokens of the step (1)"},
            {"prefetch",
             "the level of the cache that weights are asked into ahead of their use, 1 or 2; 0: the first, "
             "and for a row or two none (1)"}};
  }

  bool run(Graph& g, PassContext& context) const override {
    if (context.limit < 1) return false;
    const int64_t n = number(context, "tokens", 1, 1 << 20);
    const int64_t prefetch = number(context, "prefetch", 0, 2);
    if (g.outputs().empty()) throw Error("graph @" + g.name + " has no output");
    if (formed_already(g, n)) return false;
    const FlatGraph flat = open_groups(g);
    refuse_stale_reads(flat.graph);
    Graph formed = Former(flat, n, prefetch).run();
    for (OpId id : formed.ops()) context.applications += formed.op(id).body != nullptr;
    g = std::move(formed);
    return true;
  }

 private:
  static int64_t number(PassContext& context, const std::string& setting, int64_t least, int64_t most) {
    const std::string text = context.setting(setting, "1");
    int64_t n = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), n);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || n < least || n > most)
      throw Error("form-kernels." + setting + " must be a number of " + std::to_string(least) + " to " +
                  std::to_string(most) + ", found '" + text + "'");
    return n;
  }

  static bool formed_already(const Graph& g, int64_t tokens) {
    const SideTable<ValueId, char> only = weight_only(g);
    const std::vector<OpId> ops = g.ops();
    return std::all_of(ops.begin(), ops.end(), [&](OpId id) {
      const Op& op = g.op(id);
      return only[op.results[0]] != 0 ||
             (op.body && !attr_string(op, "kernel").empty() && attr_int(op, "tokens") == tokens);
    });
  }

  // Kernels see a ring of positions, not the value of a moment: what reads a cache beside its append would
  // find the place of this step's tokens not written yet.
  static void refuse_stale_reads(const Graph& g) {
    for (const Before& b : order_by_effects(g)) {
      const Op& reader = g.op(b.first);
      const std::optional<size_t> cache = cache_read(g, reader);
      if (!cache) continue;
      throw Error(reader.loc, reader.def->name + " %" + g.value(g.result(b.first)).name + " reads cache %" +
                                  g.value(reader.operands[*cache]).name + " beside " +
                                  g.op(b.then).def->name + " %" + g.value(g.result(b.then)).name +
                                  ", which changes it in place: let it read the result of that");
    }
  }
};

const RegisterPass kPass(std::make_unique<FormKernels>());

}  // namespace
}  // namespace lmc::lowering::form_kernels
