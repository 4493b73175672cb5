// Pipeline parallelism (GPipe, Huang et al. 2019): whole layers to each rank, so that a rank sends one row of
// numbers for a token, to the next one. One text is no faster for it; several, and blocks of a prompt, follow
// each other.
#include "passes/sharding/rules.h"

namespace lmc {
namespace {

const RegisterShardStrategy kLayers({"layers",
                                     "neighbouring layers to each rank, one message from each to the next",
                                     {
                                         {"layers", Split::layers},
                                     }});

}  // namespace
}  // namespace lmc
