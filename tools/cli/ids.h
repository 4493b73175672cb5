// Token ids and logits as they are written on the command line and in JSON.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lmc {

// "2,119,166" → ids. UsageError for anything else.
std::vector<int32_t> parse_ids(const std::string& text);
// Ids with commas or white space between, as `lmc tokenize` prints them. UsageError for what is no number,
// Error for one outside the vocabulary.
std::vector<int32_t> parse_spaced_ids(std::string_view text, int32_t vocab);

std::string id_list(std::span<const int32_t> ids);  // "[2,119,166]"
// 9 significant digits each, which tell floats apart.
std::string number_list(std::span<const float> numbers);

}  // namespace lmc
