#include "models/load/lora.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "ir/error.h"
#include "models/load/lora_adapter.h"

namespace lmc {
namespace {

class AdaptedWeights : public WeightSource {
 public:
  explicit AdaptedWeights(std::unique_ptr<WeightSource> base) : base_(std::move(base)) {}

  void add(const std::string& name, LowRank change) { changes_[name].push_back(std::move(change)); }

  std::optional<Type> type(const std::string& name) const override { return base_->type(name); }

  void read(const std::string& name, int64_t first, std::span<float> out) const override {
    base_->read(name, first, out);
    for (const LowRank* c : changes_of(name)) {
      add_rows(
          out, first, c->cols, [c](int64_t row, int64_t k) { return c->left[at(row, c->rank, k)]; },
          [c](int64_t k, int64_t col) { return c->right[at(k, c->cols, col)]; }, c->rank);
    }
  }

  bool read_transposed(const std::string& name, int64_t first, std::span<float> out) const override {
    if (!base_->read_transposed(name, first, out)) return false;
    for (const LowRank* c : changes_of(name)) {
      add_rows(
          out, first, c->rows, [c](int64_t row, int64_t k) { return c->right[at(k, c->cols, row)]; },
          [c](int64_t k, int64_t col) { return c->left[at(col, c->rank, k)]; }, c->rank);
    }
    return true;
  }

  // What is stored is not what is read any more.
  std::optional<StoredFormat> stored_format(const std::string& name) const override {
    return changes_.contains(name) ? std::nullopt : base_->stored_format(name);
  }

  bool read_blocks(const std::string& name, bool transposed, DType format, int64_t first, int64_t rows,
                   std::span<std::byte> out) const override {
    return !changes_.contains(name) && base_->read_blocks(name, transposed, format, first, rows, out);
  }

 private:
  static size_t at(int64_t row, int64_t cols, int64_t col) { return static_cast<size_t>(row * cols + col); }

  std::vector<const LowRank*> changes_of(const std::string& name) const {
    std::vector<const LowRank*> out;
    const auto it = changes_.find(name);
    if (it == changes_.end()) return out;
    for (const LowRank& c : it->second) out.push_back(&c);
    return out;
  }

  // Elements [first, first + out.size()) of left · right, whose rows have `cols` elements.
  template <class Left, class Right>
  static void add_rows(std::span<float> out, int64_t first, int64_t cols, const Left& left,
                       const Right& right, int64_t rank) {
    for (size_t done = 0; done < out.size();) {
      const int64_t index = first + static_cast<int64_t>(done), row = index / cols, begin = index % cols;
      const int64_t n = std::min(cols - begin, static_cast<int64_t>(out.size() - done));
      float* const to = out.data() + done;
      for (int64_t k = 0; k < rank; ++k) {
        const float l = left(row, k);
        for (int64_t i = 0; i < n; ++i) to[i] += l * right(k, begin + i);
      }
      done += static_cast<size_t>(n);
    }
  }

  std::unique_ptr<WeightSource> base_;
  std::map<std::string, std::vector<LowRank>> changes_;
};

bool is_end_of(const std::string& end, const std::string& name) {
  return name.size() > end.size() && name.ends_with(end) && name[name.size() - end.size() - 1] == '.';
}

// What the checkpoint calls it: one may have a prefix that the other lacks ("transformer.h.0…", "h.0…").
std::string checkpoint_name(const Model& m, const std::string& weight, const LoraAdapter& adapter) {
  if (m.tensor_names.contains(weight)) return weight;
  std::string found;
  for (const auto& [name, local] : m.tensor_names) {
    if (!is_end_of(weight, name) && !is_end_of(name, weight)) continue;
    if (found.empty() || name.size() > found.size()) found = name;
  }
  if (found.empty())
    throw Error(adapter.file() + ": tensor '" + adapter.tensor_of(weight) + "' changes '" + weight +
                "', which this model does not have");
  return found;
}

void check_shape(const Type& type, const LowRank& change, const LoraAdapter& adapter,
                 const std::string& weight, const std::string& name) {
  if (type.dims == std::vector<int64_t>{change.rows, change.cols}) return;
  throw Error(adapter.file() + ": tensor '" + adapter.tensor_of(weight) + "' changes a matrix of [" +
              std::to_string(change.rows) + "," + std::to_string(change.cols) + "], but '" + name + "' is " +
              type.str() + "; is fan_in_fan_out of adapter_config.json right?");
}

std::string scale_text(double scale) {
  char text[32];
  const auto [end, ec] = std::to_chars(text, text + sizeof text, scale);
  return {text, end};
}

}  // namespace

LoraOption parse_lora(const std::string& text) {
  LoraOption out{text, 1};
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) return out;
  const char* const end = text.data() + text.size();
  double scale = 0;
  const auto [stop, error] = std::from_chars(text.data() + equals + 1, end, scale);
  if (error != std::errc() || stop != end) return out;  // a folder's name, then
  if (!std::isfinite(scale)) throw Error("the scale of an adapter must be a finite number, found " + text);
  return {text.substr(0, equals), scale};
}

void merge_adapters(const std::vector<std::string>& adapters, Model& m) {
  if (adapters.empty()) return;
  if (!m.weights) throw Error(m.source + ": brings no weights that an adapter could change");
  auto weights = std::make_unique<AdaptedWeights>(std::move(m.weights));
  for (const std::string& text : adapters) {
    const LoraOption option = parse_lora(text);
    const LoraAdapter adapter(option.path);
    for (const auto& [weight, change] : adapter.changes()) {
      const std::string name = checkpoint_name(m, weight, adapter);
      const std::optional<Type> type = weights->type(name);
      if (!type) throw Error(adapter.file() + ": '" + name + "' has no weights to change");
      check_shape(*type, change, adapter, weight, name);
      LowRank scaled = change;
      for (float& x : scaled.left) x = static_cast<float>(x * option.scale);
      weights->add(name, std::move(scaled));
    }
    m.adapters.push_back(option.path + "=" + scale_text(option.scale));
    m.source += " with " + option.path + (option.scale == 1 ? "" : " times " + scale_text(option.scale));
  }
  m.weights = std::move(weights);
}

}  // namespace lmc
