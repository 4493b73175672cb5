// Attention over the cache, one tile per kv head: all query heads of a kv head (and a few tokens of a block)
// together, so that every K and V read serves several rows.
//
// A row is one query head of one token. The cache is walked in chunks of 128 positions that start at
// multiples of 128. Within a chunk: all scores, their maximum m, p = exp(score - m), l = sum of p and the
// weighted values; then the chunk is merged into what came before, as in "Online normalizer calculation for
// softmax" (Milakov, Gimelshein 2018). A row's sums run over the same chunks in the same order whoever else
// is in flight, so a token gets the same bits alone, in a prefill block, in a step of many sequences, and
// when its chunks are computed by different threads (attention_split) and merged later.
#include "codegen/kernels/attention.h"

#include <algorithm>

#include "codegen/attention_chunks.h"
#include "codegen/frame.h"
#include "codegen/kernels/attention_merge.h"
#include "codegen/kernels/cache_reader.h"
#include "codegen/kernels/math.h"
#include "codegen/kernels/row_kernel.h"
#include "ir/alibi.h"
#include "ir/cache_layout.h"
#include "ir/kernel_abi.h"
#include "ir/op_def.h"
#include "ir/round_up.h"

namespace lmc {
namespace {

constexpr int64_t kRows = CacheReader::kMostQueries;

// Scratch: scores [kRows][128] f32, then weighted totals [kRows][value_dim rounded up] f32.
constexpr int64_t kScoreRow = kAttentionChunk * 4;

class AttentionEmitter {
 public:
  AttentionEmitter(KernelBuilder& builder, const KernelSpec& kernel)
      : k(builder),
        b(builder.ir()),
        frame(kernel),
        g(frame.g),
        op(g.op(frame.ops.front())),
        cache(frame.cache(op.operands[1])),
        layout(cache),
        reader(cache_reader(builder, cache)),
        e(builder, frame, nullptr) {
    heads_ = g.type(op.operands[0]).dims[1];
    dim_ = cache.value_dim;
    padded_ = round_up(dim_, kLanes);
    window_ = attr_int(op, "window");
    group_ = heads_ / cache.kv_heads;
    split_ = op.def->name == "attention_split";
    if (attr_real(op, "alibi") != 0) slopes_ = slopes();
  }

  void emit() {
    kv_head_ = b.CreateURem(k.tile(), k.i64(cache.kv_heads));
    part_ = b.CreateUDiv(k.tile(), k.i64(cache.kv_heads));  // of the spans, or of the chunks
    if (frame.single()) {
      tokens(k.i64(0), k.i64(1));
    } else {
      spans();
    }
    k.finish();
  }

 private:
  // One query head of one token, while its block of rows is worked on.
  struct Row {
    llvm::Value *token, *head, *query, *pos, *oldest;
    llvm::Value* slope = nullptr;                  // of the linear bias, 8 lanes
    llvm::Value *scores, *total;                   // scratch
    llvm::Value* best;                             // variable: 8 lanes of maxima of the chunk
    llvm::Value *maximum, *sum;                    // variables: of all chunks so far
    llvm::Value *fade = nullptr, *gain = nullptr;  // factors of the merge
  };

  // The tokens of a span are of one sequence, so they share a tile and what it reads of their cache. The
  // tiles deal the spans out, so that a few keep all threads busy.
  void spans() {
    const int64_t parts = frame.spec.tiles / cache.kv_heads;
    k.loop(part_, k.span_count(), parts, [&](llvm::Value* index) {
      llvm::Value* span = k.at(k.spans(), k.mul(index, sizeof(RowSpan)));
      tokens(k.load(b.getInt64Ty(), k.at(span, int64_t{offsetof(RowSpan, first)}), 8),
             k.load(b.getInt64Ty(), k.at(span, int64_t{offsetof(RowSpan, count)}), 8));
    });
  }

