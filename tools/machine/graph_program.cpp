#include "tools/machine/graph_program.h"

#include <fmt/format.h>

#include <cmath>

#include "ir/text.h"
#include "passes/engine/lowering.h"
#include "tools/system/cache_folder.h"

namespace lmc {
namespace {

// Uniform numbers that keep the size of what a projection is applied to: neither infinities nor denormals,
// which cost other times, come out of a long chain.
class MadeUpWeights : public WeightSource {
 public:
  explicit MadeUpWeights(Graph g) : g_(std::move(g)) {}
  std::optional<Type> type(const std::string& name) const override { return g_.type(g_.find_weight(name)); }
  void read(const std::string& name, int64_t first, std::span<float> out) const override {
    const float scale = std::sqrt(3.0F / static_cast<float>(g_.type(g_.find_weight(name)).last()));
    auto at = static_cast<uint64_t>(first) + std::hash<std::string>()(name) % 1000003;
    for (float& v : out) {
      uint64_t bits = ++at * 0x9E3779B97F4A7C15U;
      bits ^= bits >> 32;
      v = (static_cast<float>(bits & 0xFFFF) / 32767.5F - 1.0F) * scale;
    }
  }

 private:
  Graph g_;
};

MemoryProgram made_up(const std::string& text, int64_t context, int threads, const std::string& target) {
  Graph g = parse_graph(text, "benchmark");
  CodegenOptions options;
  options.context = context;
  options.cache_folder = cache_folder();
  const MadeUpWeights weights(g.clone());
  return {emit(lower(std::move(g), {64, target}), options), weights, {.threads = threads}};
}

}  // namespace

GraphProgram::GraphProgram(const std::string& text, int64_t context, int threads, const std::string& target)
    : program_(made_up(text, context, threads, target)) {
  session().warm_up();
}

double GraphProgram::weight_bytes() const {
  double bytes = 0;
  for (const PlanStage& s : plan().decode.stages) bytes += s.work.weight_bytes;
  return bytes;
}

std::string step_text(int64_t in, const std::string& weights, const std::string& body,
                      const std::string& inputs) {
  return fmt::format(
      "graph @g (%tokens: i32[T], %pos: i32[T], %out_rows: i32[R]{}) {{\n  weight @embed : f32[16,{}]\n{}"
      "  %x = embedding(%tokens, @embed)\n{}  %r = select_rows(%y, %out_rows)\n"
      "  %logits = scale(%r) {{by=1.5}}\n  return %logits\n}}\n",
      inputs, in, weights, body);
}

std::string linear_chain(int64_t in, int64_t out, int64_t pairs, LinearFormat format) {
  std::string weights;
  std::string body;
  std::string x = "%x";
  for (int64_t i = 0; i < 2 * pairs; ++i) {
    weights += fmt::format("  weight @w{} : f32[{},{}]\n", i, i % 2 == 0 ? out : in, i % 2 == 0 ? in : out);
    const std::string y = i + 1 == 2 * pairs ? "%y" : fmt::format("%y{}", i);
    body += format == LinearFormat::f32
                ? fmt::format("  {0} = linear({1}, @w{2})\n", y, x, i)
                : fmt::format(
                      "  %q{2} = quantize({1})\n  %p{2} = quantize(@w{2})\n  {0} = linear(%q{2}, %p{2})\n", y,
                      x, i);
    x = y;
  }
  return step_text(in, weights, body);
}

}  // namespace lmc
