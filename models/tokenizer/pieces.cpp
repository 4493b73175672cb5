// The five behaviours of Hugging Face's SplitDelimiterBehavior.
#include "models/tokenizer/pieces.h"

#include <algorithm>

namespace lmc::tokenizer {
namespace {

struct Part {
  size_t begin;
  size_t end;
  bool delimiter;
};

// The whole of `text` as delimiters and what is between them.
void find_parts(std::string_view text, const Finder& find, bool invert, std::vector<Part>& parts) {
  parts.clear();
  size_t done = 0;
  find(text, [&](size_t begin, size_t end) {
    if (begin > done) parts.push_back({done, begin, invert});
    parts.push_back({begin, end, !invert});
    done = end;
  });
  if (done < text.size()) parts.push_back({done, text.size(), invert});
}

// Joins a part to the one before it (in the order given) where `joins(part, previous is a delimiter)`.
template <typename Joins>
void join_parts(std::vector<Part>& parts, const Joins& joins) {
  std::vector<Part> out;
  bool previous = false;
  for (const Part& part : parts) {
    if (!out.empty() && joins(part.delimiter, previous)) {
      out.back().begin = std::min(out.back().begin, part.begin);
      out.back().end = std::max(out.back().end, part.end);
    } else {
      out.push_back(part);
    }
    previous = part.delimiter;
  }
  parts = std::move(out);
}

void apply_behavior(std::vector<Part>& parts, SplitBehavior behavior) {
  const auto first_delimiter = [](bool delimiter, bool previous) { return delimiter && !previous; };
  switch (behavior) {
    case SplitBehavior::kIsolated:
      return;
    case SplitBehavior::kRemoved:
      std::erase_if(parts, [](const Part& part) { return part.delimiter; });
      return;
    case SplitBehavior::kContiguous:
      join_parts(parts, [](bool delimiter, bool previous) { return delimiter == previous; });
      return;
    case SplitBehavior::kMergedWithPrevious:
      join_parts(parts, first_delimiter);
      return;
    case SplitBehavior::kMergedWithNext:
      std::reverse(parts.begin(), parts.end());
      join_parts(parts, first_delimiter);
      std::reverse(parts.begin(), parts.end());
      return;
  }
}

}  // namespace

void split_pieces(Pieces& pieces, const Finder& find, SplitBehavior behavior, bool invert) {
  std::vector<Piece> out;
  std::vector<Part> parts;
  for (const Piece& piece : pieces.pieces) {
    find_parts(pieces.view(piece), find, invert, parts);
    apply_behavior(parts, behavior);
    for (const Part& part : parts) {
      if (part.begin == part.end) continue;
      out.push_back({piece.begin + part.begin, piece.begin + part.end, piece.opens_text && part.begin == 0});
    }
  }
  pieces.pieces = std::move(out);
}

void rewrite_pieces(Pieces& pieces, const std::function<std::string(std::string_view, bool)>& rewrite) {
  std::string text;
  text.reserve(pieces.text.size() + pieces.text.size() / 4);
  for (Piece& piece : pieces.pieces) {
    const size_t begin = text.size();
    text += rewrite(pieces.view(piece), piece.opens_text);
    piece.begin = begin;
    piece.end = text.size();
  }
  pieces.text = std::move(text);
}

}  // namespace lmc::tokenizer
