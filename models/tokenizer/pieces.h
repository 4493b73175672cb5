// A text cut into pieces, and the ways a found delimiter cuts it further.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "models/tokenizer/regex.h"

namespace lmc::tokenizer {

struct Piece {
  size_t begin = 0;
  size_t end = 0;
  bool opens_text = false;  // stands at the very start of what the user wrote (Metaspace "first" asks)
};

struct Pieces {
  std::string text;
  std::vector<Piece> pieces;  // none is empty

  std::string_view view(const Piece& piece) const {
    return std::string_view(text).substr(piece.begin, piece.end - piece.begin);
  }
};

enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

// Calls a sink with every delimiter in a text.
using Finder = std::function<void(std::string_view text, const MatchSink& sink)>;

// Cuts every piece where `find` finds a delimiter. `invert`: what is found are the words, the rest delimits.
void split_pieces(Pieces& pieces, const Finder& find, SplitBehavior behavior, bool invert);

// Rewrites the text of every piece.
void rewrite_pieces(Pieces& pieces,
                    const std::function<std::string(std::string_view, bool opens_text)>& rewrite);

}  // namespace lmc::tokenizer
