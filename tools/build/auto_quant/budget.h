// What --budget says of --quant auto.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "ir/type.h"

namespace lmc {

struct DivergenceBudget {
  double kl;  // nats
};
// What the projections may take: so many bits a number, or as many as they have in one format.
struct ByteBudget {
  std::variant<double, DType> as;
  std::string text;  // as it was written
};
using QuantBudget = std::variant<DivergenceBudget, ByteBudget>;

// "kl=0.01", "bits=4.6", "size=q4_k"; nullopt for what is none of these.
std::optional<QuantBudget> quant_budget(const std::string& text);

}  // namespace lmc
