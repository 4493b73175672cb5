// How fast a server answers many clients: requests over HTTP, and when each token of the answers came.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/measure/serving/traffic.h"

namespace lmc {

struct ServerTarget {
  std::string url;  // http://127.0.0.1:8080
  std::string key;  // "" for none
};

struct Traffic {
  std::vector<TrafficRequest> requests = {};  // in the order in which they are sent
  int clients = 1;                            // requests under way at most
  double rate = 0;  // a second (arrivals()); 0: each client sends when its last is answered
};

// Times are in seconds. A request's clock starts when it arrives, even if all clients are busy then.
struct ServerSpeed {
  double seconds = 0;                 // from the first request to the end of the last answer
  int64_t answered = 0, refused = 0;  // refused: told 429 or 503
  int64_t prompt_tokens = 0, reused_tokens = 0, answer_tokens = 0;  // of those that were answered
  std::vector<double> first;                                        // until the first token, by answer
  std::vector<double> between;  // from token to token; those that come at once share the time
  std::vector<double> whole;    // until the end, by answer
};

// After one untimed request. Error naming the server for what does not answer as it should; Interrupted.
ServerSpeed measure_server(const ServerTarget& target, const Traffic& traffic);

}  // namespace lmc