  // The tile's heads of so many tokens from `first` on, which all are of one sequence.
  void tokens(llvm::Value* first, llvm::Value* number) {
    first_ = first;
    pages_ = k.pages(k.operand(frame.slot(op.operands[1]).operand), first);
    keys_ = k.mul(kv_head_, layout.k_head_bytes);
    values_ = k.add(k.i64(layout.v_offset), k.mul(kv_head_, layout.v_head_bytes));
    llvm::Value* count = k.mul(number, group_);
    llvm::Value* at = k.variable(k.i64(0));
    for (int64_t m = reader->most_queries(); m >= 1; m /= 2) {
      llvm::Value* start = k.get(at);
      llvm::Value* stop = k.add(start, b.CreateAnd(b.CreateSub(count, start), k.i64(-m)));
      k.loop(start, stop, m, [&](llvm::Value* row) { rows(row, m); });
      k.set(at, stop);
    }
  }

  void rows(llvm::Value* first, int64_t count) {
    std::vector<Row> block;
    for (int64_t i = 0; i < count; ++i) block.push_back(row(k.add(first, k.i64(i)), i));
    // Rows are ordered by token, so the first sees the oldest position and the last the newest.
    llvm::Value* oldest = block.front().oldest;
    llvm::Value* end = k.add(block.back().pos, k.i64(1));
    llvm::Value* chunk = b.CreateAnd(oldest, k.i64(-kAttentionChunk));
    int64_t step = kAttentionChunk;
    if (split_) {
      first_chunk_ = chunk;
      chunk = k.add(chunk, k.mul(part_, kAttentionChunk));
      step *= attr_int(op, "splits");
    } else {
      for (Row& r : block) {
        for_value_lanes([&](llvm::Value* j) { k.store(k.splat(0.0), k.at(r.total, k.mul(j, 4)), 4); });
      }
    }
    k.loop(chunk, end, step, [&](llvm::Value* c) { one_chunk(block, c, oldest, end); });
    if (split_) return;
    for (Row& r : block) {
      llvm::Value* inverse = k.splat(b.CreateFDiv(k.f32(1), k.get(r.sum)));
      llvm::Value* out = k.at(e.address(op.results[0], r.token), k.mul(r.head, dim_ * 4));
      e.for_lanes(dim_, [&](llvm::Value* j, int64_t n) {
        llvm::Value* y = b.CreateFMul(k.load(k.floats(), k.at(r.total, k.mul(j, 4)), 4), inverse);
        k.store_lanes(y, k.at(out, k.mul(j, 4)), n);
      });
    }
  }

  Row row(llvm::Value* index, int64_t i) {
    Row r;
    r.token = k.add(first_, b.CreateUDiv(index, k.i64(group_)));
    r.head = k.add(k.mul(kv_head_, group_), b.CreateURem(index, k.i64(group_)));
    r.query = k.at(e.address(op.operands[0], r.token), k.mul(r.head, reader->query_bytes()));
    r.pos = b.CreateSExt(k.load(b.getInt32Ty(), e.address(op.operands[2], r.token), 4), b.getInt64Ty());
    r.oldest = window_ > 0 ? k.max(k.i64(0), k.add(r.pos, k.i64(1 - window_))) : k.i64(0);
    if (slopes_) r.slope = k.splat(k.load(b.getFloatTy(), k.at(slopes_, k.mul(r.head, 4)), 4));
    r.scores = k.at(k.scratch(), i * kScoreRow);
    r.total = k.at(k.scratch(), kRows * kScoreRow + i * padded_ * 4);
    r.best = k.variable(k.splat(kNothing));
    // A sink is a score that was there before all others, of a value of zeros.
    const bool sinks = !split_ && op.operands.size() > 3;
    r.maximum = k.variable(sinks ? sink(r) : k.f32(kNothing));
    r.sum = k.variable(k.f32(sinks ? 1 : 0));
    return r;
  }

  llvm::Value* sink(const Row& r) {
    return k.load(b.getFloatTy(), k.at(e.address(op.operands[3], r.token), k.mul(r.head, 4)), 4);
  }

  // Per query head, in the module's constants.
  llvm::Value* slopes() {
    std::vector<float> table;
    for (const double s : alibi_slopes(heads_))
      table.push_back(static_cast<float>(attr_real(op, "alibi") * s));
    llvm::Module& m = *b.GetInsertBlock()->getModule();
    llvm::Constant* numbers = llvm::ConstantDataArray::get(m.getContext(), table);
    auto* global = new llvm::GlobalVariable(m, numbers->getType(), true, llvm::GlobalValue::PrivateLinkage,
                                            numbers, "alibi_slopes");
    global->setAlignment(llvm::Align(64));
    return global;
  }

