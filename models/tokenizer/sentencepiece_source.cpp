// Field numbers and defaults are those of sentencepiece_model.proto.
#include "models/tokenizer/sentencepiece_source.h"

#include <cmath>
#include <optional>

#include "models/text/base64.h"
#include "models/tokenizer/model_tokens.h"
#include "models/tokenizer/protobuf.h"

namespace lmc::tokenizer {
namespace {

using nlohmann::json;

enum class PieceType : uint8_t { kNormal = 1, kUnknown, kControl, kUserDefined, kUnused, kByte };

constexpr const char* kWhere = "pieces";

struct TrainerSpec {
  int64_t model_type = 1;  // 1 Unigram, 2 BPE, 3 words, 4 characters
  bool whitespace_as_suffix = false;
  bool byte_fallback = false;
  std::string unknown_surface = " \xE2\x81\x87 ";  // what the unknown piece is decoded to
  std::string bos_piece = "<s>";
  std::string eos_piece = "</s>";
};

TrainerSpec read_trainer(std::string_view message, const std::string& file) {
  TrainerSpec out;
  WireReader reader(message, file, "trainer_spec");
  for (WireField field; reader.next(field);) {
    switch (field.number()) {
      case 3:
        out.model_type = field.integer("model_type");
        break;
      case 24:
        out.whitespace_as_suffix = field.flag("treat_whitespace_as_suffix");
        break;
      case 35:
        out.byte_fallback = field.flag("byte_fallback");
        break;
      case 44:
        out.unknown_surface = field.text("unk_surface");
        break;
      case 46:
        out.bos_piece = field.text("bos_piece");
        break;
      case 47:
        out.eos_piece = field.text("eos_piece");
        break;
      default:
        break;
    }
  }
  if (out.model_type != 1 && out.model_type != 2)
    reader.fail("model_type",
                "only 1 (Unigram) and 2 (BPE) are supported, found " + std::to_string(out.model_type));
  return out;
}

json read_normalizer(std::string_view message, const std::string& file) {
  json out = {{"type", "SentencePiece"}};
  WireReader reader(message, file, "normalizer_spec");
  for (WireField field; reader.next(field);) {
    switch (field.number()) {
      case 2:
        if (const auto blob = field.bytes("precompiled_charsmap"); !blob.empty())
          out["precompiled_charsmap"] = encode_base64(blob);
        break;
      case 3:
        out["add_dummy_prefix"] = field.flag("add_dummy_prefix");
        break;
      case 4:
        out["remove_extra_whitespaces"] = field.flag("remove_extra_whitespaces");
        break;
      case 5:
        out["escape_whitespaces"] = field.flag("escape_whitespaces");
        break;
      default:
        break;
    }
  }
  return out;
}

// Decoding rewrites the text by these rules too; no published model is known to have any.
void refuse_denormalizer(std::string_view message, const std::string& file) {
  WireReader reader(message, file, "denormalizer_spec");
  for (WireField field; reader.next(field);) {
    if (field.number() == 2 && !field.bytes("precompiled_charsmap").empty())
      reader.fail("precompiled_charsmap", "rules for decoding are not supported");
  }
}

class ModelReader {
 public:
  ModelReader(std::string_view bytes, const std::string& file, SentencePieceEnds ends)
      : file_(file), ends_(ends), model_(bytes, file, "") {}

  Source read() {
    for (WireField field; model_.next(field);) {
      switch (field.number()) {
        case 1:
          read_piece(field.bytes(kWhere));
          break;
        case 2:
          trainer_ = read_trainer(field.bytes("trainer_spec"), file_);
          break;
        case 3:
          normalizer_ = read_normalizer(field.bytes("normalizer_spec"), file_);
          break;
        case 5:
          refuse_denormalizer(field.bytes("denormalizer_spec"), file_);
          break;
        default:
          break;
      }
    }
    if (out_.vocab.empty()) model_.fail("not a SentencePiece model: it holds no pieces");
    if (!unknown_) model_.fail(kWhere, "none of them is of the type UNKNOWN");
    if (trainer_.byte_fallback && byte_pieces_ != 256) {
      model_.fail(kWhere,
                  "byte_fallback needs 256 pieces of the type BYTE, found " + std::to_string(byte_pieces_));
    }
    out_.has_pieces = true;
    write_steps();
    return std::move(out_);
  }

