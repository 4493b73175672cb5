// How often each token is in a sequence: about 2 ns a token, so that a long text is not slow to go on with.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lmc {

struct TokenCount {
  int32_t id;
  int64_t count;
};

class TokenCounts {
 public:
  // Each id of `tokens`, none of which is negative, in the order in which they first come; valid until the
  // next call. Keeps four bytes for each id up to the largest it has met.
  std::span<const TokenCount> of(std::span<const int32_t> tokens);

 private:
  std::vector<uint32_t> places_;  // by id: 1 + its index in found_; 0: not there, as all are between calls
  std::vector<TokenCount> found_;
};

}  // namespace lmc
