#include "ir/stage_label.h"

namespace lmc {
namespace {

std::string shape_text(const std::vector<int64_t>& dims) {
  std::string out = "[";
  for (size_t i = 0; i < dims.size(); ++i) out += (i ? "," : "") + dim_name(dims[i]);
  return out + "]";
}

std::string words(const std::vector<std::string>& ops, const std::string& before_each) {
  std::string out;
  for (const std::string& op : ops) out += before_each + op;
  return out;
}

}  // namespace

std::string stage_label(const StageWork& work, int64_t tokens, int64_t rows) {
  if (work.core.empty()) return work.family + words(work.ahead, " ");
  std::vector<int64_t> input = work.input;
  const int64_t symbol = work.over_rows ? kDimR : kDimT;
  const int64_t count = work.over_rows ? rows : tokens;
  if (!input.empty()) input[0] = count < 0 ? symbol : count;
  std::string out = work.core + (work.role.empty() ? "" : " " + work.role) + " " + shape_text(input);
  if (!work.weight.empty()) out += "x" + shape_text(work.weight);
  if (work.format) out += std::string(" ") + dtype_name(*work.format);
  out += words(work.behind, " +");
  return work.ahead.empty() ? out : out + " behind" + words(work.ahead, " ");
}

}  // namespace lmc
