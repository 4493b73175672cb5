#include "codegen/proof/kernel_run.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "codegen/family.h"
#include "codegen/frame.h"
#include "codegen/layout.h"
#include "codegen/proof/cache_memory.h"
#include "codegen/proof/seeded.h"
#include "codegen/weight_layout.h"
#include "ir/block_format.h"
#include "ir/cache_layout.h"
#include "ir/effects.h"
#include "ir/eval.h"
#include "ir/op_def.h"
#include "ir/rope_frequencies.h"

namespace lmc::proof {
namespace {

constexpr int64_t kLargeTable = 256;  // rows
constexpr double kFloat = 3e-5;       // of the largest output: f32 against double, over long rows
constexpr double kFlipped = 6e-3;     // where what the kernel itself rounds to int8 may round the other way

// Zeroed pages that are only there once they are touched: a large weight costs what its tiles cost.
class Pages {
 public:
  explicit Pages(int64_t bytes) : bytes_(static_cast<size_t>(bytes + kReadPastEnd)) {
    void* p =
        ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) throw Error("no memory to try a kernel: " + std::to_string(bytes_) + " bytes");
    data_ = static_cast<std::byte*>(p);
  }
  Pages(Pages&& o) noexcept : data_(std::exchange(o.data_, nullptr)), bytes_(o.bytes_) {}
  Pages& operator=(Pages&&) = delete;
  ~Pages() {
    if (data_) ::munmap(data_, bytes_);
  }
  std::byte* data() const { return data_; }

 private:
  std::byte* data_ = nullptr;
  size_t bytes_;
};

bool appended_to(const Graph& g, ValueId v) {
  return std::any_of(g.value(v).uses.begin(), g.value(v).uses.end(), [&](const Use& u) {
    const std::vector<Update> all = updates_of(g.op(u.op));
    return std::any_of(all.begin(), all.end(), [&](const Update& x) { return x.operand == u.operand; });
  });
}

std::vector<int64_t> concrete(const Type& t, int64_t tokens) {
  std::vector<int64_t> dims = t.dims;
  for (int64_t& d : dims) d = d < 0 ? tokens : d;
  return dims;
}

int64_t ring(const PlanCache& c) { return c.capacity; }

}  // namespace

struct KernelRun::Memory {
  std::vector<Pages> operands;
  std::vector<void*> addresses;
};

KernelRun::~KernelRun() = default;

KernelRun::KernelRun(const KernelSpec& spec, int64_t tokens, bool all)
    : spec_(spec), tokens_(tokens), memory_(std::make_unique<Memory>()) {
  find_positions();
  portions_ = find_family(spec.family).portions(spec, all);
  find_ids();
  make_inputs(all);
}

// Far enough into the caches that windows have moved on and rings have wrapped, or that there are several
// chunks.
void KernelRun::find_positions() {
  constexpr int64_t kSome = 200;
  past_ = kSome;
  for (const KernelOperand& o : spec_.operands) {
    if (o.space == Space::kv && ring(o.cache) < 8 * kSome) past_ = std::max(past_, ring(o.cache) + 9);
  }
  const Graph& g = spec_.body;
  for (OpId id : g.ops()) {
    const Op& op = g.op(id);
    // Attention without a window ends with the cache, learned positions with their table.
    if (op.def->shape == OpShape::attention && attr_int(op, "window") == 0)
      past_ = std::min(past_, g.type(op.operands[1]).dims[0] - tokens_);
    if (op.def->name == "attention_split")
      past_ = std::min(past_, attr_int(op, "chunks") * attr_int(op, "chunk") - tokens_);
    if (op.def->name == "attention_merge")
      past_ = std::min(past_, g.type(op.operands[0]).dims[2] * attr_int(op, "chunk") - tokens_);
    if (op.def->name == "embedding") past_ = std::min(past_, g.type(op.operands[1]).dims[0] - tokens_);
  }
  past_ = std::max<int64_t>(past_, 0);
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
      Type few = p.body.type(*table);
      few.dims[0] = static_cast<int64_t>(some.size());
      p.body.set_type(*table, few);
    }
    if (!looked_up_.empty()) p.body.reinfer();
  }
}

