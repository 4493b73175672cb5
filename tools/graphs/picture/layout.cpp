#include "tools/graphs/picture/layout.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>

#include "ir/error.h"

namespace lmc {
namespace {

constexpr size_t kMostSpots = 2'000'000;  // nodes, and bends of long edges
constexpr double kGapX = 18, kGapY = 34, kMargin = 10;

// A node, or a bend of an edge that crosses a rank.
struct Spot {
  double width = 0, height = 0;
  bool bend = false;
  int rank = 0;
  double x = 0;  // of its centre
  std::vector<size_t> up, down;
};

class Placer {
 public:
  explicit Placer(Layout& l) : l_(l) {}

  void run() {
    if (l_.nodes.empty()) return;
    for (const LayoutNode& n : l_.nodes) spots_.push_back({n.width, n.height, false, 0, 0, {}, {}});
    rank();
    bend_edges();
    order();
    spread();
    finish();
  }

 private:
  // Longest path from above; sources then move down to what they feed. Steps are as many as nodes at most, so
  // a circle ends too.
  void rank() {
    for (size_t round = 0; round < spots_.size(); ++round) {
      bool moved = false;
      for (const LayoutEdge& e : l_.edges) {
        if (spots_[e.to].rank > spots_[e.from].rank || e.from == e.to) continue;
        spots_[e.to].rank = spots_[e.from].rank + 1;
        moved = true;
      }
      if (!moved) break;
    }
    std::vector<int> nearest(spots_.size(), -1);
    for (const LayoutEdge& e : l_.edges) {
      int& n = nearest[e.from];
      n = n < 0 ? spots_[e.to].rank : std::min(n, spots_[e.to].rank);
    }
    for (size_t i = 0; i < l_.nodes.size(); ++i) {
      if (l_.nodes[i].source && nearest[i] > 0) spots_[i].rank = nearest[i] - 1;
    }
    for (const Spot& s : spots_) ranks_.resize(std::max(ranks_.size(), static_cast<size_t>(s.rank) + 1));
  }

  void bend_edges() {
    for (const LayoutEdge& e : l_.edges) {
      std::vector<size_t> way{e.from};
      const int last = spots_[e.to].rank;
      for (int r = spots_[e.from].rank + 1; r < last; ++r) {
        if (spots_.size() > kMostSpots)
          throw Error("the graph's edges are too long for a picture; choose a part (--scope)");
        spots_.push_back({2, 0, true, r, 0, {}, {}});
        way.push_back(spots_.size() - 1);
      }
      way.push_back(e.to);
      if (spots_[e.from].rank < last) {
        for (size_t i = 0; i + 1 < way.size(); ++i) {
          spots_[way[i]].down.push_back(way[i + 1]);
          spots_[way[i + 1]].up.push_back(way[i]);
        }
      }
      ways_.push_back(std::move(way));
    }
    for (size_t i = 0; i < spots_.size(); ++i) ranks_[static_cast<size_t>(spots_[i].rank)].push_back(i);
  }

  // Sweeps down and up; the order with the fewest crossings stays.
  void order() {
    at_.resize(spots_.size());
    for (const auto& rank : ranks_) number_rank(rank);
    std::vector<std::vector<size_t>> best = ranks_;
    size_t fewest = crossings();
    for (int sweep = 0; sweep < 24 && fewest > 0; ++sweep) {
      const bool down = sweep % 2 == 0;
      for (size_t i = 1; i < ranks_.size(); ++i) sort_rank(down ? i : ranks_.size() - 1 - i, down);
      if (const size_t now = crossings(); now < fewest) {
        fewest = now;
        best = ranks_;
      }
    }
    ranks_ = best;
  }

  void number_rank(const std::vector<size_t>& rank) {
    for (size_t i = 0; i < rank.size(); ++i) at_[rank[i]] = static_cast<double>(i);
  }

  void sort_rank(size_t r, bool by_upper) {
    std::map<size_t, double> wanted;
    for (size_t s : ranks_[r]) {
      const auto& near = by_upper ? spots_[s].up : spots_[s].down;
      wanted[s] = near.empty() ? at_[s] : 0;
      for (size_t n : near) wanted[s] += at_[n] / static_cast<double>(near.size());
    }
    std::stable_sort(ranks_[r].begin(), ranks_[r].end(),
                     [&](size_t a, size_t b) { return wanted[a] < wanted[b]; });
    number_rank(ranks_[r]);
  }

  size_t crossings() const {
    size_t out = 0;
    for (const auto& rank : ranks_) {
      std::vector<std::pair<double, double>> edges;
      for (size_t s : rank) {
        for (size_t n : spots_[s].down) edges.emplace_back(at_[s], at_[n]);
      }
      for (size_t i = 0; i < edges.size(); ++i) {
        for (size_t j = i + 1; j < edges.size(); ++j)
          out += (edges[i].first - edges[j].first) * (edges[i].second - edges[j].second) < 0;
      }
    }
    return out;
  }

  // Every spot wants to stand below and above its neighbours, bends more so; each rank finds the nearest
  // arrangement that keeps order and distance.
  void spread() {
    for (auto& rank : ranks_) {
      double x = 0;
      for (size_t s : rank) {
        spots_[s].x = x + spots_[s].width / 2;
        x += spots_[s].width + kGapX;
      }
    }
    for (int round = 0; round < 160; ++round) {
      const bool down = round % 2 == 0;
      for (size_t i = 0; i < ranks_.size(); ++i) settle(ranks_[down ? i : ranks_.size() - 1 - i]);
    }
  }

