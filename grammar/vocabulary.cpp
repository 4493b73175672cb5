#include "grammar/vocabulary.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "ir/error.h"

namespace lmc::grammar {
namespace {

constexpr size_t kMostTokens = size_t{1} << 24;
constexpr size_t kMostBytes = 4096;
constexpr uint32_t kMostChars[] = {1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 64, 4096};

constexpr PlainStep kSmall[] = {{0, 'a', 'z', 0}};
constexpr PlainStep kLetters[] = {{0, 'A', 'Z', 0}, {0, 'a', 'z', 0}};
constexpr PlainStep kAscii[] = {
    {0, 0x20, 0x21, 0}, {0, 0x23, 0x5b, 0}, {0, 0x5d, 0x7e, 0}};        // but the quote and the backslash
constexpr PlainStep kAny[] = {{0, '"', '"', 0},    {0, '\\', '\\', 0},  // the kind before has all but these
                              {0, 0x20, 0x21, 0},  {0, 0x23, 0x5b, 0},
                              {0, 0x5d, 0x7e, 0},  // as above
                              {0, 0xc2, 0xc2, 8},  {8, 0xa0, 0xbf, 0},
                              {0, 0xc3, 0xdf, 1},  {1, 0x80, 0xbf, 0},  // two bytes, no control
                              {0, 0xe0, 0xe0, 2},  {2, 0xa0, 0xbf, 1},
                              {0, 0xe1, 0xe1, 3},  {3, 0x80, 0xbf, 1},  // three
                              {0, 0xe2, 0xe2, 9},  {9, 0x80, 0x80, 10},
                              {9, 0x81, 0xbf, 1},  // … but U+2028 and U+2029
                              {10, 0x80, 0xa7, 0}, {10, 0xaa, 0xbf, 0},
                              {0, 0xe3, 0xec, 3},  {0, 0xed, 0xed, 4},
                              {4, 0x80, 0x9f, 1},  {0, 0xee, 0xef, 3},  // … and surrogates
                              {0, 0xf0, 0xf0, 5},  {5, 0x90, 0xbf, 3},
                              {0, 0xf1, 0xf3, 6},  {6, 0x80, 0xbf, 3},  // four
                              {0, 0xf4, 0xf4, 7},  {7, 0x80, 0x8f, 3}};

// How far a text begins with characters of the kind.
struct Beginning {
  uint32_t chars = 0;
  size_t bytes = 0;
};
Beginning beginning_of_kind(size_t kind, std::string_view text) {
  const std::span<const PlainStep> steps = plain_steps(kind);
  uint8_t at = 0;
  Beginning out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    const auto step = std::find_if(steps.begin(), steps.end(), [&](const PlainStep& s) {
      return s.from == at && s.first <= byte && byte <= s.last;
    });
    if (step == steps.end()) break;
    at = step->to;
    if (at == 0) out = {out.chars + 1, i + 1};
  }
  return out;
}

using Piece = std::pair<std::string_view, int32_t>;  // of a token, and its id

Trie trie_of(std::vector<Piece> pieces) {
  std::sort(pieces.begin(), pieces.end());
  Trie out;
  std::vector<uint32_t> path = {0};  // nodes on the way to the text before
  out.nodes.emplace_back();
  out.first.push_back(0);
  std::string_view before;
  const auto close = [&](size_t depth) {
    for (; path.size() > depth + 1; path.pop_back())
      out.nodes[path.back()].past = static_cast<uint32_t>(out.nodes.size());
  };
  for (const auto& [text, id] : pieces) {
    const auto common = static_cast<size_t>(
        std::mismatch(text.begin(), text.end(), before.begin(), before.end()).first - text.begin());
    close(common);
    for (size_t i = common; i < text.size(); ++i) {
      path.push_back(static_cast<uint32_t>(out.nodes.size()));
      out.nodes.push_back({0, static_cast<uint8_t>(text[i]), false, static_cast<uint16_t>(i + 1)});
      out.first.push_back(static_cast<uint32_t>(out.ids.size()));
    }
    out.nodes[path.back()].ends = true;
    out.ids.push_back(id);
    out.depth = std::max(out.depth, static_cast<uint32_t>(text.size()));
    before = text;
  }
  close(0);
  out.nodes[0].past = static_cast<uint32_t>(out.nodes.size());
  out.first.push_back(static_cast<uint32_t>(out.ids.size()));
  return out;
}

}  // namespace

std::span<const PlainStep> plain_steps(size_t kind) {
  static constexpr std::span<const PlainStep> kByKind[kKinds] = {kSmall, kLetters, kAscii,
                                                                 std::span(kAny).subspan(2), kAny};
  return kByKind[kind];
}

