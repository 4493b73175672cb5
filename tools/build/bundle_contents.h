// What `lmc inspect` says of a bundle.
#pragma once

#include <string>

#include "tools/bundle/bundle.h"

namespace lmc {

// Weights in the order of their names, then what there is of each format, caches and the rest in a few lines.
// `maker`: who made it, as far as that is known. `verified`: the weights' hash is right.
void print_bundle(const Bundle& bundle, const std::string& maker);
// The same as one JSON object.
void print_bundle_json(const Bundle& bundle, bool is_signed, bool verified);

}  // namespace lmc