  void settle(const std::vector<size_t>& rank) {
    struct Block {
      double sum = 0, weight = 0;
      size_t count = 0;
      double mean() const { return sum / weight; }
    };
    // With the distances taken away, keeping apart is keeping order: blocks that would pass each other merge.
    std::vector<Block> blocks;
    std::vector<double> offset(rank.size(), 0);
    for (size_t i = 0; i < rank.size(); ++i) {
      if (i > 0) {
        offset[i] = offset[i - 1] + (spots_[rank[i - 1]].width + spots_[rank[i]].width) / 2 + kGapX;
      }
      const auto [x, weight] = wanted(rank[i]);
      blocks.push_back({(x - offset[i]) * weight, weight, 1});
      while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() > blocks.back().mean()) {
        const Block last = blocks.back();
        blocks.pop_back();
        blocks.back().sum += last.sum;
        blocks.back().weight += last.weight;
        blocks.back().count += last.count;
      }
    }
    size_t i = 0;
    for (const Block& b : blocks) {
      for (size_t k = 0; k < b.count; ++k, ++i) spots_[rank[i]].x = b.mean() + offset[i];
    }
  }

  // Long edges run straight before chains do, and chains before the rest.
  static double pull(const Spot& a, const Spot& b) {
    if (a.bend && b.bend) return 30;
    const bool chain = a.up.size() + a.down.size() <= 2 && b.up.size() + b.down.size() <= 2;
    return a.bend || b.bend ? 2 : chain ? 6 : 1;
  }

  std::pair<double, double> wanted(size_t s) const {
    const Spot& spot = spots_[s];
    double sum = 0;
    double weight = 0;
    for (const auto* near : {&spot.up, &spot.down}) {
      for (size_t n : *near) {
        sum += pull(spot, spots_[n]) * spots_[n].x;
        weight += pull(spot, spots_[n]);
      }
    }
    return weight > 0 ? std::pair(sum / weight, weight) : std::pair(spot.x, 0.1);
  }

  void finish() {
    double left = 1e9;
    double right = -1e9;
    for (const Spot& s : spots_) {
      left = std::min(left, s.x - s.width / 2);
      right = std::max(right, s.x + s.width / 2);
    }
    for (Spot& s : spots_) s.x += kMargin - left;
    l_.width = right - left + 2 * kMargin;
    double y = kMargin;
    for (const auto& rank : ranks_) {
      double height = 0;
      for (size_t s : rank) height = std::max(height, spots_[s].height);
      top_.push_back(y);
      bottom_.push_back(y + height);
      y += height + kGapY;
    }
    l_.height = y - kGapY + kMargin;
    for (size_t i = 0; i < l_.nodes.size(); ++i) {
      LayoutNode& n = l_.nodes[i];
      n.x = spots_[i].x - n.width / 2;
      n.y = (top_[rank_of(i)] + bottom_[rank_of(i)] - n.height) / 2;
    }
    starting_.resize(l_.nodes.size());
    ending_.resize(l_.nodes.size());
    for (size_t e = 0; e < l_.edges.size(); ++e) {
      starting_[l_.edges[e].from].push_back(e);
      ending_[l_.edges[e].to].push_back(e);
    }
    for (size_t e = 0; e < l_.edges.size(); ++e) draw(e);
  }

  size_t rank_of(size_t s) const { return static_cast<size_t>(spots_[s].rank); }

  // Where an edge meets a node: side by side with the others there, in the order of their other ends.
  double port(size_t e, bool at_end) const {
    const size_t node = at_end ? l_.edges[e].to : l_.edges[e].from;
    const auto other = [&](size_t k) {
      const auto& way = ways_[k];
      return spots_[at_end ? way[way.size() - 2] : way[1]].x;
    };
    size_t before = 0;
    size_t count = 0;
    for (size_t k : (at_end ? ending_ : starting_)[node]) {
      ++count;
      before += std::pair(other(k), k) < std::pair(other(e), e);
    }
    const double room = std::min(spots_[node].width * 0.6, 22.0 * static_cast<double>(count - 1));
    const double share = count > 1 ? static_cast<double>(before) / static_cast<double>(count - 1) - 0.5 : 0;
    return spots_[node].x + (at_end ? room * share : 0);
  }

  void draw(size_t e) {
    const auto& way = ways_[e];
    const LayoutNode& from = l_.nodes[way.front()];
    const LayoutNode& to = l_.nodes[way.back()];
    std::string& out = l_.edges[e].path;
    double x = port(e, false);
    double y = from.y + from.height;
    append(out, "M%.1f %.1f", x, y);
    const auto curve = [&](double to_x, double to_y) {
      char text[120];
      std::snprintf(text, sizeof text, "C%.1f %.1f %.1f %.1f %.1f %.1f", x, (y + to_y) / 2, to_x,
                    (y + to_y) / 2, to_x, to_y);
      out += text;
      x = to_x;
      y = to_y;
    };
    for (size_t i = 1; i + 1 < way.size(); ++i) {
      const size_t r = rank_of(way[i]);
      curve(spots_[way[i]].x, top_[r]);
      y = bottom_[r];
      append(out, "L%.1f %.1f", x, y);
    }
    curve(port(e, true), to.y);
  }

  static void append(std::string& out, const char* format, double x, double y) {
    char text[60];
    std::snprintf(text, sizeof text, format, x, y);
    out += text;
  }

  Layout& l_;
  std::vector<Spot> spots_;
  std::vector<std::vector<size_t>> ranks_, ways_;
  std::vector<double> at_;  // by spot: its place in its rank
  std::vector<double> top_, bottom_;
  std::vector<std::vector<size_t>> starting_, ending_;  // edges, by node
};

}  // namespace

void place(Layout& layout) { Placer(layout).run(); }

}  // namespace lmc
