#include "tools/build/tokenizer_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/tokenizer/tokenizer.h"

namespace lmc {

void print_tokenizer(const std::string& path) {
  constexpr size_t kMostSpecials = 32;
  const Tokenizer tokenizer = Tokenizer::open(path);
  const TokenizerSummary s = tokenizer.summary();
  fmt::print("{}: {}{}, vocabulary {} ({} tokens){}\n", path, s.model,
             s.byte_fallback ? " with byte fallback" : "", tokenizer.vocab_size(), s.tokens,
             s.merges > 0 ? fmt::format(", {} merges", s.merges) : "");
  fmt::print("  normalizer      {}\n  pre-tokenizer   {}\n  post-processor  {}\n  decoder         {}\n",
             s.normalizer, s.pre_tokenizer, s.post_processor, s.decoder);
  fmt::print("  {} special tokens\n", s.specials.size());
  for (size_t i = 0; i < std::min(s.specials.size(), kMostSpecials); ++i)
    fmt::print("    {:>8}  {}\n", s.specials[i].id, s.specials[i].text);
  if (s.specials.size() > kMostSpecials) fmt::print("    … {} more\n", s.specials.size() - kMostSpecials);
}

}  // namespace lmc
