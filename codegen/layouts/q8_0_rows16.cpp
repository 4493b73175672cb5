// q8_0.rows16: a run is a vector of 512 bits.
#include "codegen/layouts/q8_0.h"

namespace lmc::layouts::q8_0_rows16 {
namespace {

const Q8Blocks kRows16(16);
const RegisterWeightLayout kLayout(kRows16);

}  // namespace
}  // namespace lmc::layouts::q8_0_rows16