  void for_value_lanes(const std::function<void(llvm::Value*)>& body) {
    k.loop(k.i64(0), k.i64(padded_), kLanes, body);
  }

  // Calls body(block, page) for the blocks of 64 positions of [from, to) that lie in the chunk, each a page
  // of the ring.
  void for_blocks(llvm::Value* from, llvm::Value* to,
                  const std::function<void(llvm::Value* block, llvm::Value* page)>& body) {
    k.loop(from, to, kCachePage, [&](llvm::Value* block) {
      llvm::Value* slot = b.CreateURem(block, k.i64(cache.capacity));
      body(block, b.CreateUDiv(slot, k.i64(kCachePage)));
    });
  }

  void one_chunk(std::vector<Row>& block, llvm::Value* chunk, llvm::Value* oldest, llvm::Value* end) {
    llvm::Value* from = k.max(chunk, b.CreateAnd(oldest, k.i64(-kCachePage)));
    llvm::Value* to = k.min(k.add(chunk, k.i64(kAttentionChunk)), end);
    for (Row& r : block) k.set(r.best, k.splat(kNothing));
    timed(AttentionPart::scores, [&] {
      for_blocks(from, to,
                 [&](llvm::Value* at, llvm::Value* page) { score_block(block, chunk, at, page, to); });
    });
    timed(AttentionPart::softmax, [&] {
      for (Row& r : block) softmax(r, chunk, from, to);
    });
    timed(AttentionPart::values, [&] { weigh_values(block, chunk, from, to); });
  }

  // What `body` emits; for measuring, with the processor's time stamp taken before and after.
  void timed(AttentionPart part, const std::function<void()>& body) {
    if (!frame.spec.timed) return body();
    llvm::Value* begin = b.CreateIntrinsic(llvm::Intrinsic::readcyclecounter, {}, {});
    body();
    llvm::Value* spent = b.CreateSub(b.CreateIntrinsic(llvm::Intrinsic::readcyclecounter, {}, {}), begin);
    llvm::Value* counter = k.at(k.cycles(), static_cast<int64_t>(part) * 8);
    b.CreateAtomicRMW(llvm::AtomicRMWInst::Add, counter, spent, llvm::MaybeAlign(8),
                      llvm::AtomicOrdering::Monotonic);
  }

  // Scores of up to 64 positions, lanes being positions.
  void score_block(std::vector<Row>& block, llvm::Value* chunk, llvm::Value* at, llvm::Value* page,
                   llvm::Value* to) {
    const int64_t vectors =
        std::min(reader->most_vectors(static_cast<int64_t>(block.size())), kCachePage / kLanes);
    llvm::Value* place = k.page(pages_, page);
    llvm::Value* keys = k.at(place, keys_);
    llvm::Value* page_values = k.at(place, values_);
    std::vector<llvm::Value*> queries;
    for (const Row& r : block) queries.push_back(r.query);
    llvm::Value* stop = k.min(k.i64(kCachePage), b.CreateSub(to, at));
    k.loop(k.i64(0), stop, vectors * kLanes, [&](llvm::Value* p) {
      // Meanwhile the values of these positions come.
      llvm::Value* values = k.at(page_values, k.mul(p, layout.v_position_bytes));
      const int64_t value_bytes = vectors * kLanes * layout.v_position_bytes / reader->steps();  // a step
      const auto sums = reader->products(
          queries, k.at(keys, k.mul(p, layout.k_position_bytes)), vectors, [&](llvm::Value* i) {
            for (int64_t line = 0; line < value_bytes; line += 64)
              k.prefetch(k.at(values, k.add(k.mul(i, value_bytes), k.i64(line))));
          });
      for (size_t i = 0; i < block.size(); ++i) {
        for (size_t v = 0; v < sums[i].size(); ++v) {
          llvm::Value* position = k.add(at, k.add(p, k.i64(static_cast<int64_t>(v) * kLanes)));
          llvm::Value* s = masked(block[i], sums[i][v], position);
          k.store(s, k.at(block[i].scores, k.mul(b.CreateSub(position, chunk), 4)), 4);
          llvm::Value* best = k.get(block[i].best);
          k.set(block[i].best, b.CreateSelect(b.CreateFCmpOGT(s, best), s, best));
        }
      }
    });
  }

