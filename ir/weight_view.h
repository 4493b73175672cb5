// A matrix made of parts of other matrices: what slices, concats, transposes and stacks of weights come to,
// however many of them there are. Data, so that it can be cut, joined and looked at without reading a number.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "ir/attr.h"
#include "ir/id.h"
#include "ir/positions.h"
#include "ir/type.h"

namespace lmc {

// A tensor as a matrix: a vector is one row, and a stack [n, rows, cols] has n * rows of them.
struct Matrix {
  int64_t rows, cols;
};
Matrix matrix(const Type& t);

// A rectangle of a view, from (row, col) on: its element (i, j) is leaf[down[i]][across[j]], or if it is
// transposed leaf[across[j]][down[i]].
struct WeightBox {
  int64_t row, col;
  ValueId leaf;
  bool transposed;
  Positions down, across;

  int64_t rows() const { return down.size(); }
  int64_t cols() const { return across.size(); }
  bool operator==(const WeightBox&) const = default;
};

class WeightView {
 public:
  static WeightView whole(ValueId leaf, const Matrix& m);
  static WeightView below(const std::vector<const WeightView*>& parts);   // one under the other
  static WeightView beside(const std::vector<const WeightView*>& parts);  // one to the right of the other

  int64_t rows() const { return size_.rows; }
  int64_t cols() const { return size_.cols; }
  // Every element lies in one of them. Neighbours that are one rectangle of a leaf are one box; ordered by
  // row, then column.
  const std::vector<WeightBox>& boxes() const { return boxes_; }
  bool operator==(const WeightView& o) const { return boxes_ == o.boxes_; }

  WeightView pick_rows(const Positions& wanted) const;
  WeightView pick_columns(const Positions& wanted) const;
  WeightView transposed() const;
  // With every box whose leaf `inside` knows as what that view has there.
  template <class F>  // const WeightView*(ValueId leaf): nullptr keeps the box
  WeightView with_leaves(const F& inside) const {
    WeightView out;
    out.size_ = size_;
    for (const WeightBox& box : boxes_) {
      const WeightView* v = inside(box.leaf);
      if (v) {
        out.put(v->part(box), box.row, box.col);
      } else {
        out.boxes_.push_back(box);
      }
    }
    out.join();
    return out;
  }
  // What a box has of this view, its leaf.
  WeightView part(const WeightBox& box) const;

 private:
  void put(const WeightView& v, int64_t row, int64_t col);
  void join();

  Matrix size_{0, 0};
  std::vector<WeightBox> boxes_;
};

// A call on weights, as an OpDef's `view` sees it: what ir/weight_expression.h knows of its operands.
struct ViewArgs {
  std::vector<const WeightView*> in;         // what the operands are made of
  std::vector<const WeightView*> unrounded;  // the same, but for a last rounding: what is rounded there
  std::vector<Type> types;                   // of the operands
  const Type& type;                          // of the result
  const AttrMap& attrs;

  int64_t integer(const std::string& name) const { return std::get<int64_t>(attrs.at(name)); }
  const std::string& text(const std::string& name) const { return std::get<std::string>(attrs.at(name)); }
};

// Rows and columns of a weight as a matrix.
struct WeightTile {
  Positions rows, columns;
  bool operator==(const WeightTile&) const = default;
};

}  // namespace lmc
