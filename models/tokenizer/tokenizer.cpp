// The pipeline: added tokens, normalizer, pre-tokenizer, model, post-processor; and back through the decoder.
#include "models/tokenizer/tokenizer.h"

#include "ir/error.h"
#include "ir/files.h"
#include "models/text/utf8.h"
#include "models/tokenizer/added_tokens.h"
#include "models/tokenizer/byte_alphabet.h"
#include "models/tokenizer/decoder.h"
#include "models/tokenizer/gguf_tokens.h"
#include "models/tokenizer/image.h"
#include "models/tokenizer/image_builder.h"
#include "models/tokenizer/json_source.h"
#include "models/tokenizer/model_tokens.h"
#include "models/tokenizer/normalizer.h"
#include "models/tokenizer/post_processor.h"
#include "models/tokenizer/pretokenizer.h"
#include "models/tokenizer/sentencepiece_source.h"
#include "models/tokenizer/summary.h"
#include "models/tokenizer/word_model.h"

namespace lmc {

using tokenizer::Fields;
using tokenizer::Image;

namespace {

constexpr size_t kMaxText = size_t{1} << 30;  // positions within a word have 32 bits

}  // namespace

struct Tokenizer::Tables {
  static std::shared_ptr<const Tables> make(Image image, const std::string& name) {
    const auto config = tokenizer::parse_json_source(image.config(), name);
    return std::make_shared<const Tables>(std::move(image), Fields(config.rest, name, ""));
  }

  Tables(Image opened, const Fields& config)
      : image(std::move(opened)),
        model(tokenizer::make_word_model(image, config.object("model"))),
        raw_added(image, image.raw_added()),
        normalized_added(image, image.normalized_added()),
        decoder(config.has("decoder") ? tokenizer::make_decoder_plan(config.object("decoder"))
                                      : tokenizer::plain_decoder_plan()) {
    if (config.has("normalizer")) normalize = tokenizer::make_normalizer(config.object("normalizer"));
    if (config.has("pre_tokenizer")) cut = tokenizer::make_pretokenizer(config.object("pre_tokenizer"));
    if (config.has("post_processor")) {
      post = tokenizer::make_post_processor(config.object("post_processor"), image.ids());
    }
  }

  bool has(int32_t id) const { return id >= 0 && id < image.ids() && image.flags(id) != 0; }
  bool is_special(int32_t id) const { return has(id) && (image.flags(id) & tokenizer::kSpecial); }
  bool is_decoded(int32_t id, bool skip_special) const {
    return has(id) && !(skip_special && is_special(id));
  }

  // What opens a text may lose a space.
  tokenizer::Decoding decoding_amid_text() const {
    tokenizer::Decoding out(decoder);
    out.push("a");
    out.take();
    return out;
  }
  std::string bytes_behind(tokenizer::Decoding& decoding, int32_t id) const {
    if (!is_decoded(id, true)) return "";
    const std::string_view token = image.text(id);
    if (decoder.byte_alphabet) return tokenizer::from_byte_alphabet(token).value_or(std::string(token));
    if (const auto byte = tokenizer::byte_of_token(token); byte && decoder.byte_tokens)
      return std::string(1, static_cast<char>(*byte));
    decoding.push(token);
    std::string bytes = decoding.take();
    if (!bytes.empty()) return bytes;
    decoding.finish();  // it was held back
    bytes = decoding.take();
    decoding = decoding_amid_text();
    return bytes;
  }

  Image image;
  std::unique_ptr<const tokenizer::WordModel> model;
  tokenizer::AddedTokenFinder raw_added;
  tokenizer::AddedTokenFinder normalized_added;
  tokenizer::DecoderPlan decoder;
  tokenizer::Normalizer normalize;  // empty: the text stays as it is
  tokenizer::PreTokenizer cut;      // empty: the text is one word
  tokenizer::PostProcessor post;
};

namespace {

// One call of encode().
template <typename Tables>
class Encoding {
 public:
  explicit Encoding(const Tables& tables) : tables_(tables), words_(tables.model->encoder()) {}

  std::vector<int32_t> run(std::string_view text) {
    tables_.raw_added.carve(text, [&](std::string_view part, std::optional<int32_t> id) {
      if (id) return add_token(*id);
      const std::string normalized =
          tables_.normalize ? tables_.normalize(std::string(part)) : std::string(part);
      tables_.normalized_added.carve(normalized, [&](std::string_view words, std::optional<int32_t> token) {
        if (token) return add_token(*token);
        add_words(words);
      });
      opens_text_ = false;
    });
    return std::move(ids_);
  }