  llvm::Value* masked(const Row& r, llvm::Value* sum, llvm::Value* position) {
    llvm::Value* s = b.CreateFMul(sum, k.splat(attr_real(op, "scale")));
    if (r.slope) s = k.fma(r.slope, distance(r, position), s);
    const double cap = attr_real(op, "softcap");
    if (cap > 0) s = b.CreateFMul(math::tanh(k, b.CreateFMul(s, k.splat(1 / cap))), k.splat(cap));
    llvm::Value* at = b.CreateAdd(b.CreateVectorSplat(kLanes, position), k.lane_ids());
    llvm::Value* seen = b.CreateAnd(b.CreateICmpSLE(at, b.CreateVectorSplat(kLanes, r.pos)),
                                    b.CreateICmpSGE(at, b.CreateVectorSplat(kLanes, r.oldest)));
    return b.CreateSelect(seen, s, k.splat(kNothing));
  }

  // Key position - own position, as floats: exact, because both are whole and far below 2^24 apart.
  llvm::Value* distance(const Row& r, llvm::Value* position) {
    llvm::Value* first = b.CreateTrunc(b.CreateSub(position, r.pos), b.getInt32Ty());
    llvm::Value* lanes =
        b.CreateAdd(b.CreateVectorSplat(kLanes, first), b.CreateTrunc(k.lane_ids(), k.ints()));
    return b.CreateSIToFP(lanes, k.floats());
  }

  // Scores become exp(score - m); what was masked becomes 0.
  void softmax(Row& r, llvm::Value* chunk, llvm::Value* from, llvm::Value* to) {
    llvm::Value* m = k.max_lanes(k.get(r.best));
    llvm::Value* lanes = k.variable(k.splat(0.0));
    k.loop(b.CreateSub(from, chunk), b.CreateSub(to, chunk), kLanes, [&](llvm::Value* i) {
      llvm::Value* at = k.at(r.scores, k.mul(i, 4));
      llvm::Value* s = k.load(k.floats(), at, 4);
      llvm::Value* p = math::exp(k, b.CreateFSub(s, k.splat(m)));
      p = b.CreateSelect(b.CreateFCmpOGT(s, k.splat(kNothing)), p, k.splat(0.0));
      k.set(lanes, b.CreateFAdd(k.get(lanes), p));
      k.store(p, at, 4);
    });
    llvm::Value* l = k.sum_lanes(k.get(lanes));
    if (split_) {
      llvm::Value* part = partial(r, chunk);
      k.store(m, part, 4);
      k.store(l, k.at(part, 4), 4);
      return;
    }
    const MergeFactors f = merge_factors(k, k.get(r.maximum), m);
    k.set(r.maximum, f.maximum);
    k.set(r.sum, merge(k, k.get(r.sum), l, f.fade_scalar, f.gain_scalar));
    r.fade = f.fade_scalar;
    r.gain = f.gain_scalar;
  }

  llvm::Value* partial(const Row& r, llvm::Value* chunk) {
    llvm::Value* number = b.CreateUDiv(b.CreateSub(chunk, first_chunk_), k.i64(kAttentionChunk));
    const AttentionPartials p(g.type(op.results[0]), dim_);
    llvm::Value* index = k.add(k.mul(r.head, p.chunks), number);
    return k.at(e.address(op.results[0], r.token), k.mul(index, p.bytes));
  }

  // Sum of p[i] V[i], positions in order; lanes being elements of V's row, as many as the reader likes,
  // then 8.
  void weigh_values(std::vector<Row>& block, llvm::Value* chunk, llvm::Value* from, llvm::Value* to) {
    const auto rows = static_cast<int64_t>(block.size());
    const int64_t wide = reader->value_lanes(rows);
    const int64_t most = reader->value_sums(rows) / rows;
    int64_t done = padded_ / (most * wide) * (most * wide);
    k.loop(k.i64(0), k.i64(done), most * wide,
           [&](llvm::Value* column) { weigh_columns(block, chunk, from, to, column, most, wide); });
    for (const int64_t lanes : {wide, kLanes}) {
      const int64_t vectors = (padded_ - done) / lanes;
      if (vectors > 0) weigh_columns(block, chunk, from, to, k.i64(done), vectors, lanes);
      done += vectors * lanes;
    }
  }

