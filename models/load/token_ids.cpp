#include "models/load/token_ids.h"

#include <nlohmann/json.hpp>

#include "ir/error.h"

namespace lmc {

std::vector<int32_t> token_ids_in(const nlohmann::json& j, const std::string& where) {
  std::vector<int32_t> out;
  for (const nlohmann::json& i : j.is_array() ? j : nlohmann::json::array({j})) {
    if (i.is_null()) continue;
    const bool fits = i.is_number_unsigned() && i.get<uint64_t>() <= INT32_MAX;
    if (!fits) throw Error(where + " holds " + i.dump() + ", which is no token id");
    out.push_back(i.get<int32_t>());
  }
  return out;
}

}  // namespace lmc
