#include "codegen/proof/kernel_run.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "codegen/family.h"
#include "codegen/frame.h"
#include "codegen/layout.h"
#include "codegen/proof/cache_memory.h"
#include "codegen/proof/kernel_inputs.h"
#include "codegen/proof/operand_memory.h"
#include "ir/cache_layout.h"
#include "ir/eval.h"
#include "ir/op_def.h"

namespace lmc::proof {
namespace {

constexpr int64_t kLargeTable = 256;  // rows
constexpr double kFloat = 3e-5;       // of the largest output: f32 against double, over long rows
constexpr size_t kBitsBeyond = 256;   // behind a vocabulary, for whole groups of weight rows
constexpr double kFlipped = 6e-3;     // where what the kernel itself rounds to int8 may round the other way

}  // namespace

struct KernelRun::Memory {
  std::vector<Pages> operands;
  std::vector<void*> addresses;          // of caches the number of their first page
  std::vector<std::byte*> cache_pages;   // of all caches, and one that nobody reads
  std::vector<size_t> first_cache_page;  // by operand

  // Those of an operand that is a cache.
  std::span<std::byte* const> pages(const KernelOperand& operand, size_t o) const {
    return std::span(cache_pages)
        .subspan(first_cache_page[o], static_cast<size_t>(lmc::cache_pages(operand.cache)));
  }
};

KernelRun::~KernelRun() = default;

KernelRun::KernelRun(const KernelSpec& spec, int64_t tokens, bool all)
    : spec_(spec),
      tokens_(tokens),
      positions_before_(positions_before(spec, tokens)),
      memory_(std::make_unique<Memory>()) {
  portions_ = find_family(spec.family).portions(spec, all);
  if (!all && tokens > kFew) portions_.erase(portions_.begin(), portions_.end() - 1);
  find_ids();
  make_memory();
  make_activations();
  make_weights();
}

// A large table is looked up in a few of its rows, and the evaluator gets these alone.
void KernelRun::find_ids() {
  for (Portion& p : portions_) {
    const std::vector<ValueId> inputs = p.body.inputs();
    for (OpId id : p.body.ops()) {
      const Op& op = p.body.op(id);
      if (op.def->name != "embedding") continue;
      const auto ids = std::find(inputs.begin(), inputs.end(), op.operands[0]);
      const auto table = std::find(inputs.begin(), inputs.end(), op.operands[1]);
      if (ids == inputs.end() || table == inputs.end()) continue;
      const int64_t rows = p.body.type(*table).dims[0];
      if (rows < kLargeTable || p.body.value(*ids).uses.size() != 1 || p.body.value(*table).uses.size() != 1)
        continue;
      PortionInput& in = p.inputs[static_cast<size_t>(table - inputs.begin())];
      auto& some = looked_up_[p.inputs[static_cast<size_t>(ids - inputs.begin())].input];
      some = {0, 1, 8, rows / 3, rows / 2, rows - 9, rows - 2, rows - 1};
      in.part = PortionInput::Part::rows;
      for (const int64_t r : some) in.ranges.push_back({r, 1});
      for (int64_t& r : some)
        r += attr_int(op, "first");  // of a part of a table: as the kernel is asked for it
      p.body.set_attr(id, "first", int64_t{0});
      p.body.set_attr(id, "of", int64_t{0});
      Type few = p.body.type(*table);
      few.dims[0] = static_cast<int64_t>(some.size());
      p.body.set_type(*table, few);
    }
    if (!looked_up_.empty()) p.body.reinfer();
  }
}

void KernelRun::make_memory() {
  const Graph& g = spec_.body;
  std::vector<Type> types(spec_.operands.size());
  for (size_t i = 0; i < g.inputs().size(); ++i)
    types[static_cast<size_t>(spec_.inputs[i])] = g.type(g.inputs()[i]);
  for (size_t o = 0; o < spec_.operands.size(); ++o) {
    const KernelOperand& operand = spec_.operands[o];
    const int64_t bytes = operand.space == Space::weight ? packed_bytes(operand.layout, types[o])
                          : operand.space == Space::kv   ? CacheLayout(operand.cache).bytes
                                                         : operand.stride * tokens_;
    memory_->operands.emplace_back(bytes);
    std::byte* const data = memory_->operands.back().data();
    std::vector<std::byte*>& pages = memory_->cache_pages;
    memory_->first_cache_page.push_back(pages.size());
    memory_->addresses.push_back(operand.space == Space::kv ? reinterpret_cast<void*>(pages.size()) : data);
    // The last one first: a kernel that goes on behind a page's end is found out.
    for (int64_t p = operand.space == Space::kv ? cache_pages(operand.cache) : 0; p-- > 0;)
      pages.push_back(data + p * CacheLayout(operand.cache).page_bytes);
    // What is not written is no number.
    if (operand.space == Space::arena || operand.space == Space::output)
      std::memset(data, 0xff, static_cast<size_t>(bytes));
  }
  memory_->cache_pages.push_back(nullptr);
}

void KernelRun::make_activations() {
  tensors_.resize(spec_.body.inputs().size());
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const KernelOperand& operand = spec_.operands[static_cast<size_t>(spec_.inputs[i])];
    if (operand.space == Space::weight) continue;
    const auto o = static_cast<size_t>(spec_.inputs[i]);
    std::byte* memory = memory_->operands[o].data();
    tensors_[i] = seeded_activation(spec_, i, tokens_, positions_before_);
    if (operand.space == Space::kv) {
      write_cache(operand.cache, tensors_[i], memory_->pages(operand, o));
    } else if (const auto rows = looked_up_.find(i); rows != looked_up_.end()) {
      // The evaluator's table has these rows only.
      Tensor ids = tensors_[i];
      for (size_t n = 0; n < ids.data.size(); ++n) {
        const size_t row = n % rows->second.size();
        tensors_[i].data[n] = static_cast<double>(row);
        ids.data[n] = static_cast<double>(rows->second[row]);
      }
      store_activation(operand, ids, tokens_, memory);
    } else {
      store_activation(operand, tensors_[i], tokens_, memory);
    }
  }
}

