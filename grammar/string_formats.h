// The formats of JSON Schema (draft 2020-12, section 7.3) that regular expressions can say.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lmc::grammar {

// Of the whole string; nothing for a format that is not known here. date knows leap years, time no leap
// seconds.
std::optional<std::string> regex_of_format(std::string_view format);
std::string known_formats();  // for messages

}  // namespace lmc::grammar
