// --network.
#include "tools/cli/network_flag.h"

#include <gtest/gtest.h>

#include "tests/unit/error_of.h"

namespace lmc {
namespace {

TEST(NetworkFlag, reads_figures_with_units) {
  const NetworkFigures n = parse_network("latency=20us,bandwidth=10Gb,message=2ms");
  EXPECT_DOUBLE_EQ(n.latency, 20e-6);
  EXPECT_DOUBLE_EQ(n.bandwidth, 1.25e9);
  EXPECT_DOUBLE_EQ(n.message, 2e-3);
  EXPECT_DOUBLE_EQ(parse_network("bandwidth=100MB").bandwidth, 1e8);
  EXPECT_DOUBLE_EQ(parse_network("").latency, NetworkFigures().latency);
}

TEST(NetworkFlag, says_what_it_cannot_read) {
  EXPECT_EQ(error_of([] { parse_network("latency=20"); }),
            "--network: latency must be a number and one of ms, ns, s, us, found '20'");
  EXPECT_EQ(error_of([] { parse_network("bandwidth=-1Gb"); }),
            "--network: bandwidth must be a number and one of GB, Gb, MB, Mb, found '-1Gb'");
  EXPECT_EQ(error_of([] { parse_network("latency=infs"); }),
            "--network: latency must be a number and one of ms, ns, s, us, found 'infs'");
  EXPECT_EQ(error_of([] { parse_network("latency=1s,,"); }),
            "--network takes latency=, bandwidth= and message=, found ''");
  EXPECT_EQ(error_of([] { parse_network("bandwidth=0Gb"); }), "--network: a bandwidth of 0 sends nothing");
}

}  // namespace
}  // namespace lmc
