// What must be known of a URL to follow redirects without giving a secret away.
#pragma once

#include <string>

namespace lmc {

// "https://host:443": who is spoken to. Two URLs with one origin may get the same token.
std::string origin_of(const std::string& url);

// Where the `location` of an answer leads from `url`. Error for what is no http or https, or leads out of
// https.
std::string redirect_target(const std::string& url, const std::string& location);

// For messages: without the query, which may be a signature, and without what a terminal would take for
// orders.
std::string shown_url(const std::string& url);

std::string percent_encoded(const std::string& text);  // "/" too

}  // namespace lmc
