// Q4_K: parts with minima (with_minima.h), numbers of 4 bits.
#include "ir/block_formats/with_minima.h"
#include "ir/error_feedback.h"

namespace lmc::formats::q4_k {
namespace {

const RegisterBlockFormat kFormat(WithMinima<4>::format("q4_k", "Q4_K", 12, 14, 22));
const RegisterRounding kRounding("q4_k", WithMinima<4>::round_at);

}  // namespace
}  // namespace lmc::formats::q4_k
