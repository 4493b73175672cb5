// Text in and out of commands that are used in pipes: byte for byte, and a failure is noticed.
#pragma once

#include <string>
#include <string_view>

namespace lmc {

std::string read_stdin();                  // all of it; UsageError if a person sits there
void write_stdout(std::string_view text);  // at once; Error if it cannot be written

// What was printed by any means: "", or the message why some of it was not written.
std::string failure_of_stdout();

// Where the process was started without one of its three streams, the first file it opened would get that
// number, and be printed into. From now on reading and writing such a stream fails instead.
void keep_closed_streams_closed();

}  // namespace lmc
