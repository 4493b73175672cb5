// Breadth first, so that the children of a node are neighbours.
#include "models/tokenizer/trie.h"

namespace lmc::tokenizer {
namespace {

struct Range {  // the tokens that share the text of a node
  size_t begin;
  size_t end;
  size_t depth;  // bytes
};

}  // namespace

std::vector<TrieNode> build_trie(std::span<const std::pair<std::string_view, int32_t>> tokens) {
  std::vector<TrieNode> nodes;
  if (tokens.empty()) return nodes;
  std::vector<Range> ranges = {{0, tokens.size(), 0}};
  nodes.push_back({0, TrieNode::kNoToken, 0, 0, 0});
  for (size_t n = 0; n < nodes.size(); ++n) {
    auto [begin, end, depth] = ranges[n];
    if (begin < end && tokens[begin].first.size() == depth) nodes[n].token = tokens[begin++].second;
    nodes[n].first_child = static_cast<uint32_t>(nodes.size());
    while (begin < end) {
      const char byte = tokens[begin].first[depth];
      size_t stop = begin;
      while (stop < end && tokens[stop].first[depth] == byte) ++stop;
      ranges.push_back({begin, stop, depth + 1});
      nodes.push_back({0, TrieNode::kNoToken, 0, static_cast<uint8_t>(byte), 0});
      ++nodes[n].children;
      begin = stop;
    }
  }
  return nodes;
}

}  // namespace lmc::tokenizer
