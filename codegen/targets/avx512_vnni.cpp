#include "codegen/targets/avx512_vnni.h"

namespace lmc {

bool Avx512Vnni::supported_here() const {
  return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}

// Vectors of 16 rows. Where the rows are two halves, gate and up, each of them is whole groups: of 16 in a
// multiple of 32 rows, of 8 in another multiple of 16. In other numbers of rows there are no such halves.
const WeightLayout& Avx512Vnni::layout(DType format, int64_t rows, int64_t) const {
  return widest(format, rows % 32 != 16 ? lanes() : 8);
}

namespace targets::avx512_vnni {

const Avx512Vnni kAvx512Vnni;
const RegisterTarget kRegister(kAvx512Vnni);

}  // namespace targets::avx512_vnni
}  // namespace lmc
