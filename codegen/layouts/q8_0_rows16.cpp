// q8_0.rows16 and q8_0.unsigned16: a run is a vector of 512 bits.
#include "codegen/layouts/q8_0.h"

namespace lmc::layouts::q8_0_rows16 {
namespace {

const Q8Blocks kRows16(16, WeightLayout::Kind::usual);
const Q8Blocks kUnsigned16(16, WeightLayout::Kind::of_unsigned);
const RegisterWeightLayout kLayouts[] = {RegisterWeightLayout(kRows16), RegisterWeightLayout(kUnsigned16)};

}  // namespace
}  // namespace lmc::layouts::q8_0_rows16
