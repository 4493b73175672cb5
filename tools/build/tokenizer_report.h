// What `lmc inspect` says of a tokenizer file.
#pragma once

#include <string>

namespace lmc {

// Whether `path` names a file that only a tokenizer is called: tokenizer.json, tokenizer.bin, *.model.
bool is_tokenizer_path(const std::string& path);
void print_tokenizer(const std::string& path);  // on stdout

}  // namespace lmc
