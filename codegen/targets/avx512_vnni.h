#pragma once

#include "codegen/targets/vnni.h"

namespace lmc {

// Zen 4, Cascade Lake and later servers.
class Avx512Vnni : public Vnni {
 public:
  std::string name() const override { return "avx512-vnni"; }
  std::string cpu() const override { return "cascadelake"; }
  // Where code has the choice it takes 256 bits.
  std::string features() const override { return "+avx512vnni,+avx512vl,+avx512bw,+prefer-256-bit"; }
  int preference() const override { return 2; }
  bool supported_here() const override;
  const WeightLayout& layout(DType format, int64_t rows, int64_t cols) const override;
  InRegisters in_registers() const override { return {8, 24}; }  // of 32 registers
  int64_t float_lanes() const override { return 16; }
  int64_t float_sums() const override { return 16; }

 protected:
  int64_t lanes() const override { return 16; }
};

}  // namespace lmc