// What the portions read of the weights.
void KernelRun::make_weights() {
  const Graph& g = spec_.body;
  for (const Portion& p : portions_) {
    for (const PortionInput& in : p.inputs) {
      const auto o = static_cast<size_t>(spec_.inputs[in.input]);
      if (spec_.operands[o].space != Space::weight) continue;
      const Type& type = g.type(g.inputs()[in.input]);
      const int64_t matrices = type.rank() == 3 ? type.dims[0] : 1;
      std::vector<Range> ranges = {{0, matrix(type).rows / matrices}};
      if (in.part == PortionInput::Part::rows && type.rank() > 1) ranges = in.ranges;
      for (int64_t m = 0; m < matrices; ++m) {
        for (const Range& r : ranges)
          store_weight_rows(spec_.operands[o], type, in.input, m, r, memory_->operands[o].data());
      }
    }
  }
}

// What the evaluator gets for one input of a portion.
Tensor KernelRun::part_of(const PortionInput& part) const {
  const bool weight = spec_.operands[static_cast<size_t>(spec_.inputs[part.input])].space == Space::weight;
  Tensor t = weight ? seeded_weight(spec_.body.type(spec_.body.inputs()[part.input]), part.input, part)
                    : tensors_[part.input];
  if (part.part != PortionInput::Part::columns) return t;
  Tensor out{t.dtype, t.dims, {}};
  out.dims.back() = 0;
  for (const Range& r : part.ranges) out.dims.back() += r.count;
  for (int64_t row = 0; row < t.rows(); ++row) {
    for (const Range& r : part.ranges)
      out.data.insert(out.data.end(), t.row(row) + r.first, t.row(row) + r.first + r.count);
  }
  return out;
}

// Every tile of the portions; of logits only those allowed (StepInfo::allowed).
void KernelRun::run(KernelFn kernel, const uint8_t* allowed) const {
  const KernelMemory needs = find_family(spec_.family).memory(spec_);
  const int64_t kept = (needs.kept + 63) / 64 * 64;
  const Pages scratch(kept + needs.scratch + kReadPastEnd);
  StepInfo step{};
  step.tokens = tokens_;
  step.rows = tokens_;
  step.serial = 1;
  step.allowed = allowed;
  const std::vector<std::byte* const*> caches(static_cast<size_t>(tokens_), memory_->cache_pages.data());
  step.caches = caches.data();
  std::vector<RowSpan> spans;
  for (int64_t t = 0; t < tokens_; t += kMostRowsOfSpan)
    spans.push_back({t, std::min(kMostRowsOfSpan, tokens_ - t)});
  step.spans = spans.data();
  step.span_count = static_cast<int64_t>(spans.size());
  std::vector<int64_t> tiles;
  for (const Portion& p : portions_) tiles.insert(tiles.end(), p.tiles.begin(), p.tiles.end());
  for (size_t i = 0; i < tiles.size(); ++i)
    kernel(memory_->addresses.data(), &step, tiles[i], i + 1 < tiles.size() ? tiles[i + 1] : -1,
           scratch.data() + kept);
}

std::optional<Difference> KernelRun::compare(KernelFn kernel) {
  run(kernel, nullptr);
  for (const Portion& p : portions_) {
    TensorMap inputs;
    const std::vector<ValueId> names = p.body.inputs();
    for (size_t i = 0; i < names.size(); ++i) inputs[p.body.value(names[i]).name] = part_of(p.inputs[i]);
    const std::vector<Tensor> want =
        evaluate(p.body, inputs, [](const std::string& name, const Type&) -> Tensor {
          throw Error("weight @" + name + " inside a kernel");
        });
    for (size_t o = 0; o < want.size(); ++o) {
      if (std::optional<Difference> d = compare_output(p, o, want[o])) return d;
    }
  }
  return spec_.logits ? compare_allowed(kernel) : std::nullopt;
}