 private:
  void read_piece(std::string_view message) {
    const size_t index = out_.vocab.size();
    WireReader reader(message, file_, "pieces[" + std::to_string(index) + "]");
    std::string_view text;
    float score = 0;
    int64_t type = static_cast<int64_t>(PieceType::kNormal);
    for (WireField field; reader.next(field);) {
      switch (field.number()) {
        case 1:
          text = field.text("piece");
          break;
        case 2:
          score = field.real("score");
          break;
        case 3:
          type = field.integer("type");
          break;
        default:
          break;
      }
    }
    if (text.empty()) reader.fail("piece", "is missing or empty");
    if (!std::isfinite(score)) reader.fail("score", "is not a finite number");
    if (type < 1 || type > 6) reader.fail("type", "expected 1 to 6, found " + std::to_string(type));
    if (index >= static_cast<size_t>(kMaxIds) || out_.pool.size() + text.size() > Source::kMaxPool)
      reader.fail("more pieces than fit");
    out_.vocab.push_back({out_.pool.size(), static_cast<uint32_t>(text.size()), static_cast<int32_t>(index),
                          score, flags_of(static_cast<PieceType>(type), text, reader)});
    out_.pool += text;
  }

  uint8_t flags_of(PieceType type, std::string_view text, const WireReader& reader) {
    switch (type) {
      case PieceType::kNormal:
        return kInModel;
      case PieceType::kUnused:
        return kInModel | kUnused;
      case PieceType::kControl:
        return kAdded | kSpecial;
      case PieceType::kUserDefined:
        user_defined_.push_back(std::string(text));
        return kInModel | kUserDefined;
      case PieceType::kUnknown:
        if (unknown_) reader.fail("type", "a second piece is of the type UNKNOWN");
        unknown_ = static_cast<int64_t>(out_.vocab.size());
        return kAdded;
      case PieceType::kByte:
        break;
    }
    if (!byte_of_token(text)) reader.fail("piece", "a byte must be written as <0x00> to <0xFF>");
    ++byte_pieces_;
    return kByte;
  }

  // The id of a control piece.
  std::optional<int32_t> control(std::string_view text) const {
    for (const auto& entry : out_.vocab) {
      if ((entry.flags & kSpecial) && out_.text(entry.offset, entry.length) == text) return entry.id;
    }
    return std::nullopt;
  }

  // The steps around the model in the words of tokenizer.json.
  void write_steps() {
    const auto& unknown = out_.vocab[static_cast<size_t>(*unknown_)];
    const std::string unknown_text(out_.text(unknown.offset, unknown.length));
    normalizer_["treat_whitespace_as_suffix"] = trainer_.whitespace_as_suffix;
    if (!user_defined_.empty()) normalizer_["user_defined"] = user_defined_;
    json model = {{"byte_fallback", trainer_.byte_fallback}};
    if (trainer_.model_type == 1) {
      model.update({{"type", "Unigram"}, {"unk_id", *unknown_}, {"single_precision", true}});
    } else {
      model.update({{"type", "SentencePieceBPE"}, {"unk_token", unknown_text}});
    }
    const bool trims = normalizer_.value("remove_extra_whitespaces", true);
    const json decoder = {{"type", "SentencePiece"},
                          {"unk_token", unknown_text},
                          {"unk_surface", trainer_.unknown_surface},
                          {"strips_first", trims || normalizer_.value("add_dummy_prefix", true)},
                          {"strips_all", trims}};
    out_.rest = {
        {"normalizer", normalizer_}, {"model", model}, {"decoder", decoder}, {"post_processor", ends()}};
  }

  json ends() const {
    json single = json::array();
    json tokens = json::object();
    const auto add = [&](bool wanted, const std::string& piece) {
      const auto id = wanted ? control(piece) : std::nullopt;
      if (!id) return;
      single.push_back({{"SpecialToken", {{"id", piece}}}});
      tokens[piece] = {{"ids", {*id}}};
    };
    add(ends_.bos, trainer_.bos_piece);
    single.push_back({{"Sequence", {{"id", "A"}}}});
    add(ends_.eos, trainer_.eos_piece);
    return {{"type", "TemplateProcessing"}, {"single", single}, {"special_tokens", tokens}};
  }

  const std::string& file_;
  SentencePieceEnds ends_;
  WireReader model_;
  Source out_;
  TrainerSpec trainer_;
  json normalizer_ = {{"type", "SentencePiece"}};
  std::optional<int64_t> unknown_;
  std::vector<std::string> user_defined_;
  int byte_pieces_ = 0;
};

}  // namespace

Source parse_sentencepiece_source(std::string_view bytes, const std::string& file, SentencePieceEnds ends) {
  return ModelReader(bytes, file, ends).read();
}

}  // namespace lmc::tokenizer
