// lmc manual: the manual page, for man.
#include "tools/describe/manual.h"

#include "tools/cli/command.h"
#include "tools/cli/text_io.h"

namespace lmc::manual_command {
namespace {

const RegisterCommand kManual({"manual", "print the manual page, in roff: lmc manual | man -l -",
                               [](Flags&) { return [] { write_stdout(manual_page(describe_program())); }; }});

}  // namespace
}  // namespace lmc::manual_command
