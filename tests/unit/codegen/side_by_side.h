// Texts side by side, any tokens of them in one step: every token must get the very logits it gets alone.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <vector>

#include "runtime/session.h"

namespace lmc {

// Logits of all tokens of a text, fed alone.
inline std::vector<float> all_logits(Session& session, std::span<const int32_t> text) {
  std::vector<float> out;
  session.reset();
  session.forward(text, Rows::all, [&](int64_t, int64_t rows, const float* l) {
    out.insert(out.end(), l, l + rows * session.vocab());
  });
  return out;
}

// `places` texts at a time, every step a mix: of some texts one token, of others several, in the order of
// their places. When one ends, the next takes its place. `alone[i]`: all_logits of texts[i].
inline void expect_alone_and_side_by_side_alike(Session& session,
                                                const std::vector<std::vector<int32_t>>& texts,
                                                const std::vector<std::vector<float>>& alone, size_t places) {
  const auto vocab = static_cast<size_t>(session.vocab());
  std::vector<Sequence> sequences;
  for (size_t p = 0; p < places; ++p) sequences.emplace_back(session.plan());
  std::vector<size_t> text(places, texts.size());
  size_t next = 0;
  for (size_t step = 0;; ++step) {
    std::vector<StepRow> rows;
    std::vector<const float*> expected;
    for (size_t p = 0; p < places; ++p) {
      if (text[p] == texts.size() || sequences[p].tokens.size() == texts[text[p]].size()) {
        if (next == texts.size()) continue;
        text[p] = next++;
        sequences[p].reset();
      }
      const std::vector<int32_t>& tokens = texts[text[p]];
      const size_t at = sequences[p].tokens.size();
      const size_t several = (step + p) % 3 == 0 ? 1 + (step * 7 + p * 5) % 11 : 1;
      const size_t room = static_cast<size_t>(session.most_tokens()) - rows.size() - (places - 1 - p);
      for (size_t i = at; i < at + std::min({several, room, tokens.size() - at}); ++i) {
        rows.push_back({&sequences[p], tokens[i], (i + step) % 4 != 0, static_cast<int64_t>(tokens.size())});
        if (rows.back().logits) expected.push_back(alone[text[p]].data() + i * vocab);
      }
    }
    if (rows.empty()) return;
    const auto logits = session.step_rows(rows);
    ASSERT_TRUE(logits);
    ASSERT_EQ(logits->size(), expected.size() * vocab);
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_TRUE(std::equal(expected[i], expected[i] + vocab, logits->data() + i * vocab))
          << "wanted row " << i << " of step " << step << " of " << rows.size() << " tokens";
    }
  }
}

}  // namespace lmc
