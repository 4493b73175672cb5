// What differs between two graphs, for people: part by part, layers with the same changes shown once.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ir/diff.h"

namespace lmc {

class DiffReport {
 public:
  // Both graphs must outlive the report.
  DiffReport(const Graph& before, const Graph& after);

  bool same() const { return diff_.same(); }
  std::string text(bool coloured) const;
  nlohmann::ordered_json json() const;

 private:
  struct Part {
    ScopePart part;
    std::vector<const OpChange*> changes;  // in the order they are read
    std::string key;                       // equal for parts with the same changes
  };
  std::vector<Part> changed_parts() const;
  std::string key_of(const Part& part) const;
  std::vector<std::string> collapsed_notes() const;
  std::string counts() const;

  const Graph& before_;
  const Graph& after_;
  GraphDiff diff_;
  std::vector<Part> parts_;
};

}  // namespace lmc
