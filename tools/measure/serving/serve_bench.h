// `lmc bench --serve`: lmc serve, or a server that runs, as many clients see it.
#pragma once

#include <string>
#include <vector>

#include "tools/measure/serving/server_speed.h"

namespace lmc {

// Measures and prints. Error naming the server; Interrupted.
void bench_server(const ServerTarget& target, const Traffic& traffic, bool json);
// Of `lmc serve BUNDLE FLAGS` on a free port, a process of its own that ends with it.
void bench_bundle_served(const std::string& bundle, const std::vector<std::string>& flags,
                         const Traffic& traffic, bool json);

// Markdown; one line of JSON.
std::string server_speed_text(const std::string& server, const Traffic& traffic, const ServerSpeed& speed);
std::string server_speed_json(const std::string& server, const Traffic& traffic, const ServerSpeed& speed);

}  // namespace lmc
