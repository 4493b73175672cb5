#include "passes/pattern/near_miss.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "passes/pattern/fit.h"

namespace lmc {
namespace {

constexpr size_t kReasons = 3;  // told of the ops that are nearly what the pattern begins with

// "%q_1 in layers.12" and "%q in layers.3" are one place.
std::string without_details(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] != '%' && text[i] != '@') continue;
    while (i + 1 < text.size() && (std::isalnum(static_cast<unsigned char>(text[i + 1])) != 0 ||
                                   text[i + 1] == '_' || text[i + 1] == '.'))
      ++i;
  }
  return out;
}

std::string without_numbers(const std::string& scope) {
  std::string out;
  for (char c : scope) {
    const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    if (!digit || !out.ends_with('#')) out += digit ? '#' : c;
  }
  return out;
}

// How often each thing was said, the most frequent first.
class Tally {
 public:
  void add(const std::string& what) {
    const auto it =
        std::find_if(counts_.begin(), counts_.end(), [&](const auto& c) { return c.first == what; });
    if (it == counts_.end()) {
      counts_.emplace_back(what, 1);
    } else {
      ++it->second;
    }
  }

  std::string str() {
    std::stable_sort(counts_.begin(), counts_.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    std::string out;
    for (size_t i = 0; i < std::min(counts_.size(), kReasons); ++i) {
      out += (i ? ", " : "") + counts_[i].first;
      if (counts_[i].second > 1) out += " (" + std::to_string(counts_[i].second) + " times)";
    }
    return counts_.size() > kReasons ? out + ", …" : out;
  }

 private:
  std::vector<std::pair<std::string, int>> counts_;
};

void look_inside(const Graph& g, const PatternStatement& s, bool in_group, Tally& reasons, int64_t& grouped) {
  for (OpId id : g.ops()) {
    const Op& op = g.op(id);
    if (op.body) look_inside(*op.body, s, true, reasons, grouped);
    if (!s.may_be(op.def)) continue;
    const std::string why = constants_differ(s, op);
    if (!why.empty()) reasons.add(why);
    grouped += in_group && why.empty();
  }
}

}  // namespace

std::vector<std::string> folded(const std::vector<NearMiss>& misses) {
  struct Line {
    const NearMiss* first;
    const NearMiss* last;
    int64_t places;
  };
  std::vector<Line> lines;
  std::map<std::string, size_t> known;
  for (const NearMiss& m : misses) {
    const std::string key = without_numbers(m.scope) + "\n" + without_details(m.why);
    const auto [it, fresh] = known.emplace(key, lines.size());
    if (fresh) lines.push_back({&m, &m, 0});
    lines[it->second].last = &m;
    ++lines[it->second].places;
  }
  std::vector<std::string> out;
  for (const Line& l : lines) {
    out.push_back((l.first->scope.empty() ? "" : l.first->scope + ": ") + l.first->why);
    if (l.places == 1) continue;
    out.back() += " (" + std::to_string(l.places) + " places" +
                  (l.last->scope == l.first->scope ? "" : ", to " + l.last->scope) + ")";
  }
  return out;
}

std::string no_anchor(const Graph& g, const Pattern& pattern) {
  const PatternStatement& first = pattern.statements()[pattern.anchor_statement()];
  Tally reasons;
  int64_t grouped = 0;
  look_inside(g, first, false, reasons, grouped);
  std::string out = "the search begins at " + first.str() + ", and there is none";
  if (grouped > 0) return out + " outside groups (" + std::to_string(grouped) + " inside)";
  const std::string nearly = reasons.str();
  return nearly.empty() ? out : out + ": " + nearly;
}

}  // namespace lmc