// Logits that may be chosen have the same bits where others may not: of some ids in a third of all runs of
// 64, then of all runs but one.
std::optional<Difference> KernelRun::compare_allowed(KernelFn kernel) const {
  const ValueId v = spec_.body.outputs()[0];
  const Type& type = spec_.body.type(v);
  const auto vocab = static_cast<size_t>(type.last());
  const KernelOperand& operand = spec_.operands[static_cast<size_t>(spec_.outputs[0])];
  const Pages& memory = memory_->operands[static_cast<size_t>(spec_.outputs[0])];
  const std::vector<std::byte> before(memory.data(), memory.data() + operand.stride * tokens_);
  for (const bool few : {true, false}) {
    std::vector<uint8_t> allowed(vocab / 8 + 1 + kBitsBeyond / 8 + size_t{kReadPastEnd});
    for (size_t id = 0; id < vocab; ++id) {
      const size_t run = id / 64;
      if (few ? run % 3 == 1 && id * 7 % 5 < 2 : run != 1)
        allowed[id / 8] |= static_cast<uint8_t>(1U << (id % 8));
    }
    std::memset(memory.data(), 0xff, before.size());
    run(kernel, allowed.data());
    for (int64_t t = 0; t < tokens_; ++t) {
      for (size_t id = 0; id < vocab; ++id) {
        if ((allowed[id / 8] >> (id % 8) & 1) == 0) continue;
        const size_t at = static_cast<size_t>(t * operand.stride) + id * sizeof(float);
        float got, want;
        std::memcpy(&got, memory.data() + at, sizeof got);
        std::memcpy(&want, before.data() + at, sizeof want);
        if (std::memcmp(&got, &want, sizeof got) != 0)
          return Difference{spec_.body.value(v).name, t, static_cast<int64_t>(id), got, want, 0};
      }
    }
  }
  return std::nullopt;
}

std::optional<Difference> KernelRun::compare_output(const Portion& p, size_t output,
                                                    const Tensor& want) const {
  const Graph& g = spec_.body;
  const ValueId v = g.outputs()[output];
  const Type& type = g.type(v);
  const auto o = static_cast<size_t>(spec_.outputs[output]);
  const KernelOperand& operand = spec_.operands[o];
  const std::byte* memory = memory_->operands[o].data();
  bool rounds = false;
  bool partial = false;
  for (OpId id : g.ops()) {
    rounds |= g.op(id).def->name == "quantize" && !g.is_output(g.result(id));
    partial |= g.op(id).def->name == "attention_split";
  }
  double largest = 0;
  for (const double x : want.data) largest = std::max(largest, std::fabs(x));
  double allowed = (rounds ? kFlipped : kFloat) * largest;
  if (type.dtype == DType::q8_0 || type.dtype == DType::kv_q8_0)
    allowed = (rounds ? 2.1 : 1.05) * largest / 127;
  if (type.dtype == DType::kv_f16) allowed = std::max(allowed, largest * 0x1p-10);
  if (type.dtype == DType::i32) allowed = 0;
  const auto differs = [&](double got, double expected) {
    if (std::isnan(got) && std::isnan(expected)) return false;
    return !(std::fabs(got - expected) <= allowed);
  };
  if (operand.space == Space::kv) {
    const int64_t of_head = want.last();
    const int64_t of_position = cache_shape(type).numbers();
    for (int64_t t = 0; t < tokens_; ++t) {
      const int64_t position = positions_before_ + t;
      if (position < want.first) continue;  // not kept
      for (int64_t i = 0; i < of_position; ++i) {
        const double got =
            read_cache(operand.cache, memory_->pages(operand, o), position, i / of_head, i % of_head);
        const double expected = want.data[static_cast<size_t>((position - want.first) * of_position + i)];
        if (differs(got, expected)) return Difference{g.value(v).name, t, i, got, expected, allowed};
      }
    }
    return std::nullopt;
  }
  std::vector<Range> columns = p.columns[output];
  if (columns.empty() || type.rank() == 1) columns = {{0, type.rank() == 1 ? 1 : type.last()}};
  int64_t width = 0;
  for (const Range& c : columns) width += c.count;
  const int64_t rows = static_cast<int64_t>(want.data.size()) / std::max<int64_t>(width, 1);
  size_t at = 0;
  for (int64_t r = 0; r < rows; ++r) {
    for (const Range& c : columns) {
      for (int64_t i = c.first; i < c.first + c.count; ++i, ++at) {
        const double got = number_at(operand, memory, type, r, i);
        if (partial && want.data[at] == 0 && std::isnan(got)) continue;  // a chunk that nobody sees
        if (differs(got, want.data[at]))
          return Difference{g.value(v).name, r, i, got, want.data[at], allowed};
      }
    }
  }
  return std::nullopt;
}

}  // namespace lmc::proof
