// Random changes of a graph that keep its meaning: what a model's author, or a pass, might have written
// instead. Results differ by the rounding of f32 at most.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace lmc {

using Rng = std::mt19937;

inline size_t below(Rng& random, size_t n) { return random() % n; }
inline bool one_in(Rng& random, unsigned n) { return random() % n == 0; }

template <class T>
const T& pick(Rng& random, const std::vector<T>& from) {
  return from[below(random, from.size())];
}

// Of a single op (and its neighbours). Returns whether it fitted; if not, the graph is as it was.
struct Rewriting {
  std::string name;
  bool (*apply)(Graph& g, OpId id, Rng& random);
};

std::vector<Rewriting> elementwise_rewritings();  // arithmetic: commuted, distributed, done twice
std::vector<Rewriting> shape_rewritings();        // views between
std::vector<Rewriting> weight_rewritings();       // projections and their weights: merged, cut, transposed

// All of them.
const std::vector<Rewriting>& rewritings();

// At a random op of the graph, or of a group in it, that it fits; now and then in all layers, each in a way
// of its own, so that they are almost alike. Returns where: "scale-in-two at %x_1", or
// "" if there is no such place.
std::string rewrite_somewhere(Graph& g, const Rewriting& rewriting, Rng& random);

// A random convex set of ops as one group, if it can be compiled. Returns the result of the group, or "" if
// none was found.
std::string group_somewhere(Graph& g, const std::string& name, Rng& random);

// The same ops added in another order.
Graph in_another_order(const Graph& g, Rng& random);

// The class of graphs that code generation states: a group holds at most one contraction, or an attention and
// a contraction behind it; parts of heads (split) keep their shape; outputs are computed, no views.
bool can_be_compiled(const Graph& g);

// For rewritings.

// A row of activations for each token.
bool is_activation(const Graph& g, ValueId v);
bool is_weight(const Graph& g, ValueId v);
// Adds an op where `like` is: in its scope.
ValueId add(Graph& g, const Op& like, const std::string& name, const std::vector<ValueId>& operands,
            AttrMap attrs = {});
// `id` once more: its operands, attributes and body.
OpId add_copy(Graph& g, OpId id, const std::vector<ValueId>& operands);

// Those who read a value when this was made, the graph's outputs among them.
class Readers {
 public:
  Readers(const Graph& g, ValueId v) : v_(v), uses_(g.value(v).uses) {}
  void read(Graph& g, ValueId instead) const;

 private:
  ValueId v_;
  UseList uses_;
};

}  // namespace lmc