 private:
  void add_token(int32_t id) {
    ids_.push_back(id);
    opens_text_ = false;
  }
  void add_words(std::string_view text) {
    tokenizer::Pieces pieces{std::string(text), {{0, text.size(), opens_text_}}};
    if (tables_.cut) tables_.cut(pieces);
    for (const auto& piece : pieces.pieces) {
      if (piece.begin != piece.end) words_->encode(pieces.view(piece), ids_);
    }
    opens_text_ = false;
  }

  const Tables& tables_;
  std::unique_ptr<tokenizer::WordEncoder> words_;
  std::vector<int32_t> ids_;
  bool opens_text_ = true;
};

}  // namespace

Tokenizer::Tokenizer(std::shared_ptr<const Tables> tables) : tables_(std::move(tables)) {}

Tokenizer Tokenizer::from_json_file(const std::string& path) { return from_json(read_file(path), path); }

Tokenizer Tokenizer::from_json(std::string_view text, const std::string& name) {
  return from_binary(tokenizer::build_image(tokenizer::parse_json_source(text, name), name), name);
}

Tokenizer Tokenizer::from_sentencepiece(std::string_view model, const std::string& name, bool add_bos,
                                        bool add_eos) {
  const auto source = tokenizer::parse_sentencepiece_source(model, name, {.bos = add_bos, .eos = add_eos});
  return from_binary(tokenizer::build_image(source, name), name);
}

Tokenizer Tokenizer::from_gguf(const GgufFile& file) {
  return from_binary(tokenizer::build_image(
                         tokenizer::gguf_source(tokenizer::read_gguf_tokens(file), file.path()), file.path()),
                     file.path());
}

Tokenizer Tokenizer::from_binary_file(const std::string& path) {
  return Tokenizer(Tables::make(Image::map_file(path), path));
}

Tokenizer Tokenizer::from_binary(std::string bytes, const std::string& name) {
  return Tokenizer(Tables::make(Image::from_bytes(std::move(bytes), name), name));
}

std::string Tokenizer::to_binary() const { return std::string(tables_->image.bytes()); }

void Tokenizer::write_binary(const std::string& path) const { write_file(path, to_binary()); }

std::vector<int32_t> Tokenizer::encode(std::string_view text, bool add_special) const {
  if (text.size() > kMaxText)
    throw Error("cannot encode a text of more than 1 GiB at once; cut it into parts");
  std::string repaired;
  if (!tokenizer::is_valid_utf8(text)) {
    tokenizer::append_lossy(repaired, text, true);
    text = repaired;
  }
  std::vector<int32_t> ids = Encoding(*tables_).run(text);
  return add_special ? tables_->post.apply(std::move(ids)) : ids;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  tokenizer::Decoding decoding(tables_->decoder);
  for (const int32_t id : ids) {
    if (tables_->is_decoded(id, skip_special)) decoding.push(tables_->image.text(id));
  }
  decoding.finish();
  return decoding.take();
}

TokenizerSummary Tokenizer::summary() const { return tokenizer::summarize(tables_->image); }

int32_t Tokenizer::vocab_size() const { return tables_->image.ids(); }

std::optional<int32_t> Tokenizer::token_to_id(std::string_view token) const {
  return tables_->image.find(token);
}

std::string Tokenizer::id_to_token(int32_t id) const {
  return tables_->has(id) ? std::string(tables_->image.text(id)) : std::string();
}

bool Tokenizer::is_special(int32_t id) const { return tables_->is_special(id); }

std::string Tokenizer::token_bytes(int32_t id) const {
  tokenizer::Decoding decoding = tables_->decoding_amid_text();
  return tables_->bytes_behind(decoding, id);
}

std::vector<std::string> Tokenizer::token_bytes() const {
  std::vector<std::string> out;
  tokenizer::Decoding decoding = tables_->decoding_amid_text();
  for (int32_t id = 0; id < vocab_size(); ++id) out.push_back(tables_->bytes_behind(decoding, id));
  return out;
}

struct StreamDecoder::State {
  std::shared_ptr<const Tokenizer::Tables> tables;
  bool skip_special;
  tokenizer::Decoding decoding;
};

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, bool skip_special)
    : state_(new State{tokenizer.tables_, skip_special, tokenizer::Decoding(tokenizer.tables_->decoder)}) {}

StreamDecoder::~StreamDecoder() = default;
StreamDecoder::StreamDecoder(StreamDecoder&&) noexcept = default;
StreamDecoder& StreamDecoder::operator=(StreamDecoder&&) noexcept = default;

std::string StreamDecoder::push(int32_t id) {
  if (state_->tables->is_decoded(id, state_->skip_special))
    state_->decoding.push(state_->tables->image.text(id));
  return state_->decoding.take();
}

std::string StreamDecoder::flush() {
  state_->decoding.finish();
  std::string rest = state_->decoding.take();
  state_->decoding = tokenizer::Decoding(state_->tables->decoder);
  return rest;
}

}  // namespace lmc