namespace {

using Lead = std::vector<std::string>;
const std::string kCapitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const Lead kLeads[] = {{}, {" "}, {"\""}, {kCapitals}, {" ", kCapitals}};

// And goes on behind it.
bool begins_with(const Lead& lead, std::string_view text) {
  if (text.size() <= lead.size()) return false;
  for (size_t i = 0; i < lead.size(); ++i) {
    if (lead[i].find(text[i]) == std::string::npos) return false;
  }
  return true;
}

// Of tokens that begin with the lead.
Vocabulary::Slice slice_of(const Lead& lead, std::vector<Piece> pieces, int64_t vocab) {
  Vocabulary::Slice out;
  out.lead = lead;
  if (!lead.empty() && lead.back().size() > 1) {
    std::vector<Piece> with_last = pieces;
    for (Piece& piece : with_last) piece.first.remove_prefix(lead.size() - 1);
    out.with_last = trie_of(std::move(with_last));
  }
  for (Piece& piece : pieces) piece.first.remove_prefix(lead.size());
  constexpr size_t kGroupsOfKind = 2;
  struct Chars {
    std::vector<Piece> of[std::size(kMostChars)];
  };
  std::vector<Chars> by_chars(kKinds * kGroupsOfKind);
  std::vector<std::vector<Piece>> all((kKinds + 1) * kGroupsOfKind);
  std::vector<Piece> behind_string, no_string;
  for (const Piece& piece : pieces) {
    const std::string_view text = piece.first;
    size_t kind = 0;
    Beginning whole;
    for (; kind < kKinds; ++kind) {
      whole = beginning_of_kind(kind, text);
      if (whole.bytes == text.size()) break;
    }
    const bool word = kind != kWordKind && beginning_of_kind(kWordKind, text).bytes > 0;
    const size_t group = kind * kGroupsOfKind + (word ? 1 : 0);
    all[group].push_back(piece);
    if (kind > kStringKind) {
      const size_t head = beginning_of_kind(kStringKind, text).bytes;
      (head > 0 ? behind_string : no_string).emplace_back(text.substr(head), piece.second);
    }
    if (kind == kKinds) continue;
    const auto* most = std::lower_bound(std::begin(kMostChars), std::end(kMostChars), whole.chars);
    by_chars[group].of[most - std::begin(kMostChars)].push_back(piece);
  }
  IdSet up_to(vocab);
  for (size_t g = 0; g < all.size(); ++g) {
    Vocabulary::Group& group = out.groups.emplace_back();
    group.kind = g / kGroupsOfKind;
    group.words = g % kGroupsOfKind == 1;
    IdSet ids(vocab);
    for (size_t c = 0; group.kind < kKinds && c < std::size(kMostChars); ++c) {
      const std::vector<Piece>& some = by_chars[g].of[c];
      if (some.empty()) continue;
      for (const auto& [text, id] : some) ids.add(id);
      group.by_chars.push_back({kMostChars[c], trie_of(some), ids});
    }
    if (group.words) {
      std::vector<Piece> behind;
      for (const auto& [text, id] : all[g])
        behind.emplace_back(text.substr(beginning_of_kind(kWordKind, text).bytes), id);
      group.behind_word = trie_of(std::move(behind));
    }
    group.all = trie_of(std::move(all[g]));
    up_to.add(ids);
    if (group.words && group.kind < kKinds) out.up_to.push_back(up_to);
  }
  out.behind_string = trie_of(std::move(behind_string));
  out.no_string = trie_of(std::move(no_string));
  return out;
}

}  // namespace

Vocabulary::Vocabulary(std::vector<std::string> texts, std::span<const int32_t> ends)
    : texts_(std::move(texts)), ends_(ends.begin(), ends.end()) {
  if (texts_.size() > kMostTokens)
    throw Error("a vocabulary of " + std::to_string(texts_.size()) + " tokens is more than " +
                std::to_string(kMostTokens));
  std::sort(ends_.begin(), ends_.end());
  ends_.erase(std::unique(ends_.begin(), ends_.end()), ends_.end());
  for (const int32_t id : ends_) {
    if (id < 0 || id >= size())
      throw Error("the end-of-sequence id " + std::to_string(id) + " is not in the vocabulary of " +
                  std::to_string(size()));
    texts_[static_cast<size_t>(id)].clear();
  }
  std::vector<Piece> pieces[std::size(kLeads)];
  for (int32_t id = 0; id < size(); ++id) {
    const std::string_view whole = text(id);
    if (whole.empty()) continue;
    if (whole.size() > kMostBytes)
      throw Error("token " + std::to_string(id) + " stands for more than " + std::to_string(kMostBytes) +
                  " bytes");
    longest_ = std::max(longest_, static_cast<int32_t>(whole.size()));
    bytes_ += static_cast<int64_t>(whole.size());
    size_t slice = std::size(kLeads) - 1;
    while (!begins_with(kLeads[slice], whole)) --slice;
    pieces[slice].emplace_back(whole, id);
  }
  most_chars_.resize(kKinds);
  for (size_t i = 0; i < std::size(kLeads); ++i) {
    Slice& slice = slices_.emplace_back(slice_of(kLeads[i], pieces[i], size()));
    for (const Group& g : slice.groups) {
      depth_ = std::max(depth_, g.all.depth + 1);  // with_last
      for (size_t kind = g.kind; kind < kKinds && !g.by_chars.empty(); ++kind)
        most_chars_[kind] = std::max(most_chars_[kind], g.by_chars.back().most_chars);
    }
  }
}

bool Vocabulary::is_end(int32_t id) const { return std::binary_search(ends_.begin(), ends_.end(), id); }

}  // namespace lmc::grammar
