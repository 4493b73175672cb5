#include "tools/build/auto_quant/budget.h"

#include <charconv>
#include <cmath>

#include "ir/block_format.h"

namespace lmc {
namespace {

std::optional<double> number(const std::string& text) {
  double out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || !(out >= 0) || std::isinf(out))
    return std::nullopt;
  return out;
}

}  // namespace

std::optional<QuantBudget> quant_budget(const std::string& text) {
  const std::string key = text.substr(0, text.find('='));
  if (key.size() == text.size()) return std::nullopt;
  const std::string value = text.substr(key.size() + 1);
  if (key == "size") {
    const auto format = dtype_from_name(value);
    if (!format || !is_quantised(*format) || !is_weight_format(*format)) return std::nullopt;
    return ByteBudget{*format, text};
  }
  const auto n = number(value);
  if (n && key == "kl") return DivergenceBudget{*n};
  if (n && key == "bits") return ByteBudget{*n, text};
  return std::nullopt;
}

}  // namespace lmc
