// What is asked of a server that is measured: lengths of prompts and answers, and when each request comes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lmc {

// One request, in tokens.
struct TrafficRequest {
  int64_t prompt = 0, answer = 0;  // 1 or more
  int64_t shared = 0;              // of the prompt, its beginning, that is the same in all requests
};

// The requests of a file in JSON lines, {"prompt_tokens": 512, "answer_tokens": 64, "shared_tokens": 256},
// the last of which may be left out. Error naming file and line for anything else, or for a file without any.
std::vector<TrafficRequest> read_traffic(const std::string& file);
// The same of its text.
std::vector<TrafficRequest> traffic_in(const std::string& text, const std::string& file);

// Seconds from the first request to each of them: at random, independent of each other, `rate` a second on
// average (a Poisson process); all 0 for a rate of 0. The same ones each time.
std::vector<double> arrivals(int64_t count, double rate);

// The ids of request `index`'s prompt (-1 and above): what is behind the shared ones is its own.
std::vector<int32_t> prompt_of(const TrafficRequest& request, int64_t index, int64_t vocab);

}  // namespace lmc
