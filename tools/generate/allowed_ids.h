// The file of --allowed-ids.
#pragma once

#include <string>
#include <string_view>

#include "runtime/id_set.h"

namespace lmc {

// Token ids and ranges (5-10, both included) in any order, with blanks, commas or line ends between them;
// what follows a # is a comment. Error with file and line for anything else, for an id beyond the vocabulary,
// for no ids at all and for a file of more than 64 MB.
IdSet read_allowed_ids(const std::string& file, int64_t vocab);
// The same of its text.
IdSet allowed_ids_in(std::string_view text, const std::string& file, int64_t vocab);

}  // namespace lmc
