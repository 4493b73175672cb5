#include "models/load/gguf_import.h"

#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "models/language/expand.h"
#include "models/load/model_parts.h"

namespace lmc {
namespace {

constexpr int64_t kMaxMade = int64_t{1} << 20;

GgufStorage storage(const GgufTensorRule& rule, const ConfigMap& config) {
  GgufStorage how;
  how.transpose = rule.transpose;
  how.squeeze = rule.squeeze;
  how.plus = rule.plus;
  const auto positive = [&](const syntax::Expr& e, const std::string& what) {
    const int64_t n = whole(evaluate_expr(e, config), e.loc, what);
    if (n < 1) throw Error(e.loc, what + " is " + std::to_string(n));
    return n;
  };
  if (rule.times) how.times = real(evaluate_expr(*rule.times, config), rule.times->loc);
  if (!(how.times > 0 && std::isfinite(how.times)))
    throw Error(rule.times->loc, "times is " + std::to_string(how.times));
  if (rule.rope_heads) how.rope_heads = positive(*rule.rope_heads, "rope_heads");
  if (rule.row) how.row = positive(*rule.row, "row");
  for (const syntax::Expr& part : rule.parts) how.parts.push_back(positive(part, "a part"));
  return how;
}

std::optional<int64_t> made_size(const GgufMadeTensor& rule, const ConfigMap& config) {
  if (!truth(evaluate_expr(rule.when, config), rule.when.loc)) return std::nullopt;
  const int64_t size = whole(evaluate_expr(rule.size, config), rule.size.loc, "size");
  if (size < 1 || size > kMaxMade) throw Error(rule.size.loc, "size is " + std::to_string(size));
  return size;
}

// What the file holds must be what its other metadata lead to: first as many numbers, so that no more are
// made than it has. False where they lead to none.
bool check_made(const GgufMadeTensor& rule, const ConfigMap& config, const GgufFile& file) {
  const std::optional<int64_t> size = made_size(rule, config);
  if (!size) return false;
  const GgufFile::Tensor& t = file.tensors().at(rule.name);
  const std::string where = file.path() + ": tensor '" + rule.name + "' " + t.type_text();
  if (t.rows() != 1 || t.columns() != *size)
    throw Error(where + " should have " + std::to_string(*size) + " numbers (" + rule.loc.str() + ")");
  const std::vector<float> want = *gguf_made(rule, config);
  std::vector<float> got(want.size());
  file.read_row(t, 0, 0, got);
  for (size_t i = 0; i < want.size(); ++i) {
    if (!(std::fabs(got[i] - want[i]) <= 1e-4F * std::fabs(want[i]))) {
      throw Error(where + " holds " + std::to_string(got[i]) + " at " + std::to_string(i) + ", where " +
                  rule.loc.str() + " expects " + std::to_string(want[i]));
    }
  }
  return true;
}

}  // namespace

std::optional<std::vector<float>> gguf_made(const GgufMadeTensor& rule, const ConfigMap& config) {
  const std::optional<int64_t> size = made_size(rule, config);
  if (!size) return std::nullopt;
  ConfigMap values = config;
  std::vector<float> out;
  for (int64_t i = 0; i < *size; ++i) {
    values["i"] = {i};
    out.push_back(static_cast<float>(real(evaluate_expr(rule.value, values), rule.value.loc)));
  }
  return out;
}

std::vector<std::string> GgufPlace::each(const std::string& name) const {
  if (!of) return {name};
  std::vector<std::string> out;
  for (int64_t i = 0; i < *of; ++i) out.push_back(filled_in(name, "{index}", std::to_string(i)));
  return out;
}

std::vector<GgufPlace> gguf_places(const Definition& d, const ConfigMap& config) {
  const std::string prefix = d.prefixes.empty() ? "" : d.prefixes[0];
  std::vector<GgufPlace> out;
  const auto add = [&](const GgufTensorRule& rule, const std::string& layer, const std::string& block) {
    GgufPlace p{
        prefix + layer + rule.tensor, layer + rule.tensor, block + rule.name, storage(rule, config), {}, {}};
    if (!rule.apart.empty()) p.apart = block + rule.apart;
    if (rule.of) {
      p.of = whole(evaluate_expr(*rule.of, config), rule.of->loc, "of");
      if (*p.of < 1 || *p.of > kMaxStack)
        throw Error(rule.of->loc, p.stored + " is a stack of " + std::to_string(*p.of) + " tensors");
    }
    out.push_back(std::move(p));
  };
  for (const GgufTensorRule& rule : d.gguf.tensors) add(rule, "", "");
  const int64_t layers = whole(evaluate_expr(d.layers, config), d.layers.loc, "layers");
  if (layers < 1 || layers > kMaxLayers) throw Error(d.layers.loc, std::to_string(layers) + " layers");
  for (int64_t l = 0; l < layers; ++l) {
    const std::string number = std::to_string(l);
    const std::string layer = filled_in(d.layer_prefix, "{layer}", number);
    for (const GgufTensorRule& rule : d.gguf.layer_tensors) add(rule, layer, "blk." + number + ".");
  }
  return out;
}

std::unique_ptr<GgufWeights> gguf_weights(const Definition& d, const ConfigMap& config,
                                          std::shared_ptr<const GgufFile> file) {
  auto weights = std::make_unique<GgufWeights>(std::move(file));
  std::set<std::string> placed;
  for (const GgufPlace& p : gguf_places(d, config)) {
    if (!weights->file().tensors().contains(p.stored)) {
      if (p.apart.empty()) continue;
      const std::vector<std::string> names = p.each(p.tensor);
      const std::vector<std::string> stored = p.each(p.apart);
      for (size_t i = 0; i < names.size(); ++i) {
        weights->add(names[i], stored[i], p.how);
        placed.insert(stored[i]);
      }
      continue;
    }
    if (p.of) {
      weights->add_stack(p.each(p.tensor), p.stored, p.how);
    } else {
      weights->add(p.tensor, p.stored, p.how);
    }
    placed.insert(p.stored);
  }
  for (const GgufMadeTensor& rule : d.gguf.made) {
    if (weights->file().tensors().contains(rule.name) && check_made(rule, config, weights->file()))
      placed.insert(rule.name);
  }
  for (const auto& [name, t] : weights->file().tensors()) {
    const bool ignored = std::any_of(
        d.gguf.ignore.begin(), d.gguf.ignore.end(),
        [&](const std::string& pattern) { return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0; });
    if (!placed.contains(name) && !ignored && !is_of_later_layer(d, config, name, "blk.{layer}.")) {
      throw Error(weights->file().path() + ": tensor '" + name + "' " + t.type_text() + " has no place in " +
                  d.file + "; add it to its gguf: table, or to ignore: there");
    }
  }
  return weights;
}

}  // namespace lmc
