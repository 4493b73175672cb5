// report.json of a bundle, as far as the page shows it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace lmc {

struct BundleReport {
  nlohmann::ordered_json passes = nlohmann::ordered_json::array();  // pass_json() of each
  nlohmann::ordered_json ledger;                                    // ledger_json() of each entry
};
// Error naming the file, and the field that is missing or of another kind.
BundleReport read_report(const std::string& path);

}  // namespace lmc
