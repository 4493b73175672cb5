#include "tools/build/auto_quant/trials.h"

#include <utility>

namespace lmc {
namespace {

// Tensor names as patterns of the rules, which know *, ?, [ and \ as special.
std::string pattern(const std::string& tensor) {
  std::string out;
  for (const char c : tensor) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

Trials::Trials(const Model& model, ModelFlags flags, PassOptions passes, std::string target,
               const SessionOptions& session, const InputImportance& importance)
    : model_(model),
      flags_(std::move(flags)),
      passes_(unwatched(std::move(passes))),
      target_(std::move(target)),
      session_(session),
      importance_(importance) {}

PackedModel Trials::compiled(const std::string& rules) {
  flags_.quant.format = rules;
  return {model_, flags_, passes_, target_, session_, importance_};
}

std::vector<std::vector<std::string>> Trials::quantised(const PackedModel& q8) {
  std::vector<std::vector<std::string>> out;
  for (const auto& m : q8.matrices()) {
    if (m.type.dtype == DType::q8_0) out.push_back(m.tensors);
  }
  return out;
}

PassOptions unwatched(PassOptions passes) {
  passes.check = false;
  passes.dump_dir.clear();
  passes.print_before.clear();
  passes.print_after.clear();
  passes.repro_path.clear();
  passes.after_pass = nullptr;
  return passes;
}

std::string title(const std::optional<DType>& format) { return format ? dtype_name(*format) : "none"; }

std::string rules_of(const std::optional<DType>& format, const std::vector<QuantException>& others) {
  std::string out = title(format);
  for (const QuantException& e : others) {
    for (const std::string& tensor : e.tensors) out += "," + pattern(tensor) + "=" + title(e.format);
  }
  return out;
}

}  // namespace lmc
