// A machine's figures as JSON: the file in the cache folder, and parts of other files.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "ir/machine.h"

namespace lmc {

struct KeptFigures {
  MachineFigures figures;
  std::string cpu;  // cpu_name() of where they were measured
  double load = 0;  // processes that wanted to run then, the average of a minute
};
// The file's content and back. Error for what is no such file and for figures that are no positive numbers.
std::string machine_to_json(const KeptFigures& kept);
KeptFigures machine_from_json(const std::string& text);

// The figures alone, as part of other files.
nlohmann::ordered_json figures_json(const MachineFigures& figures);
MachineFigures figures_from(const nlohmann::ordered_json& json);  // Error, or nlohmann::json::exception

}  // namespace lmc
