// A language model of three stages by hand: a ring cache, a window, a vocabulary. Its logits are hashes of
// what the window holds, so one wrong, missing or stale position changes them all. With `border`, what is
// stored depends on whether the sequence is longer, as with longrope.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dag.h"
#include "ir/cache_layout.h"
#include "ir/error.h"
#include "ir/round_up.h"
#include "runtime/session.h"

namespace lmc::test {

class ToyModel {
 public:
  ToyModel(int64_t span, int64_t context, int64_t max_tokens, int64_t max_rows, int64_t border = 0) {
    params_ = {span, round_up(span + max_tokens - 1, kCachePage), border};
    plan.rope_border = border;
    plan.context = context;
    plan.vocab = kVocab;
    plan.weights.push_back({"params", "f32", {}, sizeof(Params)});
    PlanCache cache;
    cache.name = "kv";
    cache.span = span;
    cache.capacity = params_.capacity;
    cache.dtype = DType::kv_f32;
    cache.kv_heads = 1;
    cache.key_dim = cache.value_dim = 2;  // one entry of 8 bytes a position, where keys are
    cache.bytes = CacheLayout(cache).bytes;
    plan.caches.push_back(cache);
    plan.decode = step(1, 1);
    plan.prefill = plan.hidden = step(max_tokens, max_rows);  // its hidden states are its logits
    plan.hidden_size = kVocab;
  }

  std::unique_ptr<Session> session(const SessionOptions& options = {.threads = 1}) const {
    const std::vector<KernelFn> kernels = {&append, &attend, &logits};
    const PlanKernels all = {kernels, plan.prefill.stages.empty() ? std::vector<KernelFn>{} : kernels,
                             kernels};
    return std::make_unique<Session>(plan, all, std::vector<const void*>{&params_}, options);
  }

  // What the model makes of `tokens`: the logits of the last one; `length`: of the sequence in all, if more.
  std::vector<float> reference(std::span<const int32_t> tokens, int64_t length = 0) const {
    const auto end = static_cast<int64_t>(tokens.size());
    uint64_t h = 0;
    for (int64_t p = std::max<int64_t>(0, end - params_.span); p < end; ++p) {
      h = mix(h, entry(tokens[static_cast<size_t>(p)], p, params_.beyond(std::max(length, end))));
    }
    std::vector<float> out;
    for (int64_t v = 0; v < kVocab; ++v) out.push_back(logit(h, v));
    return out;
  }

  static constexpr int64_t kVocab = 50;
  Plan plan;

 private:
  struct Params {
    int64_t span, capacity, border;
    bool beyond(int64_t length) const { return border > 0 && length > border; }
  };
  static constexpr int64_t kTokensPerTile = 4, kVocabPerTile = 8, kAttendTiles = 3;
  static constexpr double kFlops = 1e9;  // as the plan says: threads share every stage

  static uint64_t entry(int32_t token, int64_t position, bool beyond) {
    return mix(static_cast<uint64_t>(token) + 1, static_cast<uint64_t>(position) + (beyond ? 1U << 20 : 0U));
  }
  static float logit(uint64_t h, int64_t v) {
    return static_cast<float>(mix(h, static_cast<uint64_t>(v)) % 65536) / 4096;
  }

  static StepPlan step(int64_t tokens, int64_t rows) {
    StepPlan out;
    out.max_tokens = tokens;
    out.max_rows = rows;
    out.arena_bytes = tokens * 8;
    out.buffers.push_back({"hidden", tokens * 8, 0});
    const PlanOperand params{Space::weight, 0, 0, false, sizeof(Params), -1};
    const PlanOperand ids{Space::input, 0, 0, false, tokens * 4, -1},
        pos{Space::input, 1, 0, false, tokens * 4, -1};
    const PlanOperand out_rows{Space::input, 2, 0, false, tokens * 4, -1};
    const PlanOperand length{Space::input, 3, 0, false, tokens * 4, -1};
    const int64_t token_tiles = (tokens + kTokensPerTile - 1) / kTokensPerTile;
    PlanOperand kv{Space::kv, 0, 0, true, 8, -1}, hidden{Space::arena, 0, 0, true, tokens * 8, 0};
    const PlanOperand output{Space::output, 0, 0, true, rows * kVocab * 4, -1};
    out.stages.push_back({"append", "", {}, token_tiles, {params, ids, pos, length, kv}, {}});
    kv.written = false;
    out.stages.push_back({"attend", "", {}, kAttendTiles, {params, pos, kv, hidden}, {0}});
    hidden.written = false;
    out.stages.push_back({"logits",
                          "",
                          {},
                          (kVocab + kVocabPerTile - 1) / kVocabPerTile,
                          {params, out_rows, hidden, output},
                          {1}});
    for (PlanStage& s : out.stages) s.work.rows.ops = kFlops;
    return out;
  }

  // What the token's sequence has in a slot of the ring.
  static uint64_t& slot(void* operand, const StepInfo* step, int64_t t, int64_t slot) {
    std::byte* const* pages = step->caches[t] + reinterpret_cast<uintptr_t>(operand);
    return reinterpret_cast<uint64_t*>(pages[slot / kCachePage])[slot % kCachePage];
  }
  static void append(void* const* o, const StepInfo* step, int64_t tile, int64_t, void*) {
    const auto& p = *static_cast<const Params*>(o[0]);
    const auto* pos = static_cast<const int32_t*>(o[2]);
    const auto* length = static_cast<const int32_t*>(o[3]);
    for (int64_t t = tile * kTokensPerTile; t < std::min(step->tokens, (tile + 1) * kTokensPerTile); ++t) {
      slot(o[4], step, t, pos[t] % p.capacity) =
          entry(static_cast<const int32_t*>(o[1])[t], pos[t], p.beyond(length[t]));
    }
  }
  // Every tile takes each so many spans, as the kernels do.
  static void attend(void* const* o, const StepInfo* step, int64_t tile, int64_t, void*) {
    const auto& p = *static_cast<const Params*>(o[0]);
    const auto* pos = static_cast<const int32_t*>(o[1]);
    for (int64_t s = tile; s < step->span_count; s += kAttendTiles) {
      const RowSpan span = step->spans[s];
      for (int64_t t = span.first; t < span.first + span.count; ++t) {
        uint64_t h = 0;
        for (int64_t q = std::max<int64_t>(0, pos[t] + 1 - p.span); q <= pos[t]; ++q)
          h = mix(h, slot(o[2], step, span.first, q % p.capacity));
        static_cast<uint64_t*>(o[3])[t] = h;
      }
    }
  }
  static void logits(void* const* o, const StepInfo* step, int64_t tile, int64_t, void*) {
    const auto* rows = static_cast<const int32_t*>(o[1]);
    for (int64_t r = 0; r < step->rows; ++r) {
      for (int64_t v = tile * kVocabPerTile; v < std::min(kVocab, (tile + 1) * kVocabPerTile); ++v) {
        static_cast<float*>(o[3])[r * kVocab + v] = logit(static_cast<const uint64_t*>(o[2])[rows[r]], v);
      }
    }
  }

  Params params_;
};

// What the Error says that `f` throws.
inline std::string message(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

inline std::vector<float> copy(std::span<const float> s) { return {s.begin(), s.end()}; }

inline std::vector<int32_t> some_tokens(size_t n) {
  std::vector<int32_t> out;
  for (size_t i = 0; i < n; ++i) out.push_back(static_cast<int32_t>(mix(i, 5) % ToyModel::kVocab));
  return out;
}

}  // namespace lmc::test
