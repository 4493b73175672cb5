#include "ir/weight_reader.h"

#include <algorithm>
#include <map>

#include "ir/checkpoint_box.h"

namespace lmc {
namespace {

// Tiles that may be computed for one reading: some for each op, and more where a few ops are cut and joined a
// lot. Expressions that rearrange numbers between one operation and the next could ask for any number of
// them.
constexpr size_t kTilesPerLeaf = 8;
constexpr size_t kMoreTiles = 4096;

// One tile of one op's result.
struct Task {
  WeightTile tile;
  std::vector<WeightView> in;  // of the operands
  std::vector<float> numbers;
  size_t readers = 0;
};

WeightTile tile_of(const WeightBox& box) {
  return box.transposed ? WeightTile{box.across, box.down} : WeightTile{box.down, box.across};
}

// One reading.
class Reading {
 public:
  Reading(const WeightExpressions& x, const WeightSource& source) : x_(x), g_(x.graph()), source_(source) {}

  void read(const WeightView& view, std::span<float> out) {
    want(view);
    while (!pending_.empty()) {
      const auto [leaf, i] = pending_.back();
      pending_.pop_back();
      prepare(leaf, i);
    }
    std::vector<ValueId> leaves;
    for (const auto& [leaf, tasks] : tasks_) leaves.push_back(leaf);
    std::sort(leaves.begin(), leaves.end(), [&](ValueId a, ValueId b) { return x_.order(a) < x_.order(b); });
    for (const ValueId leaf : leaves) {
      for (Task& task : tasks_.at(leaf)) compute(*g_.def_op(leaf), g_.type(leaf), task);
    }
    fill(view, out);
  }

 private:
  Task* find(const WeightBox& box) {
    auto& tasks = tasks_[box.leaf];
    const WeightTile tile = tile_of(box);
    const auto it = std::find_if(tasks.begin(), tasks.end(), [&](const Task& t) { return t.tile == tile; });
    return it == tasks.end() ? nullptr : &*it;
  }

  void want(const WeightView& view) {
    for (const WeightBox& box : view.boxes()) {
      const Op* op = g_.def_op(box.leaf);
      if (!op) continue;
      Task* task = find(box);
      if (!task) {
        auto& tasks = tasks_[box.leaf];
        if (++made_ > kTilesPerLeaf * x_.leaves() + kMoreTiles)
          throw Error(op->loc,
                      "weights are rearranged too often between one operation and the next: the "
                      "numbers of this " +
                          op->def->name + " would be computed again and again");
        pending_.emplace_back(box.leaf, tasks.size());
        task = &tasks.emplace_back(Task{tile_of(box), {}, {}, 0});
      }
      ++task->readers;
    }
  }

  // The parts of its operands that a tile needs.
  void prepare(ValueId leaf, size_t i) {
    const Op& op = *g_.def_op(leaf);
    std::vector<Type> types;
    for (const ValueId v : op.operands) types.push_back(g_.type(v));
    const WeightTile tile = tasks_.at(leaf)[i].tile;
    const std::vector<WeightTile> needed =
        op.def->tiles ? op.def->tiles(tile, types) : same_tiles(tile, types, g_.type(leaf));
    std::vector<WeightView> in;
    for (size_t o = 0; o < needed.size(); ++o) {
      in.push_back(x_.view(op.operands[o]).pick_rows(needed[o].rows).pick_columns(needed[o].columns));
      want(in.back());
    }
    tasks_.at(leaf)[i].in = std::move(in);
  }

  // A vector stands for rows that are all the same.
  static std::vector<WeightTile> same_tiles(const WeightTile& tile, const std::vector<Type>& types,
                                            const Type& result) {
    std::vector<WeightTile> out;
    for (const Type& t : types) {
      const bool vector = t.rank() == 1 && result.rank() > 1;
      out.push_back({vector ? Positions::repeat(0, tile.rows.size()) : tile.rows, tile.columns});
    }
    return out;
  }

  void compute(const Op& op, const Type& type, Task& task) {
    std::vector<Tensor> operands;
    for (size_t i = 0; i < task.in.size(); ++i) {
      const WeightView& view = task.in[i];
      std::vector<float> x(static_cast<size_t>(view.rows() * view.cols()));
      fill(view, x);
      operands.push_back({g_.type(op.operands[i]).dtype, {view.rows(), view.cols()}, {x.begin(), x.end()}});
    }
    std::vector<const Tensor*> in;
    for (const Tensor& t : operands) in.push_back(&t);
    const std::vector<Type> types = {{type.dtype, {task.tile.rows.size(), task.tile.columns.size()}}};
    try {
      const Tensor y = op.def->eval({in, op.attrs, types, op.body.get()})[0];
      task.numbers.assign(y.data.begin(), y.data.end());
    } catch (const Error& e) {
      throw Error(op.loc, op.def->name + ": " + e.what());
    }
    for (const WeightView& view : task.in) release(view);
    task.in.clear();
  }

  void release(const WeightView& view) {
    for (const WeightBox& box : view.boxes()) {
      if (!g_.def_op(box.leaf)) continue;
      Task& task = *find(box);
      if (--task.readers == 0) task.numbers = {};
    }
  }

  void fill(const WeightView& view, std::span<float> out) {
    for (const WeightBox& box : view.boxes()) {
      float* to = out.data() + box.row * view.cols() + box.col;
      if (g_.def_op(box.leaf)) {
        place(find(box)->numbers.data(), box, to, view.cols());
      } else {
        read_box(source_, g_.value(box.leaf), box, to, view.cols());
      }
    }
  }

  // A tile into its box, whose rows are `stride` numbers apart.
  static void place(const float* tile, const WeightBox& box, float* out, int64_t stride) {
    for (int64_t r = 0; r < box.rows(); ++r) {
      for (int64_t c = 0; c < box.cols(); ++c)
        out[r * stride + c] = box.transposed ? tile[c * box.rows() + r] : tile[r * box.cols() + c];
    }
  }

  const WeightExpressions& x_;
  const Graph& g_;
  const WeightSource& source_;
  std::map<ValueId, std::vector<Task>> tasks_;  // by leaf
  std::vector<std::pair<ValueId, size_t>> pending_;
  size_t made_ = 0;  // tasks
};

}  // namespace

void WeightReader::read(const WeightView& view, std::span<float> out) const {
  Reading(x_, source_).read(view, out);
}

std::string WeightReader::place(const WeightView& view, int64_t row, int64_t col) const {
  const Graph& g = x_.graph();
  for (const WeightBox& b : view.boxes()) {
    if (row < b.row || row >= b.row + b.rows() || col < b.col || col >= b.col + b.cols()) continue;
    int64_t r = b.down[row - b.row];
    int64_t c = b.across[col - b.col];
    if (b.transposed) std::swap(r, c);
    const Value& leaf = g.value(b.leaf);
    const std::string at =
        ", element " + std::to_string(r * matrix(leaf.type).cols + c) +
        (leaf.type.rank() > 1 ? " (row " + std::to_string(r) + ", column " + std::to_string(c) + ")" : "");
    if (const Op* op = g.def_op(b.leaf))
      return "what " + op->def->name + " makes of weights, %" + leaf.name + at;
    return "tensor '" + leaf.name + "'" + at;
  }
  return "a weight";
}

}  // namespace lmc
