#include "tools/bundle/bundle_format.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "ir/kernel_abi.h"

namespace lmc {

WeightsHeader::WeightsHeader(const Plan& plan, const SharedWeights& shared) {
  nlohmann::ordered_json header;
  header["__metadata__"] = {{"format", "lmc packed weights; layouts are in plan.json"}};
  int64_t at = 0;
  for (size_t i = 0; i < plan.weights.size(); ++i) {
    if (!shared.empty() && shared[i] >= 0) {
      offsets.push_back(-1);
      continue;
    }
    const PlanWeight& w = plan.weights[i];
    const int64_t stored = (w.bytes + kReadPastEnd + 63) / 64 * 64;
    offsets.push_back(at);
    header[w.name] = {{"dtype", "U8"}, {"shape", {stored}}, {"data_offsets", {at, at + stored}}};
    at += stored;
  }
  std::string json = header.dump();
  json.append((64 - (json.size() + 8) % 64) % 64, ' ');
  const uint64_t length = json.size();
  text.assign(8, '\0');
  std::memcpy(text.data(), &length, 8);
  text += json;
  data_start = static_cast<int64_t>(text.size());
  file_bytes = data_start + at;
}

std::string rank_file(int64_t rank, const std::string& file) {
  return rank == 0 ? file : "rank" + std::to_string(rank) + "." + file;
}

bool is_weight_file(const std::string& name) { return name.ends_with("weights.safetensors"); }

}  // namespace lmc
