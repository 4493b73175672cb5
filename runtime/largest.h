// The largest of many logits.
#pragma once

#include <optional>
#include <span>

namespace lmc {

// -inf of none; nothing if there is a NaN or +inf.
std::optional<float> largest(std::span<const float> logits);

}  // namespace lmc
