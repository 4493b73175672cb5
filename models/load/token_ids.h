// Token ids as configurations say them.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace lmc {

// One token id or a list of them; null is none. Error for anything else; `where` is for messages.
std::vector<int32_t> token_ids_in(const nlohmann::json& j, const std::string& where);

}  // namespace lmc