  void weigh_columns(std::vector<Row>& block, llvm::Value* chunk, llvm::Value* from, llvm::Value* to,
                     llvm::Value* column, int64_t vectors, int64_t lanes) {
    std::vector<std::vector<llvm::Value*>> sums(block.size());
    for (auto& of_row : sums) {
      for (int64_t v = 0; v < vectors; ++v) of_row.push_back(k.variable(k.splat(k.f32(0), lanes)));
    }
    for_blocks(from, to, [&](llvm::Value* at, llvm::Value* page) {
      llvm::Value* offset = k.mul(b.CreateSub(at, chunk), 4);
      llvm::Value* page_values = k.at(k.page(pages_, page), values_);
      // Meanwhile the keys of the next block come, this column's share of them.
      const int64_t key_bytes = vectors * lanes * layout.element_bytes;  // per position
      llvm::Value* next_keys = k.at(k.page(pages_, k.add(page, k.i64(1))),
                                    k.add(keys_, k.mul(column, kCachePage * layout.element_bytes)));
      k.loop(k.i64(0), k.min(k.i64(kCachePage), b.CreateSub(to, at)), 1, [&](llvm::Value* i) {
        for (int64_t line = 0; line < key_bytes; line += 64)
          k.prefetch(k.at(next_keys, k.add(k.mul(i, key_bytes), k.i64(line))));
        const std::vector<llvm::Value*> v = reader->values(page_values, i, column, vectors, lanes);
        for (size_t r = 0; r < block.size(); ++r) {
          llvm::Value* weight = k.load(b.getFloatTy(), k.at(block[r].scores, k.add(offset, k.mul(i, 4))), 4);
          llvm::Value* p = k.splat(weight, lanes);
          for (size_t n = 0; n < v.size(); ++n) k.set(sums[r][n], k.fma(p, v[n], k.get(sums[r][n])));
        }
      });
    });
    for (size_t r = 0; r < block.size(); ++r) {
      for (int64_t n = 0; n < vectors; ++n) {
        llvm::Value* bytes = k.mul(k.add(column, k.i64(n * lanes)), 4);
        llvm::Value* y = k.get(sums[r][static_cast<size_t>(n)]);
        if (split_) {
          k.store(y, k.at(partial(block[r], chunk), k.add(bytes, k.i64(AttentionPartials::kHeader))), 4);
          continue;
        }
        llvm::Value* to_total = k.at(block[r].total, bytes);
        llvm::Value* total = k.load(y->getType(), to_total, 4);
        k.store(merge(k, total, y, k.splat(block[r].fade, lanes), k.splat(block[r].gain, lanes)), to_total,
                4);
      }
    }
  }

  KernelBuilder& k;
  llvm::IRBuilder<>& b;
  const Frame frame;
  const Graph& g;
  const Op& op;
  const PlanCache& cache;
  CacheLayout layout;
  const std::unique_ptr<CacheReader> reader;
  RowEmitter e;
  int64_t heads_, window_, group_;
  int64_t dim_;     // of a value
  int64_t padded_;  // dim_, to whole vectors
  bool split_;
  llvm::Value* slopes_ = nullptr;
  llvm::Value *kv_head_ = nullptr, *part_ = nullptr, *first_ = nullptr, *first_chunk_ = nullptr;
  llvm::Value* pages_ = nullptr;
  llvm::Value *keys_ = nullptr, *values_ = nullptr;  // of the head, from where a page begins
};

}  // namespace

int64_t attention_scratch_bytes(int64_t value_dim) {
  return kRows * (kScoreRow + round_up(value_dim, kLanes) * 4);
}

void emit_attention_kernel(KernelBuilder& k, const KernelSpec& spec) { AttentionEmitter(k, spec).emit(); }

}  // namespace lmc
