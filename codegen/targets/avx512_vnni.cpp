// Zen 4, Cascade Lake and later servers.
#include "codegen/targets/vnni.h"
#include "codegen/weight_layout.h"

namespace lmc {
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
  // Two halves of an output, gate and up, are whole groups each where rows are a multiple of 32.
  const WeightLayout& layout(DType format, int64_t rows, int64_t) const override {
    return widest_layout(format, rows % 32 == 16 ? 8 : lanes());
  }
  int64_t rows_at_once() const override { return 16; }  // 32 registers

 protected:
  int64_t lanes() const override { return 16; }
};

const Avx512Vnni kAvx512Vnni;
const RegisterTarget kRegister(kAvx512Vnni);

}  // namespace
}  // namespace lmc
