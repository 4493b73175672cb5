// models/chat/templates/*.jinja as text, by name without .jinja; generated from builtin_templates.cpp.in.
#pragma once

#include <map>
#include <string>

namespace lmc {

const std::map<std::string, std::string>& builtin_templates();

}  // namespace lmc