void KernelRun::make_inputs(bool) {
  const Graph& g = spec_.body;
  std::vector<std::vector<Type>> types(spec_.operands.size());
  const std::vector<ValueId> inputs = g.inputs();
  for (size_t i = 0; i < inputs.size(); ++i)
    types[static_cast<size_t>(spec_.inputs[i])].push_back(g.type(inputs[i]));
  for (size_t i = 0; i < g.outputs().size(); ++i)
    types[static_cast<size_t>(spec_.outputs[i])].push_back(g.type(g.outputs()[i]));
  for (size_t o = 0; o < spec_.operands.size(); ++o) {
    const KernelOperand& operand = spec_.operands[o];
    const int64_t bytes = operand.space == Space::weight ? packed_bytes(operand.layout, types[o].at(0))
                          : operand.space == Space::kv   ? CacheLayout(operand.cache).bytes
                                                         : operand.stride * tokens_;
    memory_->operands.emplace_back(bytes);
    memory_->addresses.push_back(memory_->operands.back().data());
    // What is not written is no number.
    if (operand.space == Space::arena || operand.space == Space::output)
      std::memset(memory_->operands.back().data(), 0xff, static_cast<size_t>(bytes));
  }
  tensors_.resize(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto o = static_cast<size_t>(spec_.inputs[i]);
    const KernelOperand& operand = spec_.operands[o];
    if (operand.space == Space::weight) continue;
    tensors_[i] = activation(i);
    if (operand.space == Space::kv) {
      write_cache(operand.cache, tensors_[i], memory_->operands[o].data());
    } else {
      store_activation(i, memory_->operands[o].data());
    }
  }
  for (const Portion& p : portions_) {
    for (const PortionInput& in : p.inputs) {
      if (spec_.operands[static_cast<size_t>(spec_.inputs[in.input])].space != Space::weight) continue;
      const Matrix all = matrix(g.type(inputs[in.input]));
      const Type& type = g.type(inputs[in.input]);
      const int64_t matrices = type.rank() == 3 ? type.dims[0] : 1;
      const bool vector = type.rank() <= 1;
      for (int64_t m = 0; m < matrices; ++m) {
        if (in.part == PortionInput::Part::rows && !vector) {
          for (const Range& r : in.ranges) store_rows(in.input, m, r);
        } else {
          store_rows(in.input, m, {0, all.rows / matrices});
        }
      }
    }
  }
}

Tensor KernelRun::activation(size_t input) const {
  const Graph& g = spec_.body;
  const ValueId v = g.inputs()[input];
  const Type& type = g.type(v);
  const KernelOperand& operand = spec_.operands[static_cast<size_t>(spec_.inputs[input])];
  const uint64_t key = 77 + input;
  if (operand.space == Space::kv) {
    Tensor kv =
        make_tensor(type.dtype, {past_ + (appended_to(g, v) ? 0 : tokens_), 2, type.dims[1], type.dims[2]});
    for (size_t i = 0; i < kv.data.size(); ++i) kv.data[i] = std::round(seeded(key, i) * 64) / 64;
    return kv;
  }
  Tensor t = make_tensor(type.dtype, concrete(type, tokens_));
  if (type.dtype == DType::i32) {
    // Positions, rows of this step, or ids below the smallest table that they look up in.
    int64_t below = INT32_MAX;
    bool position = false;
    bool row = false;
    for (const Use& u : g.value(v).uses) {
      const Op& op = g.op(u.op);
      const std::string& name =
          op.def->operands[std::min<size_t>(u.operand, op.def->operands.size() - 1)].name;
      position |= name == "pos";
      row |= name == "rows";
      // The table of linear_experts is its stack of weights, that of embedding its rows.
      // Lengths on both sides of where the rope factors change.
      if (name == "length" && rope_border(op.attrs) > 0) below = std::min(below, 2 * rope_border(op.attrs));
      if (name == "ids") below = std::min(below, g.type(op.operands[1]).dims[0]);
    }
    const int64_t places = t.last();
    for (size_t i = 0; i < t.data.size(); ++i) {
      const auto n = static_cast<int64_t>(i);
      // The places of a token name different experts.
      const int64_t first = seeded_below(key, static_cast<uint64_t>(n / places), below);
      const int64_t id = type.rank() > 1 ? (first + n % places) % below : seeded_below(key, i, below);
      t.data[i] = static_cast<double>(position ? past_ + n : row ? n : id);
      if (const auto it = looked_up_.find(input); it != looked_up_.end())
        t.data[i] = static_cast<double>(n % static_cast<int64_t>(it->second.size()));
    }
    return t;
  }
  for (size_t i = 0; i < t.data.size(); ++i)
    t.data[i] = static_cast<double>(static_cast<float>(2 * seeded(key, i)));
  if (is_quantised(type.dtype)) {
    const BlockFormat& format = block_format(type.dtype);
    for (int64_t r = 0; r < t.rows(); ++r) {
      std::vector<float> numbers(t.row(r), t.row(r) + t.last());
      if (r == 0) {  // both ends of the integers
        for (size_t i = 0; i < numbers.size(); ++i)
          numbers[i] = i % 3 == 0 ? -1.5F : i % 3 == 1 ? 1.5F : 0.01F;
      }
      std::vector<std::byte> blocks(static_cast<size_t>(format.row_bytes(t.last())));
      encode_row(format, numbers.data(), t.last(), blocks.data());
      decode_row(format, blocks.data(), t.last(), numbers.data());
      std::copy(numbers.begin(), numbers.end(), t.row(r));
    }
  }
  return t;
}

