#include "ir/names.h"

#include <algorithm>

namespace lmc {
namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// Edits; further away is no help.
size_t furthest(std::string_view name) { return std::min<size_t>(2, name.size() / 2); }

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  std::string nearest;
  size_t best = furthest(name) + 1;
  for (const std::string& k : known) {
    const size_t longer = std::max(k.size(), name.size());
    if (longer - std::min(k.size(), name.size()) > furthest(name)) continue;
    if (const size_t d = edit_distance(name, k); d < best) {
      best = d;
      nearest = k;
    }
  }
  return nearest;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& known,
                         const std::string& otherwise) {
  const std::string nearest = nearest_name(name, known);
  return nearest.empty() ? otherwise : "; did you mean " + nearest + "?";
}

}  // namespace lmc
