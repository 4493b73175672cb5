// JSON that anybody may have written.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace lmc {

// Brackets nest 64 deep at most, and values take no more memory than 32 MB and six times the text. Throws
// Error naming `file`, with line and column where it is not well-formed. Of a key that is given twice the
// last value counts, as in Python, unless `distinct` refuses it.
nlohmann::json parse_json(std::string_view text, const std::string& file, bool distinct = false);

nlohmann::json read_json(const std::string& path);                  // of a whole file
nlohmann::ordered_json read_ordered_json(const std::string& path);  // keys stay in their order

}  // namespace lmc