void KernelRun::store_activation(size_t input, std::byte* memory) const {
  const Tensor& t = tensors_[input];
  const KernelOperand& o = spec_.operands[static_cast<size_t>(spec_.inputs[input])];
  const int64_t rows = t.rows() / std::max<int64_t>(tokens_, 1);  // sub-rows of a token
  const int64_t columns = t.last();
  for (int64_t r = 0; r < t.rows(); ++r) {
    const double* from = t.row(r);
    // A tensor of rank 1 holds a number for each token.
    if (t.dims.size() == 1) {
      for (int64_t i = 0; i < columns; ++i) {
        int64_t id = static_cast<int64_t>(from[i]);
        if (const auto it = looked_up_.find(input); it != looked_up_.end())
          id = it->second[static_cast<size_t>(id)];
        const auto number = static_cast<int32_t>(id);
        const auto real = static_cast<float>(from[i]);
        std::memcpy(memory + i * o.stride, o.layout == "i32" ? static_cast<const void*>(&number) : &real, 4);
      }
      continue;
    }
    std::byte* token = memory + r / rows * o.stride;
    if (o.layout == "q8_0") {
      const int64_t padded = (columns + kQ8Block - 1) / kQ8Block * kQ8Block;
      std::byte* row = token + r % rows * quantised_bytes(columns);
      const BlockFormat& format = block_format(DType::q8_0);
      std::vector<float> numbers(from, from + columns);
      std::vector<std::byte> blocks(static_cast<size_t>(format.row_bytes(columns)));
      encode_row(format, numbers.data(), columns, blocks.data());
      for (int64_t b = 0; b < padded / kQ8Block; ++b) {
        uint16_t half;
        std::memcpy(&half, blocks.data() + b * format.bytes, 2);
        const float scale = f16_to_f32(half);
        int32_t sum = 0;
        for (int64_t i = 0; i < kQ8Block; ++i) {
          const std::byte q = blocks[static_cast<size_t>(b * format.bytes + 2 + i)];
          row[b * kQ8Block + i] = q;
          sum += static_cast<int8_t>(q);
        }
        std::memcpy(row + padded + b * 4, &scale, 4);
        std::memcpy(row + padded + padded / 8 + b * 4, &sum, 4);
      }
      continue;
    }
    for (int64_t i = 0; i < columns; ++i) {
      const auto real = static_cast<float>(from[i]);
      const auto number = static_cast<int32_t>(from[i]);
      std::memcpy(token + (r % rows * columns + i) * 4,
                  o.layout == "i32" ? static_cast<const void*>(&number) : &real, 4);
    }
  }
}

// Rows of a weight as they are packed: whole groups, which other ranges may share.
void KernelRun::store_rows(size_t input, int64_t m, const Range& range) {
  const auto o = static_cast<size_t>(spec_.inputs[input]);
  const Type& type = spec_.body.type(spec_.body.inputs()[input]);
  const std::string& name = spec_.operands[o].layout;
  const int64_t matrices = type.rank() == 3 ? type.dims[0] : 1;
  const Matrix all = matrix(type);
  const int64_t rows = all.rows / matrices;
  std::byte* memory = memory_->operands[o].data();
  const WeightLayout* layout = find_weight_layout(name);
  if (!layout) {  // row-major
    const int64_t element = name == "f32" ? 4 : 2;
    for (int64_t r = range.first; r < range.first + range.count; ++r) {
      const WeightRow row = weight_row(type.dtype, all.cols, input, m * rows + r);
      for (int64_t c = 0; c < all.cols; ++c) {
        const float x = row.numbers[static_cast<size_t>(c)];
        const uint16_t half = name == "f16" ? f32_to_f16(x) : f32_to_bf16(x);
        std::memcpy(memory + ((m * rows + r) * all.cols + c) * element,
                    element == 4 ? static_cast<const void*>(&x) : &half, static_cast<size_t>(element));
      }
    }
    return;
  }
  const int64_t group_bytes = layout->group_bytes(all.cols);
  const int64_t size = layout->group_rows();
  const int64_t groups = (rows + size - 1) / size;
  for (int64_t group = range.first / size; group * size < range.first + range.count; ++group) {
    std::vector<std::byte> stored;
    const int64_t count = std::min(size, rows - group * size);
    for (int64_t r = 0; r < count; ++r) {
      const WeightRow row = weight_row(type.dtype, all.cols, input, m * rows + group * size + r);
      stored.insert(stored.end(), row.stored.begin(), row.stored.end());
    }
    layout->pack_group(stored.data(), count, all.cols, memory + (m * groups + group) * group_bytes);
  }
}

