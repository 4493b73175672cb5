// --quant auto within a budget of bytes: for each projection the format that loses least of the predictions.
#pragma once

#include <functional>
#include <string>

#include "tools/build/auto_quant/budget.h"
#include "tools/build/auto_quant/calibration.h"
#include "tools/build/auto_quant/trials.h"

namespace lmc {

// Rules for `--quant`. `sequences`: what a session of the model without quantisation predicts. Error if no
// formats are short enough.
std::string choose_within_bytes(Trials& trials, const ByteBudget& budget,
                                const std::function<Sequences(Session&)>& sequences);

}  // namespace lmc
