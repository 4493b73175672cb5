// Zen 4, Cascade Lake and later servers.
#include "codegen/targets/vnni.h"
#include "codegen/weight_layout.h"

namespace lmc::targets::avx512_vnni {
namespace {

class Avx512Vnni : public Vnni {
 public:
  std::string name() const override { return "avx512-vnni"; }
  std::string cpu() const override { return "cascadelake"; }
  // Where code has the choice it takes 256 bits.
  std::string features() const override { return "+avx512vnni,+avx512vl,+avx512bw,+prefer-256-bit"; }
  int preference() const override { return 2; }
  bool supported_here() const override {
    return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("f16c");
  }
  // Vectors of 16 rows for Q8_0; decode of 4 bits is faster with 8 (PERFORMANCE.md). Where the rows are two
  // halves, gate and up, each of them is whole groups: of 16 in a multiple of 32 rows, of 8 in another
  // multiple of 16. In other numbers of rows there are no such halves.
  const WeightLayout& layout(DType format, int64_t rows, int64_t) const override {
    const bool wide = format == DType::q8_0 && rows % 32 != 16;
    return widest_layout(format, wide ? lanes() : 8);
  }
  int64_t rows_at_once() const override { return 16; }  // 32 registers

 protected:
  int64_t lanes() const override { return 16; }
};

const Avx512Vnni kAvx512Vnni;
const RegisterTarget kRegister(kAvx512Vnni);

}  // namespace
}  // namespace lmc::targets::avx512_vnni
