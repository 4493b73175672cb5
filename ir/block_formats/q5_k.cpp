// Q5_K: parts with minima (with_minima.h), numbers of 5 bits.
#include "ir/block_formats/with_minima.h"
#include "ir/error_feedback.h"

namespace lmc::formats::q5_k {
namespace {

const RegisterBlockFormat kFormat(WithMinima<5>::format("q5_k", "Q5_K", 13, 17, 29));
const RegisterRounding kRounding("q5_k", WithMinima<5>::round_at);

}  // namespace
}  // namespace lmc::formats::q5_k
