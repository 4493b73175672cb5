// Text from files on its way to people: an escape sequence in a name must not move their cursor.
#pragma once

#include <string>
#include <string_view>

namespace lmc {

// Control characters other than line breaks and tabs, C1 controls (U+0080 to U+009F) and marks that turn the
// direction of what follows (U+202A to U+202E, U+2066 to U+2069) as \x1b or \u202e; everything else as it is.
std::string printable(std::string_view text);

// Is there nothing that printable() would change, and no line break or tab either?
bool is_printable_name(std::string_view text);

}  // namespace lmc
