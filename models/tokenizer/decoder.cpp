// Builds the chain of stages from the JSON and runs it.
#include "models/tokenizer/decoder.h"

#include "models/text/utf8.h"
#include "models/tokenizer/decoder_stages.h"
#include "models/tokenizer/normalizer.h"
#include "models/tokenizer/pretokenizer.h"
#include "models/tokenizer/sentencepiece_decoder.h"

namespace lmc::tokenizer {
namespace {

// A stage that looks at whole tokens waits for the end of the text once all tokens are fused.
void add_stage(DecoderPlan& plan, DecoderPlan::MakeStage make) {
  if (plan.fused) plan.stages.push_back(make_whole_stage);
  plan.stages.push_back(std::move(make));
}

void add_strip(DecoderPlan& plan, const Fields& spec) {
  const std::string content = spec.text_or("content", " ");
  if (content.empty() || first_char(content).length != content.size())
    spec.fail("'content' must be one character");
  const int64_t start = spec.integer_or("start", 0);
  const int64_t stop = spec.integer_or("stop", 0);
  if (start < 0 || stop < 0) spec.fail("'start' and 'stop' must not be negative");
  const StripOptions options{content, static_cast<size_t>(start), static_cast<size_t>(stop)};
  plan.stages.push_back([options, fused = plan.fused] { return make_strip_stage(options, fused); });
}

void add_decoder(DecoderPlan& plan, const Fields& spec) {
  const std::string type = spec.type();
  if (type == "Sequence") {
    for (const Fields& step : spec.objects("decoders")) add_decoder(plan, step);
  } else if (type == "ByteLevel") {
    add_stage(plan, make_byte_level_stage);
    plan.byte_alphabet = true;
    plan.fused = true;
  } else if (type == "Replace") {
    add_stage(plan, [pattern = make_pattern(spec), content = spec.text("content")] {
      return make_replace_stage(pattern, content);
    });
  } else if (type == "ByteFallback") {
    add_stage(plan, make_byte_fallback_stage);
    plan.byte_tokens = true;
  } else if (type == "Fuse") {
    plan.fused = true;
  } else if (type == "Strip") {
    add_strip(plan, spec);
  } else if (type == "Metaspace") {
    const MetaspaceOptions options = read_metaspace(spec);
    add_stage(plan, [mark = options.replacement, prepends = options.prepend_scheme != "never"] {
      return make_metaspace_stage(mark, prepends);
    });
  } else if (type == "WordPiece") {
    add_stage(plan, [mark = spec.text_or("prefix", "##"), cleanup = spec.flag_or("cleanup", true)] {
      return make_wordpiece_stage(mark, cleanup);
    });
  } else if (type == "BPEDecoder") {
    add_stage(plan, [suffix = spec.text_or("suffix", "</w>")] { return make_suffix_stage(suffix); });
  } else if (type == "SentencePiece") {
    add_stage(plan, make_sentencepiece_decoder(spec));
    plan.byte_tokens = true;
    plan.fused = true;
  } else {
    spec.fail_unknown("decoder", type);
  }
}

}  // namespace

DecoderPlan make_decoder_plan(const Fields& spec) {
  DecoderPlan plan;
  add_decoder(plan, spec);
  return plan;
}

DecoderPlan plain_decoder_plan() {
  DecoderPlan plan;
  plan.stages.push_back(make_join_stage);
  return plan;
}

struct Decoding::Collector : DecoderStage {
  void push(std::string_view token) override { text += token; }
  void finish() override {}
  std::string text;
};

Decoding::Decoding(const DecoderPlan& plan) : collector_(std::make_unique<Collector>()) {
  for (const auto& make : plan.stages) stages_.push_back(make());
  DecoderStage* next = collector_.get();
  for (auto stage = stages_.rbegin(); stage != stages_.rend(); ++stage) {
    (*stage)->next = next;
    next = stage->get();
  }
}

Decoding::~Decoding() = default;
Decoding::Decoding(Decoding&&) noexcept = default;
Decoding& Decoding::operator=(Decoding&&) noexcept = default;

void Decoding::push(std::string_view token) {
  DecoderStage& first = stages_.empty() ? static_cast<DecoderStage&>(*collector_) : *stages_.front();
  first.push(token);
}

void Decoding::finish() {
  if (!stages_.empty()) stages_.front()->finish();
}

std::string Decoding::take() { return std::exchange(collector_->text, {}); }

}  // namespace lmc::tokenizer
