// How probable the model itself finds a token.
#pragma once

#include <cstdint>
#include <span>

#include "runtime/serving/answer_request.h"

namespace lmc {

// `id`, one of the logits, and the `top` likeliest ids, the lower first among equals. The same bits for the
// same logits everywhere: summed in double, in the order of ids.
TokenChoice choice_of(int32_t id, std::span<const float> logits, int64_t top);

}  // namespace lmc
