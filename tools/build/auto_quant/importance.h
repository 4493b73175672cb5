// How much each input of a projection matters, the mean of its squares over a text, and how inputs go
// together, the means of products of two. A weight's rounding error is multiplied by its input, so least
// squares that count by it come nearer to what the projection gives (as llama.cpp's importance matrices do),
// and errors whose inputs go together can make up for each other (ir/error_feedback.h).
#pragma once

#include <string>

#include "models/load/model.h"
#include "passes/engine/manager.h"
#include "tools/build/auto_quant/calibration.h"
#include "tools/build/auto_quant/input_importance.h"
#include "tools/pipeline/model_flags.h"

namespace lmc {

inline constexpr TextPieces kImportanceText{.pieces = 8, .tokens = 256};

// What the model without quantisation feeds its projections while it reads these. The same numbers on every
// machine, for any number of threads. Error where there is not enough memory.
InputImportance measure_importance(const Model& model, ModelFlags flags, PassOptions passes,
                                   const std::string& target, int threads, const Sequences& sequences);

}  // namespace lmc
