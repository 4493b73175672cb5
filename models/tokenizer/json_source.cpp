// nlohmann's SAX interface: a DOM of a 28 MB file would take most of the time and memory.
#include "models/tokenizer/json_source.h"

#include <algorithm>

#include "ir/error.h"
#include "models/text/json_text.h"

namespace lmc::tokenizer {
namespace {

using nlohmann::json;

constexpr size_t kMaxDepth = 64;

class SourceReader : public nlohmann::json_sax<json> {
 public:
  SourceReader(std::string_view text, const std::string& file, Source& out)
      : text_(text), file_(file), out_(out) {}

  bool null() override { return value(nullptr); }
  bool boolean(bool v) override { return value(v); }
  bool number_integer(number_integer_t v) override {
    return mode_ == Mode::kVocab ? entry(v) : awaits_score() ? score(static_cast<double>(v)) : value(v);
  }
  bool number_unsigned(number_unsigned_t v) override {
    if (mode_ == Mode::kVocab) return entry(static_cast<int64_t>(std::min<uint64_t>(v, INT64_MAX)));
    return awaits_score() ? score(static_cast<double>(v)) : value(v);
  }
  bool number_float(number_float_t v, const string_t&) override {
    return awaits_score() ? score(v) : value(v);
  }
  bool string(string_t& v) override {
    if (mode_ == Mode::kMerges) return merge_text(v);
    return mode_ == Mode::kPieces ? piece_text(v) : value(std::move(v));
  }
  bool binary(binary_t&) override { return false; }

  bool start_object(size_t) override {
    if (mode_ == Mode::kDom && at_model_key("vocab")) {
      mode_ = Mode::kVocab;
      out_.has_vocab = true;
      return true;
    }
    return open(json::object());
  }
  bool key(string_t& v) override {
    if (mode_ == Mode::kVocab) {
      entry_key_ = v;
    } else {
      keys_.back() = v;
    }
    return true;
  }
  bool end_object() override { return mode_ == Mode::kVocab ? end_table() : close(); }

  bool start_array(size_t) override {
    if (mode_ == Mode::kDom && at_model_key("merges")) {
      mode_ = Mode::kMerges;
      out_.has_merges = true;
      return true;
    }
    if (mode_ == Mode::kDom && at_model_key("vocab")) {
      mode_ = Mode::kPieces;
      out_.has_pieces = true;
      return true;
    }
    if ((mode_ == Mode::kMerges || mode_ == Mode::kPieces) && !in_pair_) {
      in_pair_ = true;
      pair_.clear();
      return true;
    }
    return open(json::array());
  }
  bool end_array() override {
    if (mode_ == Mode::kDom) return close();
    if (!in_pair_) return end_table();
    in_pair_ = false;
    if (mode_ == Mode::kPieces) {
      if (!has_score_) fail_piece("expected [token, score]");
      has_score_ = false;
      return true;
    }
    if (pair_.size() != 2) fail_merge("expected two tokens, found " + std::to_string(pair_.size()));
    add_merge(pair_[0], pair_[1]);
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& e) override {
    throw json_error(text_, position, file_, e);
  }

 private:
  enum class Mode { kDom, kVocab, kPieces, kMerges };

  [[noreturn]] void fail(const std::string& message) const { throw Error(Location{file_}, message); }
  [[noreturn]] void fail_merge(const std::string& message) const {
    fail("model.merges[" + std::to_string(out_.merges.size()) + "]: " + message);
  }

  [[noreturn]] void fail_piece(const std::string& message) const {
    const size_t index = out_.vocab.size() - (has_score_ ? 1 : 0);
    fail("model.vocab[" + std::to_string(index) + "]: " + message);
  }

  bool at_model_key(const char* name) const {
    return stack_.size() == 2 && keys_[0] == "model" && keys_[1] == name && stack_[1]->is_object();
  }

