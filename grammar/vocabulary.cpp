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
constexpr PlainStep kSmallAndBlank[] = {{0, ' ', ' ', 0}, {0, 'a', 'z', 0}};
constexpr PlainStep kLetters[] = {{0, 'A', 'Z', 0}, {0, 'a', 'z', 0}};
constexpr PlainStep kLettersAndBlank[] = {{0, ' ', ' ', 0}, {0, 'A', 'Z', 0}, {0, 'a', 'z', 0}};
constexpr PlainStep kAscii[] = {
    {0, 0x20, 0x21, 0}, {0, 0x23, 0x5b, 0}, {0, 0x5d, 0x7e, 0}};  // but the quote and the backslash
constexpr PlainStep kAll[] = {{0, 0x20, 0x21, 0},  {0, 0x23, 0x5b, 0},
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

// 0 if not all of it is of the kind.
uint32_t chars_of_kind(size_t kind, const std::string& text) {
  const std::span<const PlainStep> steps = plain_steps(kind);
  uint8_t at = 0;
  uint32_t chars = 0;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    const auto step = std::find_if(steps.begin(), steps.end(), [&](const PlainStep& s) {
      return s.from == at && s.first <= byte && byte <= s.last;
    });
    if (step == steps.end()) return 0;
    at = step->to;
    chars += at == 0 ? 1 : 0;
  }
  return at == 0 ? chars : 0;
}

// `ids` sorted by text.
Trie trie_of(const std::vector<std::string>& texts, std::span<const int32_t> ids) {
  Trie out;
  std::vector<uint32_t> path = {0};  // nodes on the way to the text before
  out.nodes.emplace_back();
  out.first.push_back(0);
  const std::string* before = nullptr;
  const auto close = [&](size_t depth) {
    for (; path.size() > depth + 1; path.pop_back())
      out.nodes[path.back()].past = static_cast<uint32_t>(out.nodes.size());
  };
  for (const int32_t id : ids) {
    const std::string& text = texts[static_cast<size_t>(id)];
    size_t common = 0;
    if (before) {
      common = static_cast<size_t>(
          std::mismatch(text.begin(), text.end(), before->begin(), before->end()).first - text.begin());
    }
    close(common);
    for (size_t i = common; i < text.size(); ++i) {
      path.push_back(static_cast<uint32_t>(out.nodes.size()));
      out.nodes.push_back({0, static_cast<uint8_t>(text[i]), false, static_cast<uint16_t>(i + 1)});
      out.first.push_back(static_cast<uint32_t>(out.ids.size()));
    }
    out.nodes[path.back()].ends = true;
    out.ids.push_back(id);
    out.depth = std::max(out.depth, static_cast<uint32_t>(text.size()));
    before = &text;
  }
  close(0);
  out.nodes[0].past = static_cast<uint32_t>(out.nodes.size());
  out.first.push_back(static_cast<uint32_t>(out.ids.size()));
  return out;
}

}  // namespace

std::span<const PlainStep> plain_steps(size_t kind) {
  static constexpr std::span<const PlainStep> kByKind[kKinds] = {kSmall,           kSmallAndBlank, kLetters,
                                                                 kLettersAndBlank, kAscii,         kAll};
  return kByKind[kind];
}

bool kind_within(size_t kind, size_t other) {
  return kind <= other && !(kind == 1 && other == 2);  // letters have no blank
}

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
  std::vector<int32_t> ids;
  for (int32_t id = 0; id < size(); ++id) {
    if (text(id).empty()) continue;
    if (text(id).size() > kMostBytes)
      throw Error("token " + std::to_string(id) + " stands for more than " + std::to_string(kMostBytes) +
                  " bytes");
    ids.push_back(id);
    longest_ = std::max(longest_, static_cast<int32_t>(text(id).size()));
  }
  std::sort(ids.begin(), ids.end(),
            [&](int32_t a, int32_t b) { return text(a) != text(b) ? text(a) < text(b) : a < b; });
  std::vector<std::vector<int32_t>> groups(kKinds * std::size(kMostChars));
  std::vector<int32_t> others;
  for (const int32_t id : ids) {
    size_t kind = 0;
    uint32_t chars = 0;
    while (kind < kKinds && (chars = chars_of_kind(kind, text(id))) == 0) ++kind;
    const auto* most = std::lower_bound(std::begin(kMostChars), std::end(kMostChars), chars);
    const size_t group = kind * std::size(kMostChars) + static_cast<size_t>(most - std::begin(kMostChars));
    (kind == kKinds ? others : groups[group]).push_back(id);
  }
  all_ = trie_of(texts_, ids);
  for (size_t kind = 0; kind < kKinds; ++kind) {
    IdSet all(size());
    OfKind& of = kinds_.emplace_back();
    for (size_t g = 0; g < std::size(kMostChars); ++g) {
      const std::vector<int32_t>& group = groups[kind * std::size(kMostChars) + g];
      if (group.empty()) continue;
      for (const int32_t id : group) all.add(id, id);
      of.by_chars.push_back({kMostChars[g], trie_of(texts_, group), all});
    }
    std::vector<int32_t> sorted;  // by text, as ids are
    std::copy_if(ids.begin(), ids.end(), std::back_inserter(sorted),
                 [&](int32_t id) { return all.contains(id); });
    of.all = trie_of(texts_, sorted);
  }
  others_ = trie_of(texts_, others);
}

bool Vocabulary::is_end(int32_t id) const { return std::binary_search(ends_.begin(), ends_.end(), id); }

}  // namespace lmc::grammar
