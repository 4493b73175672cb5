// Sampler: settings, a sequence and logits of any value. What comes out is a token whose logit is a number.
#include "runtime/sampler.h"

#include <cmath>

#include "fuzz.h"
#include "ir/error.h"

namespace {

using namespace lmc;

// Half of them are such as people give.
double setting(fuzz::Bytes& bytes) {
  const auto kind = bytes.take<uint8_t>();
  return kind % 2 == 0 ? static_cast<double>(bytes.take<uint8_t>()) / 100 : bytes.take<double>();
}

float logit(fuzz::Bytes& bytes) {
  switch (const auto kind = bytes.take<uint8_t>(); kind) {
    case 0:
      return NAN;
    case 1:
      return INFINITY;
    case 2:
    case 3:
    case 4:
      return -INFINITY;
    case 5:
      return bytes.take<float>();
    default:
      return static_cast<float>(kind) - 128;
  }
}

SamplerOptions options_of(fuzz::Bytes& bytes, int32_t vocab) {
  SamplerOptions o;
  o.temperature = setting(bytes);
  o.top_k = bytes.take<uint8_t>() % 2 == 0 ? bytes.take<uint8_t>() : bytes.take<int64_t>();
  o.top_p = setting(bytes);
  o.min_p = setting(bytes);
  o.repetition_penalty = setting(bytes);
  o.repetition_window = bytes.take<uint8_t>() % 2 == 0 ? bytes.take<uint8_t>() : bytes.take<int64_t>();
  for (int n = bytes.take<uint8_t>() % 8; n > 0; --n) {
    const auto id = bytes.take<uint8_t>();
    o.logit_bias[id % 16 == 0 ? bytes.take<int32_t>() : id % vocab] =
        id % 3 == 0 ? -INFINITY : setting(bytes);
  }
  o.seed = bytes.take<uint64_t>();
  o.presence_penalty = setting(bytes);
  o.frequency_penalty = setting(bytes);
  o.counts_answer_alone = bytes.take<uint8_t>() % 2 == 0;
  return o;
}

// What a token takes grows with the text before it.
constexpr size_t kLongest = 8192;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Bytes bytes(data, size);
  const int32_t vocab = 1 + bytes.take<uint8_t>();
  try {
    Sampler sampler(options_of(bytes, vocab));
    sampler.check_vocab(vocab);
    std::vector<int32_t> sequence(bytes.take<uint8_t>());
    for (int32_t& id : sequence) id = bytes.take<uint8_t>() % vocab;
    while (bytes.left() > 0 && sequence.size() < kLongest) {
      std::vector<float> logits(static_cast<size_t>(vocab), -INFINITY);
      for (int32_t i = 0; i < vocab && bytes.left() > 0; ++i) logits[static_cast<size_t>(i)] = logit(bytes);
      const int32_t id = sampler.sample(logits, sequence, sequence.size() / 2);
      fuzz::require(id >= 0 && id < vocab && std::isfinite(logits[static_cast<size_t>(id)]),
                    "a token that cannot be");
      fuzz::accepted = true;
      sequence.push_back(id);
    }
  } catch (const Error& e) {
    fuzz::require(*e.what() != 0, "an error without a message");
  }
  return 0;
}