  // Puts a value where it belongs in the DOM and returns its place.
  json* place(json v) {
    if (mode_ == Mode::kVocab) {
      fail("model.vocab['" + entry_key_ + "']: expected an integer id, found " + std::string(v.type_name()));
    }
    if (mode_ == Mode::kMerges)
      fail_merge("expected a string or a pair of strings, found " + std::string(v.type_name()));
    if (mode_ == Mode::kPieces) fail_piece("expected [token, score], found " + std::string(v.type_name()));
    if (stack_.empty()) return &(out_.rest = std::move(v));
    json& parent = *stack_.back();
    if (parent.is_array()) return &parent.emplace_back(std::move(v));
    return &(parent[keys_.back()] = std::move(v));
  }
  bool value(json v) {
    place(std::move(v));
    return true;
  }
  bool open(json v) {
    json* placed = place(std::move(v));
    if (stack_.size() >= kMaxDepth) fail("nested deeper than " + std::to_string(kMaxDepth) + " levels");
    stack_.push_back(placed);
    keys_.emplace_back();
    return true;
  }
  bool close() {
    stack_.pop_back();
    keys_.pop_back();
    return true;
  }
  bool end_table() {
    mode_ = Mode::kDom;
    return true;
  }

  size_t add_text(std::string_view text) {
    if (out_.pool.size() + text.size() > Source::kMaxPool)
      fail("vocab and merges hold more than 2 GiB of text");
    out_.pool += text;
    return out_.pool.size() - text.size();
  }
  bool entry(int64_t id) {
    if (id < 0 || id >= kMaxIds) {
      fail("model.vocab['" + entry_key_ + "']: the id " + std::to_string(id) + " is not within 0 to " +
           std::to_string(kMaxIds - 1));
    }
    out_.vocab.push_back(
        {add_text(entry_key_), static_cast<uint32_t>(entry_key_.size()), static_cast<int32_t>(id)});
    return true;
  }
  bool piece_text(std::string& text) {
    if (!in_pair_ || !pair_.empty()) fail_piece("expected [token, score]");
    pair_.push_back(std::move(text));
    return true;
  }
  bool awaits_score() const { return mode_ == Mode::kPieces && in_pair_ && pair_.size() == 1 && !has_score_; }
  bool score(double score) {
    if (out_.vocab.size() >= static_cast<size_t>(kMaxIds)) fail("model.vocab: more than 2^24 tokens");
    out_.vocab.push_back({add_text(pair_[0]), static_cast<uint32_t>(pair_[0].size()),
                          static_cast<int32_t>(out_.vocab.size()), score});
    has_score_ = true;
    return true;
  }
  bool merge_text(std::string& text) {
    if (in_pair_) {
      if (pair_.size() < 3) pair_.push_back(std::move(text));
      return true;
    }
    const size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) {
      fail_merge("expected two tokens with one space between, found '" + text + "'");
    }
    add_merge(std::string_view(text).substr(0, space), std::string_view(text).substr(space + 1));
    return true;
  }
  void add_merge(std::string_view left, std::string_view right) {
    const size_t offset = add_text(left);
    add_text(right);
    out_.merges.push_back({offset, static_cast<uint32_t>(left.size()), static_cast<uint32_t>(right.size())});
  }

  std::string_view text_;
  const std::string& file_;
  Source& out_;
  Mode mode_ = Mode::kDom;
  std::vector<json*> stack_;       // open objects and lists
  std::vector<std::string> keys_;  // the key being read in each of them
  std::string entry_key_;
  bool in_pair_ = false;
  std::vector<std::string> pair_;
  bool has_score_ = false;  // of the pair being read
};

}  // namespace

Source parse_json_source(std::string_view text, const std::string& file) {
  Source out;
  SourceReader reader(text, file, out);
  json::sax_parse(text.data(), text.data() + text.size(), &reader);
  return out;
}

}  // namespace lmc::tokenizer
