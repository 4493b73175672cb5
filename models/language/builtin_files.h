// models/*.yaml as text, by file name; generated from builtin_files.cpp.in.
#pragma once

#include <map>
#include <string>

namespace lmc {

const std::map<std::string, std::string>& builtin_files();

}  // namespace lmc
