// What the routes of Ollama's interface share.
#pragma once

#include <string>

#include "tools/serve/answering.h"

namespace lmc::serve {

Fields ollama_common();  // model, options, stream, …
Asked ollama_defaults();
std::string utc_time();  // "2026-01-31T12:00:00.123456Z"
std::string utc_time(int64_t seconds);
// What the last piece of an answer says: why it ended, tokens and nanoseconds.
void add_ending(Json& out, const Choice& choice);
std::string json_line(const Json& json);      // of application/x-ndjson
Json details_of(const Service& service);      // family, size, format
std::string tagged(const std::string& name);  // "tiny" → "tiny:latest"

}  // namespace lmc::serve
