// What `lmc inspect` says of a tokenizer file.
#pragma once

#include <string>

namespace lmc {

void print_tokenizer(const std::string& path);  // on stdout

}  // namespace lmc
