// Tensor parallelism (Megatron-LM, Shoeybi et al. 2019): whole heads and neurons to each rank, so that a
// layer needs two collectives.
#include "passes/sharding/rules.h"

namespace lmc {
namespace {

const RegisterShardStrategy kTensor({"tensor",
                                     "heads and neurons dealt out, two collectives a layer",
                                     {
                                         {"attn_qkv", Split::rows},
                                         {"attn_q", Split::rows},
                                         {"attn_k", Split::rows},
                                         {"attn_v", Split::rows},
                                         {"attn_kv_b", Split::rows},
                                         {"attn_o", Split::columns},
                                         {"ffn_gate_up", Split::rows},
                                         {"ffn_gate", Split::rows},
                                         {"ffn_up", Split::rows},
                                         {"ffn_down", Split::columns},
                                         {"experts", Split::experts},
                                         {"lm_head", Split::rows},
                                         {"embedding", Split::rows},
                                     }});

}  // namespace
}  // namespace lmc
