// Tokenizer files on disk.
#pragma once

#include <string>

namespace lmc::tokenizer {

std::string read_tokenizer_file(const std::string& path);  // Error naming the path

}  // namespace lmc::tokenizer
