#include "codegen/families/contraction_portion.h"

#include <algorithm>
#include <map>
#include <set>

#include "ir/op_def.h"

namespace lmc {
namespace {

class Cutter {
 public:
  Cutter(const LinearForm& form, Range rows)
      : f_(form), g_(form.frame.g), rows_(rows), width_(form.outputs / form.parts()) {
    const std::vector<ValueId> inputs = g_.inputs();
    for (size_t i = 0; i < inputs.size(); ++i) number_[inputs[i]] = i;
  }

  Portion run() {
    const std::set<OpId> ahead(f_.prologue.begin(), f_.prologue.end());
    for (OpId id : topo_order(g_)) {
      const Op& op = g_.op(id);
      const bool behind = is_behind(op);
      std::vector<ValueId> operands;
      for (size_t i = 0; i < op.operands.size(); ++i) {
        const ValueId v = op.operands[i];
        if (id == f_.core) {
          operands.push_back(i == 1 ? weight(v) : i == (f_.experts ? 3U : 2U) ? columns(v) : whole(v));
        } else {
          operands.push_back(behind ? columns(v) : whole(v));
        }
      }
      AttrMap attrs = op.attrs;
      if (behind && op.def->name == "split")
        attrs["sizes"] = std::vector<int64_t>(f_.halves.size(), rows_.count);
      std::vector<std::string> names;
      for (ValueId r : op.results) names.push_back(g_.value(r).name);
      const OpId made = out_.body.add_op(*op.def, operands, attrs, names, "", op.loc);
      for (size_t i = 0; i < op.results.size(); ++i) {
        (behind || id == f_.core ? cut_ : whole_)[op.results[i]] = out_.body.result(made, i);
      }
    }
    std::vector<ValueId> outputs;
    for (ValueId v : g_.outputs()) {  // the results of the prologue are written as a whole
      const bool cut = cut_.contains(v);
      outputs.push_back(cut ? cut_.at(v) : whole(v));
      out_.columns.push_back(cut ? std::vector<Range>{rows_} : std::vector<Range>());
    }
    out_.body.set_outputs(outputs);
    return std::move(out_);
  }

 private:
  // Does the op compute something from the contraction's outputs?
  bool is_behind(const Op& op) const {
    return std::any_of(op.operands.begin(), op.operands.end(), [&](ValueId v) { return cut_.contains(v); });
  }

  std::vector<Range> in_each_half() const {
    std::vector<Range> out{rows_};
    if (f_.parts() == 2) out.push_back({width_ + rows_.first, rows_.count});
    return out;
  }

  ValueId input(ValueId v, const std::string& suffix, Type type, PortionInput::Part part,
                std::vector<Range> ranges) {
    out_.inputs.push_back({number_.at(v), part, std::move(ranges)});
    return out_.body.add_input(g_.value(v).name + suffix, type);
  }

  ValueId whole(ValueId v) {
    const auto it = whole_.find(v);
    if (it != whole_.end()) return it->second;
    return whole_[v] = input(v, "", g_.type(v), PortionInput::Part::whole, {});
  }

  ValueId weight(ValueId v) {
    Type t = g_.type(v);
    t.dims[t.dims.size() - 2] = rows_.count * f_.parts();
    return input(v, "", t, PortionInput::Part::rows, in_each_half());
  }

  // Of what is read beside the outputs: a vector or rows, either as wide as they or as one half.
  ValueId columns(ValueId v) {
    if (const auto it = cut_.find(v); it != cut_.end()) return it->second;
    Type t = g_.type(v);
    const bool both = f_.parts() == 2 && t.last() == f_.outputs;
    const std::vector<Range> ranges = both ? in_each_half() : std::vector<Range>{rows_};
    if (number_.contains(v)) {
      t.dims.back() = rows_.count * static_cast<int64_t>(ranges.size());
      return cut_[v] = input(v, ".cut", t, PortionInput::Part::columns, ranges);
    }
    // Computed in front of the contraction: cut there.
    std::vector<int64_t> sizes;
    if (rows_.first > 0) sizes.push_back(rows_.first);
    sizes.push_back(rows_.count);
    if (rows_.first + rows_.count < t.last()) sizes.push_back(t.last() - rows_.first - rows_.count);
    const OpId split = out_.body.add_op("split", {whole(v)}, {{"sizes", sizes}});
    return cut_[v] = out_.body.result(split, rows_.first > 0 ? 1 : 0);
  }

  const LinearForm& f_;
  const Graph& g_;
  const Range rows_;
  const int64_t width_;  // outputs of one half
  std::map<ValueId, size_t> number_;
  std::map<ValueId, ValueId> whole_, cut_;
  Portion out_;
};

}  // namespace

Portion contraction_portion(const LinearForm& form, int64_t tile, int64_t tiles_of_share, int64_t shares) {
  const int64_t per_tile = form.frame.spec.grain * form.layout->group_rows();
  const int64_t first = tile * per_tile;
  Portion out = Cutter(form, {first, std::min(per_tile, form.outputs / form.parts() - first)}).run();
  for (int64_t s = 0; s < shares; ++s) out.tiles.push_back(s * tiles_of_share + tile);
  return out;
}

}  // namespace lmc
