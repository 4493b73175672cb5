#include "tools/build/checkpoint_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <vector>

#include "models/checkpoint/hf_folder.h"
#include "models/checkpoint/path_kind.h"
#include "models/checkpoint/safetensors.h"
#include "models/gguf/gguf.h"
#include "tools/build/model_estimate.h"
#include "tools/cli/console.h"
#include "tools/cli/natural_order.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

struct TensorLine {
  std::string name, format;
  std::vector<int64_t> shape;
  int64_t bytes = 0;

  int64_t elements() const {
    return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  }
};

struct ModelLine {
  std::string family;
  int64_t layers = 0, vocab = 0;
  int64_t parameters = 0, untied = 0;  // tied ones once, and each time
  MemoryEstimate memory;
};

struct Report {
  std::string kind;  // "GGUF 3"
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<TensorLine> tensors;
  std::optional<ModelLine> model;
  std::string no_model;  // why there is none
};

constexpr size_t kMaxText = 60;

// One line for a value of any length.
std::string short_text(const GgufValue& v) {
  if (v.type == GgufType::array) return fmt::format("[{} values]", v.count);
  if (const auto i = v.integer()) return std::to_string(*i);
  if (const auto r = v.real()) return fmt::format("{}", *r);
  const auto text = v.text().value_or("");
  std::string out;
  for (const char c : text.substr(0, kMaxText)) out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return text.size() > kMaxText ? out + "…" : out;
}

Report read_gguf(const std::string& path) {
  const GgufFile file(path);
  Report r{fmt::format("GGUF {}", file.version()), {}, {}, {}, {}};
  if (file.parts() > 1) r.kind += fmt::format(" in {} files", file.parts());
  for (const auto& [key, value] : file.metadata()) r.metadata.emplace_back(key, short_text(value));
  for (const auto& [name, t] : file.tensors()) r.tensors.push_back({name, t.format->name, t.shape, t.bytes});
  return r;
}

Report read_safetensors(const std::string& path) {
  const SafetensorsFile file(path);
  Report r{"safetensors", {}, {}, {}, "a safetensors file by itself does not say which model it is"};
  for (const auto& [name, t] : file.tensors()) r.tensors.push_back({name, t.dtype, t.shape, t.bytes});
  return r;
}

Report read_folder(const std::string& path) {
  const HfFolder folder(path);
  Report r{"Hugging Face folder", {}, {}, {}, {}};
  for (const std::string& name : folder.names()) {
    const auto& t = folder.stored(name);
    r.tensors.push_back({name, t.dtype, t.shape, t.bytes});
  }
  return r;
}

// Whatever the file holds is shown, also where no model file fits it.
void add_model(const std::string& path, int64_t context, Report& r) {
  if (!r.no_model.empty()) return;
  try {
    ModelOptions options;
    options.context = context;
    Model m = load_model(path, options);
    r.model = {m.family, m.layers, m.vocab, m.parameters, untied_parameters(m.graph), {}};
    r.model->memory = estimate_memory(m);
  } catch (const Error& e) {
    if (r.tensors.empty() || context > 0) throw;
    r.no_model = e.what();
  }
}

struct Sum {
  int64_t tensors = 0, elements = 0, bytes = 0;
  void add(const TensorLine& t) {
    ++tensors;
    elements += t.elements();
    bytes += t.bytes;
  }
};

std::string bytes_text(int64_t n) { return human_bytes(static_cast<double>(n)); }
std::string millions(int64_t n) { return fmt::format("{:.2f} M parameters", static_cast<double>(n) / 1e6); }

void print_model(const ModelLine& m) {
  fmt::print("{}: {} layers, vocabulary {}, {}", m.family, m.layers, m.vocab, millions(m.parameters));
  if (m.untied != m.parameters) fmt::print(" ({} if the tied matrix counts twice)", millions(m.untied));
  fmt::print("\ncompiled, with {} positions: {} = {} of weights + {} of KV cache + {} of buffers\n",
             m.memory.context, bytes_text(m.memory.total()), bytes_text(m.memory.weights),
             bytes_text(m.memory.kv_cache), bytes_text(m.memory.buffers));
}

void print_text(const std::string& path, const Report& r, const Sum& all,
                const std::map<std::string, Sum>& by_format) {
  if (!r.tensors.empty()) {
    fmt::print("{}: {}, {} tensors, {}, {}\n", path, r.kind, all.tensors, millions(all.elements),
               bytes_text(all.bytes));
  }
  for (const auto& [key, value] : r.metadata) fmt::print("  {:<48} {}\n", key, value);
  for (const TensorLine& t : r.tensors)
    fmt::print("  {:<48} {:<6} [{}] {}\n", t.name, t.format, fmt::join(t.shape, ","), bytes_text(t.bytes));
  for (const auto& [format, s] : by_format)
    fmt::print("{}: {} tensors, {}, {}\n", format, s.tensors, millions(s.elements), bytes_text(s.bytes));
  if (r.model) print_model(*r.model);
  if (!r.no_model.empty()) fmt::print("no estimate of memory: {}\n", r.no_model);
}

void print_json(const std::string& path, const Report& r, const Sum& all) {
  using nlohmann::ordered_json;
  ordered_json out = {{"file", path},
                      {"format", r.kind},
                      {"parameters", all.elements},
                      {"bytes", all.bytes},
                      {"metadata", ordered_json::object()},
                      {"tensors", ordered_json::array()}};
  for (const auto& [key, value] : r.metadata) out["metadata"][key] = value;
  for (const TensorLine& t : r.tensors)
    out["tensors"].push_back({{"name", t.name}, {"dtype", t.format}, {"shape", t.shape}, {"bytes", t.bytes}});
  if (r.model) {
    const MemoryEstimate& m = r.model->memory;
    out["model"] = {{"family", r.model->family},
                    {"layers", r.model->layers},
                    {"vocabulary", r.model->vocab},
                    {"parameters", r.model->parameters},
                    {"parameters_untied", r.model->untied},
                    {"memory",
                     {{"context", m.context},
                      {"weights", m.weights},
                      {"kv_cache", m.kv_cache},
                      {"buffers", m.buffers},
                      {"total", m.total()}}}};
  }
  fmt::print("{}\n", out.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

Report read(const std::string& path) {
  switch (path_kind(path)) {
    case PathKind::safetensors:
      return read_safetensors(path);
    case PathKind::config:
      return {"config.json", {}, {}, {}, {}};
    case PathKind::gguf:
      return read_gguf(path);
    default:
      return read_folder(path);
  }
}

}  // namespace

void print_checkpoint(const std::string& path, int64_t context, bool json) {
  Report r = read(path);
  add_model(path, context, r);
  std::sort(r.tensors.begin(), r.tensors.end(),
            [](const TensorLine& a, const TensorLine& b) { return natural_less(a.name, b.name); });
  Sum all;
  std::map<std::string, Sum> by_format;
  for (const TensorLine& t : r.tensors) {
    all.add(t);
    by_format[t.format].add(t);
  }
  json ? print_json(path, r, all) : print_text(path, r, all, by_format);
}

}  // namespace lmc
