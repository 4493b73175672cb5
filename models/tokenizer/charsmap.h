// SentencePiece's "precompiled_charsmap": rules that rewrite the beginning of a text, the longest first. A
// blob of a u32 with the bytes of a double array (darts-clone's trie), that array, and the new texts, each
// ending in NUL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lmc::tokenizer {

class Charsmap {
 public:
  // Throws lmc::Error saying what is wrong with the blob.
  explicit Charsmap(std::string_view blob);

  struct Rule {
    size_t length;             // bytes it replaces
    std::string_view content;  // what stands there instead; may be empty
  };
  std::optional<Rule> longest(std::string_view text) const;
  // A valid text as Hugging Face's "Precompiled" rewrites it: not by the longest rule but cluster by cluster.
  // A cluster of less than six bytes whose start has a rule becomes what the shortest such rule says, as a
  // whole; of others, each character does.
  std::string rewrite_clusters(std::string_view text) const;

 private:
  template <typename Sink>
  void for_each_rule(std::string_view text,
                     const Sink& sink) const;  // shortest first, until the sink says so
  std::optional<std::string_view> shortest(std::string_view text) const;

  std::vector<uint32_t> units_;
  std::string texts_;
};

}  // namespace lmc::tokenizer
