#include "tools/build/bundle_contents.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "ir/cache_layout.h"
#include "tools/cli/console.h"
#include "tools/cli/natural_order.h"

namespace lmc {
namespace {

std::vector<const PlanWeight*> sorted_weights(const Bundle& b) {
  std::vector<const PlanWeight*> out;
  for (const PlanWeight& w : b.plan.weights) out.push_back(&w);
  std::sort(out.begin(), out.end(),
            [](const PlanWeight* x, const PlanWeight* y) { return natural_less(x->name, y->name); });
  return out;
}

struct FormatSum {
  int64_t weights = 0, elements = 0, bytes = 0;
};

std::map<std::string, FormatSum> by_format(const Bundle& b) {
  std::map<std::string, FormatSum> out;
  for (const PlanWeight& w : b.plan.weights) {
    FormatSum& s = out[dtype_name(w.type.dtype)];
    ++s.weights;
    s.elements += w.type.elements();
    s.bytes += w.bytes;
  }
  return out;
}

int64_t cache_bytes(const Bundle& b) {
  int64_t out = 0;
  for (const PlanCache& c : b.plan.caches) out += c.bytes;
  return out;
}

std::string text_of_bytes(int64_t n) { return human_bytes(static_cast<double>(n)); }

bool has_template(const Bundle& b) { return std::filesystem::exists(b.file("chat_template.jinja")); }

}  // namespace

void print_bundle(const Bundle& b, const std::string& maker) {
  fmt::print("{}: {} from {}, target {}, context {}, vocabulary {}, {}\n", b.path, b.info.model,
             b.info.source, b.plan.target, b.plan.context, b.plan.vocab,
             b.has_tokenizer() ? "with tokenizer" : "no tokenizer");
  for (const PlanWeight* w : sorted_weights(b))
    fmt::print("  {:<56} {:<24} {:<11} {}\n", w->name, w->type.str(), w->layout, text_of_bytes(w->bytes));
  for (const PlanCache& c : b.plan.caches) {
    fmt::print("  {:<56} {:<24} ring of {:<5} {}\n", c.name, cache_type(c).str(), c.capacity,
               text_of_bytes(c.bytes));
  }
  int64_t weights = 0;
  for (const auto& [format, s] : by_format(b)) {
    fmt::print("{}: {} weights, {:.2f} M numbers, {}\n", format, s.weights,
               static_cast<double>(s.elements) / 1e6, text_of_bytes(s.bytes));
    weights += s.bytes;
  }
  fmt::print("{} layers, {:.2f} M parameters, {} of weights, KV cache {} at most, {}\n", b.info.layers,
             static_cast<double>(b.info.parameters) / 1e6, text_of_bytes(weights),
             text_of_bytes(cache_bytes(b)), has_template(b) ? "with chat template" : "no chat template");
  if (!b.info.adapters.empty()) fmt::print("adapters: {}\n", fmt::join(b.info.adapters, ", "));
  fmt::print("{} stages per token, {} tokens at most per prefill step\n", b.plan.decode.stages.size(),
             b.plan.prefill.max_tokens);
  fmt::print("a bundle is a program: running it runs the machine code of its maker, {}\n", maker);
}

void print_bundle_json(const Bundle& b, bool is_signed, bool verified) {
  using nlohmann::ordered_json;
  ordered_json out = {{"file", b.path},
                      {"format", "lmc bundle"},
                      {"model", b.info.model},
                      {"source", b.info.source},
                      {"adapters", b.info.adapters},
                      {"target", b.plan.target},
                      {"ranks", b.plan.ranks},
                      {"layers", b.info.layers},
                      {"parameters", b.info.parameters},
                      {"vocabulary", b.plan.vocab},
                      {"context", b.plan.context},
                      {"block", b.plan.prefill.max_tokens},
                      {"stages", b.plan.decode.stages.size()},
                      {"tokenizer", b.has_tokenizer()},
                      {"chat_template", has_template(b)},
                      {"sampling", b.info.sampling},
                      {"bos_ids", b.info.bos_ids},
                      {"eos_ids", b.info.eos_ids},
                      {"signed", is_signed},
                      {"kv_cache_bytes", cache_bytes(b)},
                      {"formats", ordered_json::object()},
                      {"weights", ordered_json::array()},
                      {"caches", ordered_json::array()}};
  if (verified) out["verified"] = true;
  for (const auto& [format, s] : by_format(b))
    out["formats"][format] = {{"weights", s.weights}, {"elements", s.elements}, {"bytes", s.bytes}};
  for (const PlanWeight* w : sorted_weights(b)) {
    out["weights"].push_back({{"name", w->name},
                              {"dtype", dtype_name(w->type.dtype)},
                              {"shape", w->type.dims},
                              {"layout", w->layout},
                              {"bytes", w->bytes}});
  }
  for (const PlanCache& c : b.plan.caches) {
    out["caches"].push_back({{"name", c.name},
                             {"dtype", dtype_name(c.dtype)},
                             {"positions", c.span},
                             {"capacity", c.capacity},
                             {"heads", c.kv_heads},
                             {"key_dim", c.key_dim},
                             {"value_dim", c.value_dim},
                             {"bytes", c.bytes}});
  }
  fmt::print("{}\n", out.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

}  // namespace lmc
