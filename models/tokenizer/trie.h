// All tokens that begin a text, shortest first. The trie lies in the image; a node's children stand side by
// side, sorted by byte, behind the node itself.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace lmc::tokenizer {

struct TrieNode {
  static constexpr int32_t kNoToken = -1;
  uint32_t first_child;
  int32_t token;  // of the text that ends here, or kNoToken
  uint16_t children;
  uint8_t byte;  // that leads here
  uint8_t unused;
};

// `tokens` (text, id) must be sorted by text and distinct. Without tokens there is no node.
std::vector<TrieNode> build_trie(std::span<const std::pair<std::string_view, int32_t>> tokens);

// Calls `sink(length, id)` with every token that `text` begins with.
template <typename Sink>
void for_each_prefix(std::span<const TrieNode> trie, std::string_view text, const Sink& sink) {
  if (trie.empty()) return;
  const TrieNode* node = trie.data();
  for (size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<uint8_t>(text[at]);
    size_t low = node->first_child;
    size_t high = low + node->children;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (trie[middle].byte < byte) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == size_t{node->first_child} + node->children || trie[low].byte != byte) return;
    node = &trie[low];
    if (node->token != TrieNode::kNoToken) sink(at + 1, node->token);
  }
}

}  // namespace lmc::tokenizer
