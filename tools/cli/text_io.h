// Text in and out of commands that are used in pipes: byte for byte, and a failure is noticed.
#pragma once

#include <string>
#include <string_view>

namespace lmc {

std::string read_stdin();                  // all of it; UsageError if a person sits there
void write_stdout(std::string_view text);  // at once; Error if it cannot be written

}  // namespace lmc
