// The states of a pipeline as compact tables for the page: every kind of part once, however many layers and
// states have it.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ir/diff.h"
#include "tools/graphs/explore/price.h"

namespace lmc {

// Names in the page:
//   kinds     what a part does: ops, types, prices and picture; names of values and layers left open
//   parts     [kind, name, layer or -1, names of its values]
//   rows      the ops of two kinds side by side: [[before or -1, after or -1, mark], …];
//             mark 0 the same, 1 removed, 2 added, 3 changed
//   states    {parts, groups, totals}; groups hold parts that are alike
//   diffs     by state but the first, from the one before: {groups: [{label, rows, members: [[before,
//   after]…]}]}
class ExploreTables {
 public:
  // Costs are predicted for this machine, of decode steps at `position`.
  ExploreTables(const MachineFigures& machine, int64_t position) : machine_(machine), position_(position) {}

  // States in their order. The graphs must outlive the tables.
  void add_state(const Graph& g);
  // Fills the tables in, and which kernel of the last state computes which op.
  void finish(nlohmann::ordered_json& page);

 private:
  using Json = nlohmann::ordered_json;

  struct State {
    const Graph* graph = nullptr;
    ReadingOrder places;
    std::vector<GraphSection> sections;
    std::vector<size_t> parts;  // by section
  };
  size_t part_of(const Graph& g, const GraphSection& s, const SectionForm& form);
  Json kind_json(const Graph& g, const GraphSection& s, const SectionForm& form);
  Json picture_json(const Graph& g, const GraphSection& s, const std::map<ValueId, size_t>& number);
  Json totals(const Graph& g);
  Json groups(const State& s) const;
  struct Pairing;
  std::vector<Pairing> pairings(const State& before, const State& after, const GraphDiff& d);
  size_t rows_of(const GraphDiff& d, const std::vector<OpId>& before, const std::vector<OpId>& after);
  Json diff_json(const State& before, const State& after, const GraphDiff& d);

  MachineFigures machine_;
  int64_t position_;
  std::vector<State> states_;
  std::map<std::string, size_t> kind_ids_, part_ids_, row_ids_;
  Json kinds_ = Json::array(), parts_ = Json::array(), rows_ = Json::array(), state_json_ = Json::array(),
       diffs_ = Json::array();
  KernelMap kernels_;  // of the last state
};

}  // namespace lmc
