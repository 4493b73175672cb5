// Where a model file is that is named without saying where.
#pragma once

#include <string>

namespace lmc {

// `given` if something is there; else `given` below `shared`; else the built-in one of that name
// ("builtin:NAME.yaml"); else `given`, so that the message about it names what was asked for.
std::string find_model_file(const std::string& given, const std::string& shared);

// share/lmc/models of the tree this program is installed in; nothing need be there.
std::string shared_models();

}  // namespace lmc
