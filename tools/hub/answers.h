// What a hub answers, read: nothing in it is believed before it was looked at. Knows no network.
#pragma once

#include <string>

#include "tools/hub/http.h"
#include "tools/hub/hub.h"

namespace lmc {

// The files of a model, from the hub's JSON. Error naming the URL.
RemoteModel model_of(const HttpResponse& answer);

// Large files lie elsewhere: the redirect itself says what they are.
bool is_elsewhere(const HttpResponse& answer);
// Size and hash of a file, from the headers that the hub answers a question about it with. Error naming the
// URL.
void describe_file(const HttpResponse& answer, RemoteFile& file);

// What the server says for people, on one line: " (…)", or "".
std::string server_message(const HttpResponse& answer);

}  // namespace lmc
