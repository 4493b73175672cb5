// The tokenizer that tokenizer.ggml.* stands for.
#include "ir/error.h"
#include "models/tokenizer/gguf_pre_tokenizer.h"
#include "models/tokenizer/gguf_tokens.h"
#include "models/tokenizer/sentencepiece_source.h"

namespace lmc::tokenizer {
namespace {

using nlohmann::json;

constexpr int64_t kBpeModel = 2;  // trainer_spec.model_type

// A message of the wire format of protocol buffers, written field by field.
class WireWriter {
 public:
  void integer(uint32_t field, uint64_t value) {
    varint(field << 3);
    varint(value);
  }
  void real(uint32_t field, float value) {
    varint(field << 3 | 5);
    bytes_.append(reinterpret_cast<const char*>(&value), 4);
  }
  void text(uint32_t field, std::string_view value) {
    varint(field << 3 | 2);
    varint(value.size());
    bytes_ += value;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void varint(uint64_t v) {
    for (; v >= 128; v >>= 7) bytes_ += static_cast<char>(v | 128);
    bytes_ += static_cast<char>(v);
  }
  std::string bytes_;
};

// The SentencePiece model that the metadata was made from, read as such.
Source sentencepiece(const GgufTokens& t, const std::string& name) {
  json added = json::array();  // found in text, as chat templates need it
  WireWriter model;
  bool bytes = false;
  for (size_t i = 0; i < t.tokens.size(); ++i) {
    WireWriter piece;
    piece.text(1, t.tokens[i]);
    piece.real(2, t.scores[i]);
    piece.integer(3, static_cast<uint64_t>(t.types[i]));
    model.text(1, piece.bytes());
    bytes |= t.types[i] == kGgufByte;
    if (t.types[i] == kGgufControl || t.types[i] == kGgufUnknown)
      added.push_back({{"id", i}, {"content", t.tokens[i]}, {"special", true}, {"normalized", false}});
  }
  WireWriter trainer;
  trainer.integer(3, kBpeModel);
  trainer.integer(35, bytes);
  if (t.bos) trainer.text(46, t.tokens[static_cast<size_t>(*t.bos)]);
  if (t.eos) trainer.text(47, t.tokens[static_cast<size_t>(*t.eos)]);
  model.text(2, trainer.bytes());
  WireWriter normalizer;
  normalizer.integer(3, t.add_space_prefix);
  normalizer.integer(4, t.remove_extra_whitespaces);
  model.text(3, normalizer.bytes());
  Source out = parse_sentencepiece_source(model.bytes(), name, {.bos = t.add_bos, .eos = t.add_eos});
  out.rest["added_tokens"] = added;
  return out;
}

// What tokenizer.json would say.
class ByteLevelSource {
 public:
  ByteLevelSource(const GgufTokens& t, const std::string& name) : t_(t), name_(name) {}

  Source read() {
    out_.has_vocab = out_.has_merges = true;
    json added = json::array();
    for (size_t i = 0; i < t_.tokens.size(); ++i) {
      const std::string& token = t_.tokens[i];
      const bool special = t_.types[i] == kGgufControl;
      if (special || t_.types[i] == kGgufUserDefined) {
        added.push_back({{"id", i}, {"content", token}, {"special", special}, {"normalized", false}});
      } else if (t_.types[i] != kGgufUnused) {
        out_.vocab.push_back({put(token), static_cast<uint32_t>(token.size()), static_cast<int32_t>(i)});
      }
    }
    for (const std::string& merge : t_.merges) add_merge(merge);
    const GgufPreTokenizer* pre = gguf_pre_tokenizer(t_.pre);
    if (!pre) {
      fail("pre", "'" + t_.pre + "' is not supported; there are " + gguf_pre_tokenizer_names() +
                      ". Pass --tokenizer FILE instead");
    }
    out_.rest = {{"added_tokens", added},
                 {"normalizer", pre->nfc ? json{{"type", "NFC"}} : json()},
                 {"model", {{"type", "BPE"}, {"ignore_merges", pre->ignore_merges}}},
                 {"pre_tokenizer", gguf_pre_tokenizer_json(*pre)},
                 {"decoder", {{"type", "ByteLevel"}}},
                 {"post_processor", ends()}};
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(const char* key, const std::string& message) const {
    throw Error(name_ + ": metadata key 'tokenizer.ggml." + key + "' " + message);
  }

  // A space inside of a token is written in another letter, so the first one behind the start parts the two.
  void add_merge(const std::string& merge) {
    const size_t space = merge.find(' ', 1);
    if (space == std::string::npos) fail("merges", "holds '" + merge + "', which is no pair");
    const size_t at = put(std::string_view(merge).substr(0, space));
    put(std::string_view(merge).substr(space + 1));
    out_.merges.push_back(
        {at, static_cast<uint32_t>(space), static_cast<uint32_t>(merge.size() - space - 1)});
  }

  size_t put(std::string_view text) {
    const size_t at = out_.pool.size();
    if (at + text.size() > Source::kMaxPool) fail("tokens", "holds more text than fits");
    out_.pool += text;
    return at;
  }

  json ends() const {
    json single = json::array();
    json tokens = json::object();
    const auto add = [&](bool wanted, const std::optional<int64_t>& id) {
      if (!wanted || !id) return;
      const std::string& token = t_.tokens[static_cast<size_t>(*id)];
      single.push_back({{"SpecialToken", {{"id", token}}}});
      tokens[token] = {{"ids", {*id}}};
    };
    add(t_.add_bos, t_.bos);
    single.push_back({{"Sequence", {{"id", "A"}}}});
    add(t_.add_eos, t_.eos);
    return {{"type", "TemplateProcessing"}, {"single", single}, {"special_tokens", tokens}};
  }

  const GgufTokens& t_;
  const std::string& name_;
  Source out_;
};

}  // namespace

Source gguf_source(const GgufTokens& tokens, const std::string& name) {
  return tokens.model == "llama" ? sentencepiece(tokens, name + ": tokenizer.ggml")
                                 : ByteLevelSource(tokens, name).read();
}

}  // namespace lmc::tokenizer
