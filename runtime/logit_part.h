// What a rank tells of its part of a row of logits, as bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/some_logits.h"

namespace lmc {

// All that the answer of a rank which has ids [first, first + ids) can come to, so that every rank knows what
// the others send.
int64_t most_bytes_of_answer(const LogitRequest& request, int64_t first, int64_t ids);

// `logits`: those of the rank, the first of which is id `first`'s.
void write_answer(const LogitRequest& request, std::span<const float> logits, int64_t first,
                  std::span<std::byte> to);

// Adds what is known, and says what is of the rest.
void read_answer(std::span<const std::byte> from, SomeLogits& out, SomeLogits::Rest& rest);

}  // namespace lmc
