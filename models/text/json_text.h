// JSON that anybody may have written.
#pragma once

#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "ir/error.h"

namespace lmc {

// Brackets nest 64 deep at most, and values take no more memory than 32 MB and six times the text. Throws
// Error naming `file`, with line and column where it is not well-formed. Of a key that is given twice the
// last value counts, as in Python, unless `distinct` refuses it.
nlohmann::json parse_json(std::string_view text, const std::string& file, bool distinct = false);

// The same with keys in their order. An object may have 4,096 at most: each is looked for among those before
// it.
nlohmann::ordered_json parse_ordered_json(std::string_view text, const std::string& file);

// What nlohmann's parser found at a byte of the text, in our words: file, line, column and the reason.
Error json_error(std::string_view text, size_t byte, const std::string& file, const std::exception& e);

nlohmann::json read_json(const std::string& path);                  // of a whole file
nlohmann::ordered_json read_ordered_json(const std::string& path);  // keys stay in their order

}  // namespace lmc
