// The pipeline as it happened: the graph before the first pass and behind every one.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "passes/engine/manager.h"

namespace lmc {

struct PipelineRecord {
  std::string title, source;       // "gemma3", "no weights, size 1b"
  std::vector<std::string> facts;  // "26 layers", …
  std::string first_name = "import", first_doc = "the graph before the first pass";  // of the first state
  std::vector<Graph> states;              // the import, then one for every pass that changed it
  std::vector<size_t> state_after;        // by pass: the state behind it
  nlohmann::ordered_json passes, ledger;  // as in report.json
  std::string note;                       // what this page cannot show, and why
};

// Which of several ranks is followed to its kernels, behind what all of them are dealt.
struct RecordedRank {
  int64_t ranks = 0;  // 0: the model is for one machine
  int64_t rank = 0;
};

// Runs the passes over `g`, and those that lower it to the kernels of a step of one token. Of a rank, `facts`
// says what it has and sends.
PipelineRecord record_pipeline(Graph g, const PassOptions& options, const RecordedRank& rank = {});

// What a bundle tells: its final graph, and the report of the passes that led to it.
PipelineRecord record_of_bundle(const std::string& path);

}  // namespace lmc
