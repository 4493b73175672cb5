// Alder Lake and later.
#include "codegen/targets/vnni.h"

namespace lmc::targets::avx_vnni {
namespace {

class AvxVnni : public Vnni {
 public:
  std::string name() const override { return "avx-vnni"; }
  std::string cpu() const override { return "alderlake"; }
  std::string features() const override { return "+avxvnni,+avx2,+fma,+f16c,-avx512f"; }
  int preference() const override { return 1; }
  bool supported_here() const override {
    return __builtin_cpu_supports("avxvnni") && __builtin_cpu_supports("avx2") &&
           __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  }
  const WeightLayout& layout(DType format, int64_t, int64_t) const override {
    return widest(format, lanes());
  }
};

const AvxVnni kAvxVnni;
const RegisterTarget kRegister(kAvxVnni);

}  // namespace
}  // namespace lmc::targets::avx_vnni
