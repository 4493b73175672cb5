// A model of the hub into this machine's cache, as huggingface_hub would put it there.
#pragma once

#include <string>
#include <vector>

#include "models/checkpoint/hub_cache.h"

namespace lmc {

struct PullOptions {
  int parallel = 4;  // files at a time
  int retries = 5;
  int timeout_seconds = 30;
  std::string file;  // shell pattern, or a part of the name, of the GGUF files wanted; "" = the only one
};

struct Pulled {
  std::string folder;             // of the snapshot
  std::vector<std::string> gguf;  // those fetched, in it; of one in parts the first. Empty for other models
  int64_t files = 0, bytes = 0;   // of the snapshot, as far as lmc reads it
  int64_t fetched = 0;            // bytes that were not there before
};

// Fetches what lmc reads of the model: configuration, tokenizer, chat template and weights; or GGUF files,
// where it has nothing else or options.file asks for them. The revision points to the snapshot only once all
// of it is there. Error saying what to do; Interrupted: the next call continues.
Pulled pull(const HubId& id, const PullOptions& options);

}  // namespace lmc