Tensor KernelRun::weight_part(size_t input, const PortionInput& part) const {
  const Type& type = spec_.body.type(spec_.body.inputs()[input]);
  const Matrix all = matrix(type);
  const int64_t matrices = type.rank() == 3 ? type.dims[0] : 1;
  const int64_t rows = all.rows / matrices;
  std::vector<Range> ranges = part.ranges;
  if (part.part != PortionInput::Part::rows) ranges = {{0, rows}};
  Tensor out{type.dtype, type.dims, {}};
  if (type.rank() >= 2) {
    int64_t count = 0;
    for (const Range& r : ranges) count += r.count;
    out.dims[out.dims.size() - 2] = count;
  }
  for (int64_t m = 0; m < matrices; ++m) {
    for (const Range& range : ranges) {
      for (int64_t r = range.first; r < range.first + range.count; ++r) {
        const WeightRow row = weight_row(type.dtype, all.cols, input, m * rows + r);
        out.data.insert(out.data.end(), row.numbers.begin(), row.numbers.end());
      }
    }
  }
  return out;
}

// What the evaluator gets for one input of a portion.
Tensor KernelRun::part_of(const PortionInput& part) const {
  const bool weight = spec_.operands[static_cast<size_t>(spec_.inputs[part.input])].space == Space::weight;
  Tensor t = weight ? weight_part(part.input, part) : tensors_[part.input];
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

std::optional<Difference> KernelRun::compare(KernelFn kernel) {
  const KernelMemory needs = find_family(spec_.family).memory(spec_);
  const int64_t kept = (needs.kept + 63) / 64 * 64;
  const Pages scratch(kept + needs.scratch + kReadPastEnd);
  StepInfo step{};
  step.tokens = tokens_;
  step.rows = tokens_;
  step.serial = 1;
  // The operands say where the caches are: they lie in no sequence's memory.
  const std::vector<std::byte*> caches(static_cast<size_t>(tokens_), nullptr);
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
  if (type.dtype == DType::q8_0) allowed = (rounds ? 2.1 : 1.05) * largest / 127;
  if (type.dtype == DType::kv_f16) allowed = std::max(allowed, largest * 0x1p-10);
  if (type.dtype == DType::i32) allowed = 0;
  const auto differs = [&](double got, double expected) {
    if (std::isnan(got) && std::isnan(expected)) return false;
    return !(std::fabs(got - expected) <= allowed);
  };
  if (operand.space == Space::kv) {
    const int64_t heads = type.dims[1];
    const int64_t dim = type.dims[2];
    for (int64_t t = 0; t < tokens_; ++t) {
      for (int64_t i = 0; i < 2 * heads * dim; ++i) {
        const double got =
            read_cache(operand.cache, memory, past_ + t, i / (heads * dim), i / dim % heads, i % dim);
        const double expected = want.data[static_cast<size_t>((past_ + t) * 2 * heads * dim + i)];
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

double KernelRun::number_at(const KernelOperand& o, const std::byte* memory, const Type& type, int64_t row,
                            int64_t element) const {
  int64_t sub_rows = 1;
  for (size_t i = 1; i + 1 < type.dims.size(); ++i) sub_rows *= type.dims[i];
  const std::byte* token = memory + row / sub_rows * o.stride;
  if (type.dtype == DType::q8_0) {
    const int64_t padded = (type.last() + kQ8Block - 1) / kQ8Block * kQ8Block;
    const std::byte* start = token + row % sub_rows * quantised_bytes(type.last());
    float scale;
    std::memcpy(&scale, start + padded + element / kQ8Block * 4, 4);
    return static_cast<double>(scale) * static_cast<int8_t>(start[element]);
  }
  const std::byte* at = token + (row % sub_rows * type.last() + element) * 4;
  if (type.dtype == DType::i32) {
    int32_t number;
    std::memcpy(&number, at, 4);
    return number;
  }
  float number;
  std::memcpy(&number, at, 4);
  return static_cast<double>(number);
}

}  // namespace lmc::proof
