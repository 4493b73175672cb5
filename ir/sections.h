// The parts of a graph as people see it: its layers, and what stands before, between and behind them. Known
// from scopes alone: the part of "layers.3.attention" is "layers.3", the part of "embed" is "embed".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace lmc {

// "layers.3.attention" → {"layers.3", "layers", 3}; "embed" → {"embed", "", -1}.
struct ScopePart {
  std::string name, series;
  int64_t index = -1;
};
ScopePart part_of_scope(std::string_view scope);

// True if `scope` is `outer` or lies in it: layers.1.ffn is in layers.1, layers.10 is not.
bool scope_within(std::string_view scope, std::string_view outer);

// "model.layers.3.mlp" for layer 3 → "model.layers.{}.mlp": equal for what layers have in common. What the
// layer before left to this one, "model.layers.2.post_norm", becomes "model.layers.{-1}.post_norm".
std::string without_index(const std::string& name, int64_t index);

struct GraphSection {
  ScopePart part;
  std::vector<OpId> ops;  // each behind those it reads
};

// Where an op stands in the text, as far as dependencies leave it open: lower places first.
using ReadingOrder = SideTable<OpId, double>;
// Ops in the order they were made; what depends on weights alone right before its first reader.
ReadingOrder reading_order(const Graph& g);

// Those ops, each behind those it reads, else by place.
std::vector<OpId> in_reading_order(const Graph& g, const std::vector<OpId>& ops, const ReadingOrder& order);

// All ops, every one in one section, in the order data flows. What a layer computes from the graph's inputs
// alone for other layers too, such as the angles of rope, is in the section "shared", so that the layer that
// happens to hold it is like the others.
std::vector<GraphSection> sections(const Graph& g, const ReadingOrder& order);
std::vector<GraphSection> sections(const Graph& g);

// What a section does, apart from names: equal texts are equal computations on other weights.
struct SectionForm {
  std::string text;
  std::vector<ValueId> values;  // inputs and results it names, by first appearance
};
std::vector<SectionForm> section_forms(const Graph& g, const std::vector<GraphSection>& sections);

// Indices of equal texts together, in order of the first of each.
std::vector<std::vector<size_t>> alike(const std::vector<std::string>& texts);

// "layers.0 … layers.25 × 26", "layers.0–4, 6–10 × 10" or "embed".
std::string sections_label(const std::vector<ScopePart>& parts);

}  // namespace lmc
