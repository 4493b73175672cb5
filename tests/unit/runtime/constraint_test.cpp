// Texts under a constraint: their tokens are those that the sampler chooses from restricted logits, one step
// at a time.
#include "runtime/constraint.h"

#include <gtest/gtest.h>

#include "runtime/draft.h"
#include "runtime/generate.h"
#include "runtime/generate_batch.h"
#include "toy_model.h"

namespace lmc::constraint_test {
namespace {

using test::some_tokens;
using test::ToyModel;

// Which ids may come depends on those that came: some, one alone, or after `length` of them none.
class Hashed : public Constraint {
 public:
  explicit Hashed(int64_t length) : length_(length) {}
  bool allows(int32_t id) override { return id >= 0 && id < ToyModel::kVocab && set().contains(id); }
  const IdSet& allowed() override { return set(); }
  int64_t choices() override { return set().size(); }
  std::optional<int32_t> forced() override {
    return choices() == 1 ? std::optional(set().ids()[0]) : std::nullopt;
  }
  void accept(int32_t id) override {
    if (!allows(id)) throw Error("not allowed");
    came_.push_back(id);
  }
  void roll_back(int64_t tokens) override { came_.resize(came_.size() - static_cast<size_t>(tokens)); }
  int64_t accepted() const override { return static_cast<int64_t>(came_.size()); }
  bool ended() override { return accepted() >= length_; }
  void restart() override { came_.clear(); }

 private:
  const IdSet& set() {
    set_.clear();
    uint64_t h = 7;
    for (const int32_t id : came_) h = test::mix(h, static_cast<uint64_t>(id));
    if (accepted() >= length_) return set_;
    const bool one = h % 3 == 0;
    for (int64_t id = 0; id < ToyModel::kVocab; ++id) {
      if (one ? id == static_cast<int64_t>(h / 3 % ToyModel::kVocab)
              : test::mix(h, static_cast<uint64_t>(id)) % 4 == 0)
        set_.add(id);
    }
    return set_;
  }
  int64_t length_;
  std::vector<int32_t> came_;
  IdSet set_{ToyModel::kVocab};
};

GenerateOptions under(int64_t length, const SamplerOptions& sampler) {
  GenerateOptions out;
  out.max_tokens = 60;
  out.sampler = sampler;
  out.constraint = [length] { return std::make_unique<Hashed>(length); };
  return out;
}

std::vector<int32_t> reference(const ToyModel& model, std::vector<int32_t> tokens,
                               const SamplerOptions& options, int64_t length) {
  Sampler sampler(options);
  Hashed constraint(length);
  std::vector<int32_t> out;
  while (out.size() < 60 && !constraint.ended()) {
    std::vector<float> logits = model.reference(tokens);
    constraint.allowed().restrict(logits);
    out.push_back(sampler.sample(logits, tokens, out.size()));
    constraint.accept(out.back());
    tokens.push_back(out.back());
  }
  return out;
}

const SamplerOptions kSamplers[] = {{},
                                    {.temperature = 0.9, .top_p = 0.9, .seed = 4},
                                    {.repetition_penalty = 1.3},
                                    {.presence_penalty = 3, .counts_answer_alone = true},
                                    {.temperature = 2, .seed = 9}};

TEST(Constraint, TokensAreThoseOfRestrictedLogits) {
  const ToyModel model(10, 200, 16, 16);
  const auto prompt = some_tokens(21);
  for (const SamplerOptions& sampler : kSamplers) {
    for (const int64_t length : {5, 100}) {
      auto session = model.session();
      const Generated out = generate(*session, prompt, under(length, sampler));
      EXPECT_EQ(out.ids, reference(model, prompt, sampler, length));
      EXPECT_EQ(out.reason, length == 5 ? StopReason::complete : StopReason::max_tokens);
      EXPECT_EQ(session->allowed(), nullptr) << "the session may choose anything again";
    }
  }
}

TEST(Constraint, GuessesChangeNothing) {
  const ToyModel model(10, 200, 16, 16);
  const auto prompt = some_tokens(21);
  for (const SamplerOptions& sampler : kSamplers) {
    auto session = model.session();
    Drafter drafter(8, 3);
    for (int round = 0; round < 2; ++round) {  // the second time it has seen what follows
      session->reset();
      GenerateOptions options = under(100, sampler);
      options.drafter = &drafter;
      const Generated out = generate(*session, prompt, options);
      EXPECT_EQ(out.ids, reference(model, prompt, sampler, 100));
      EXPECT_TRUE(round == 0 || out.accepted > 0);
    }
  }
}

TEST(Constraint, BatchesChangeNothing) {
  const ToyModel model(10, 200, 16, 16);
  std::vector<std::vector<int32_t>> prompts;
  for (const size_t n : {3, 21, 40, 1, 7}) prompts.push_back(some_tokens(n));
  for (const SamplerOptions& sampler : kSamplers) {
    Drafter drafter(8, 3);
    for (const int64_t slots : {1, 3, 4}) {
      auto session = model.session();
      std::vector<std::vector<int32_t>> got(prompts.size());
      BatchListener listener;
      int64_t accepted = 0;
      listener.on_end = [&](size_t i, const Generated& g) {
        got[i] = g.ids;
        accepted += g.accepted;
      };
      GenerateOptions options = under(30, sampler);
      if (slots > 1) options.drafter = &drafter;  // the second time it has seen what follows
      ASSERT_TRUE(generate_batch(*session, prompts, options, slots, listener));
      EXPECT_TRUE(slots < 4 || accepted > 0);
      for (size_t i = 0; i < prompts.size(); ++i)
        EXPECT_EQ(got[i], reference(model, prompts[i], sampler, 30)) << i;
    }
  }
}

TEST(Constraint, ATextThatCannotGoOnSaysSo) {
  class Stuck : public Hashed {
   public:
    Stuck() : Hashed(3) {}
    bool ended() override { return false; }
  };
  const ToyModel model(10, 200, 16, 16);
  auto session = model.session();
  GenerateOptions options = under(3, {});
  options.constraint = [] { return std::make_unique<Stuck>(); };
  const Generated out = generate(*session, some_tokens(4), options);
  EXPECT_EQ(out.reason, StopReason::failed);
  EXPECT_EQ(out.failure, "no token of the vocabulary goes on with the text as it must");
  EXPECT_EQ(out.ids.size(), 3U);
}

}  // namespace
}  // namespace lmc::constraint_test
