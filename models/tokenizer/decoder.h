// The "decoder" of a tokenizer.json: tokens to text, in stages that pass on what they can no longer change.
// Batch decoding runs the same stages as streaming, so the two cannot differ.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/tokenizer/json_fields.h"

namespace lmc::tokenizer {

class DecoderStage {
 public:
  virtual ~DecoderStage() = default;
  // A token; behind a stage that fuses all tokens to one text, the next part of that text.
  virtual void push(std::string_view token) = 0;
  virtual void finish() { next->finish(); }

  DecoderStage* next = nullptr;
};

// What a tokenizer.json says; makes the stages of one decoding.
struct DecoderPlan {
  using MakeStage = std::function<std::unique_ptr<DecoderStage>()>;
  std::vector<MakeStage> stages;
  bool fused = false;          // all tokens are one text behind the last stage
  bool byte_alphabet = false;  // a token is bytes in GPT-2's alphabet
  bool byte_tokens = false;    // <0x0A> is the byte 0x0A
};

DecoderPlan make_decoder_plan(const Fields& spec);
// Without a decoder, tokens are joined by spaces.
DecoderPlan plain_decoder_plan();

class Decoding {
 public:
  explicit Decoding(const DecoderPlan& plan);
  ~Decoding();
  Decoding(Decoding&&) noexcept;
  Decoding& operator=(Decoding&&) noexcept;

  void push(std::string_view token);
  void finish();
  std::string take();  // what came out since the last call

 private:
  struct Collector;
  std::unique_ptr<Collector> collector_;
  std::vector<std::unique_ptr<DecoderStage>> stages_;
};

}  // namespace lmc::tokenizer
