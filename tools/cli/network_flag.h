// --network: figures of a network, as people write them.
#pragma once

#include <string>

#include "ir/network.h"

namespace lmc {

// "latency=50us,bandwidth=1Gb,message=10us", each of them optional: seconds in ns, us, ms or s; bits a second
// in Mb or Gb, bytes in MB or GB. UsageError for anything else.
NetworkFigures parse_network(const std::string& text);

}  // namespace lmc
