// Texts decoded side by side, one token of each a step: every token must get the very logits it gets alone.
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

// `places` texts at a time; the first part of each is fed as a prompt. When one ends, the next takes its
// place. `alone[i]`: all_logits of texts[i].
inline void expect_alone_and_side_by_side_alike(Session& session,
                                                const std::vector<std::vector<int32_t>>& texts,
                                                const std::vector<std::vector<float>>& alone, size_t places) {
  const auto vocab = static_cast<size_t>(session.vocab());
  std::vector<Sequence> sequences;
  for (size_t p = 0; p < places; ++p) sequences.emplace_back(session.plan());
  std::vector<size_t> text(places, texts.size());
  size_t next = 0;
  const auto take_place = [&](size_t p) {
    text[p] = next++;
    sequences[p].reset();
    const size_t prompt = texts[text[p]].size() * (text[p] % 4) / 4;
    if (prompt == 0) return;
    const Visit visit(session, sequences[p]);
    session.forward(std::span(texts[text[p]]).first(prompt), Rows::none, {});
  };
  for (;;) {
    std::vector<Sequence*> now;
    std::vector<int32_t> tokens;
    std::vector<const float*> expected;
    for (size_t p = 0; p < places; ++p) {
      if (text[p] == texts.size() || sequences[p].tokens.size() == texts[text[p]].size()) {
        if (next == texts.size()) continue;
        take_place(p);
      }
      const size_t at = sequences[p].tokens.size();
      now.push_back(&sequences[p]);
      tokens.push_back(texts[text[p]][at]);
      expected.push_back(alone[text[p]].data() + at * vocab);
    }
    if (now.empty()) return;
    const std::span<const float> logits = session.step_each(now, tokens);
    ASSERT_EQ(logits.size(), now.size() * vocab);
    for (size_t i = 0; i < now.size(); ++i) {
      ASSERT_TRUE(std::equal(expected[i], expected[i] + vocab, logits.data() + i * vocab))
          << "token " << now[i]->tokens.size() - 1 << " of a text, beside " << now.size() - 1 << " others";
    }
  }
}

}  // namespace lmc
