#include "ir/plan_check.h"

#include <algorithm>
#include <string>

#include "ir/cache_layout.h"
#include "ir/error.h"

namespace lmc {
namespace {

void need(bool ok, const std::string& what) {
  if (!ok) throw Error(what);
}

// What an address can reach: below it no sum and no product of sizes overflows.
constexpr double kMost = 0x1p47;

void check_cache(const PlanCache& c, int64_t context) {
  const std::string what = "the cache " + c.name;
  const double elements = static_cast<double>(c.capacity) * static_cast<double>(c.kv_heads) *
                          (static_cast<double>(c.key_dim) + static_cast<double>(c.value_dim) + 8);
  need(c.span >= 1 && c.capacity >= 1 && c.kv_heads >= 1 && c.key_dim >= 0 && c.value_dim >= 1 &&
           elements < kMost / 4,
       what + " has an impossible shape");
  need(c.capacity % CacheLayout(c).page == 0, what + " does not hold whole pages of positions");
  need(c.capacity >= std::min(c.span, context), what + " is shorter than its window");
  need(c.bytes == CacheLayout(c).bytes, what + " does not have the bytes that its shape makes");
}

class StepCheck {
 public:
  // `width`: of a row of what it hands out.
  StepCheck(const Plan& plan, const StepPlan& step, int64_t width)
      : plan_(plan), step_(step), width_(width) {}

  void run() const {
    need(step_.max_tokens >= 1 && step_.max_rows >= 1 && step_.max_tokens <= plan_.context &&
             step_.max_rows <= plan_.context,
         "a step for no tokens, or for more than the context has");
    need(step_.max_rows <= step_.max_tokens, "a step with the logits of more tokens than it has");
    need(step_.arena_bytes >= 0 && step_.scratch_bytes >= 0 && step_.kept_bytes >= 0,
         "a step in memory of less than nothing");
    need(output_bytes() < kMost, "a step with more logits than memory holds");
    for (const PlanBuffer& b : step_.buffers)
      need(within(b.offset, b.bytes, step_.arena_bytes), "the buffer " + b.name + " lies outside the arena");
    for (const PlanStage& s : step_.stages) {
      for (size_t i = 0; i < s.operands.size(); ++i) {
        need(is_inside(s.operands[i]), "operand " + std::to_string(i) + " of " + s.symbol + " (" + s.scope +
                                           ") lies outside what it names");
      }
      if (s.gather) check_gather(s);
    }
  }

 private:
  void check_gather(const PlanStage& s) const {
    const std::string what = "the collective " + s.symbol + " (" + s.scope + ") ";
    const PlanGather& g = *s.gather;
    need(static_cast<int64_t>(g.bytes.size()) == plan_.ranks && g.rank == plan_.rank,
         what + "is not one of these ranks'");
    need(s.tiles == 1, what + "has several tiles");
    int64_t left = g.stride;
    for (const int64_t n : g.bytes) {
      need(n >= 0 && n <= left, what + "does not fit its rows");
      left -= n;
    }
    for (const int64_t r : g.to) need(r >= 0 && r < plan_.ranks, what + "is for ranks that there are not");
    const auto written = [](const PlanOperand& o) { return o.written; };
    const auto out = std::find_if(s.operands.begin(), s.operands.end(), written);
    need(out != s.operands.end() && std::find_if(out + 1, s.operands.end(), written) == s.operands.end(),
         what + "does not have one output");
    const int64_t rows = s.work.over_rows ? step_.max_rows : step_.max_tokens;
    need(g.stride <= out->bytes / rows, what + "does not fit its rows");
  }

  static bool within(int64_t offset, int64_t bytes, int64_t size) {
    return offset >= 0 && bytes >= 0 && offset <= size && bytes <= size - offset;
  }

  template <class List>
  static const typename List::value_type* at(const List& list, int64_t index) {
    return index >= 0 && index < static_cast<int64_t>(list.size()) ? &list[static_cast<size_t>(index)]
                                                                   : nullptr;
  }

  bool is_inside(const PlanOperand& o) const {
    switch (o.space) {
      case Space::arena: {
        if (o.buffer == -1) return within(o.offset, o.bytes, step_.arena_bytes);
        const PlanBuffer* b = at(step_.buffers, o.buffer);
        return b && o.offset >= b->offset && within(o.offset - b->offset, o.bytes, b->bytes);
      }
      case Space::weight: {
        const PlanWeight* w = at(plan_.weights, o.index);
        return w && within(o.offset, o.bytes, w->bytes) && !o.written;
      }
      case Space::kv: {
        const PlanCache* c = at(plan_.caches, o.index);
        return c && o.offset == 0 && within(0, o.bytes, c->bytes);
      }
      case Space::input:
        return o.index >= 0 && o.index < static_cast<int64_t>(kStepInputs) && !o.written &&
               within(o.offset, o.bytes, step_.max_tokens * 4);
      case Space::output:
        return within(o.offset, o.bytes, static_cast<int64_t>(output_bytes()));
    }
    return false;
  }

  double output_bytes() const {
    return static_cast<double>(step_.max_rows) * static_cast<double>(width_) * 4;
  }

  const Plan& plan_;
  const StepPlan& step_;
  const int64_t width_;
};

template <class List>
void check_sum(const List& list, const std::string& what) {
  double bytes = 0;
  for (const auto& one : list) bytes += static_cast<double>(one.bytes);
  need(bytes < kMost, "the " + what + " together take more than memory holds");
}

}  // namespace

void check_plan(const Plan& plan) {
  need(plan.context >= 1 && plan.context <= INT32_MAX && plan.vocab >= 1 && plan.vocab <= INT32_MAX,
       "'context' or 'vocab' is out of range");
  need(plan.ranks >= 1 && plan.ranks <= 1024 && plan.rank >= 0 && plan.rank < plan.ranks,
       "'ranks' or 'rank' is out of range");
  for (const PlanCache& c : plan.caches) check_cache(c, plan.context);
  check_sum(plan.caches, "caches");
  check_sum(plan.weights, "weights");
  need(plan.decode.max_tokens == 1, "decoding takes one token at a time");
  need(!plan.prefill.stages.empty() || plan.prefill.max_tokens == 1, "blocks of a prompt without stages");
  need(plan.hidden.stages.empty() ? plan.hidden_size == 0
                                  : plan.hidden_size >= 1 && plan.hidden_size <= INT32_MAX &&
                                        plan.hidden.max_tokens == plan.prefill.max_tokens &&
                                        plan.hidden.max_rows == plan.prefill.max_rows,
       "the step of hidden states is not that of a block of a prompt");
  StepCheck(plan, plan.decode, plan.vocab).run();
  StepCheck(plan, plan.prefill, plan.vocab).run();
  StepCheck(plan, plan.hidden, plan.hidden_size).run();
  need(plan.draft.max_tokens == 1, "guessing takes one token at a time");
  need(plan.draft.stages.empty() || plan.ranks == 1, "several ranks that guess");
  StepCheck(plan, plan.draft, plan.vocab).run();
}

}  // namespace lmc
