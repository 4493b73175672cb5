// The `gguf:` part of a model file: how GGUF files call and store what this family has.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ir/syntax.h"
#include "models/language/config_value.h"

namespace lmc {

struct YamlNode;

// A tensor's name and how its numbers differ from the checkpoint tensor they stand for: stored is
// (number + plus) · times, and rows may stand in another order.
struct GgufTensorRule {
  std::string tensor;  // of the model file, without prefix
  std::string name;    // "attn_q.weight"
  bool transpose = false;
  bool squeeze = false;             // [a, 1, b] is stored as [a, b]
  std::optional<syntax::Expr> row;  // a vector is stored as a matrix with rows of so many numbers
  double plus = 0;
  std::optional<syntax::Expr> times;
  std::optional<syntax::Expr> rope_heads;  // rows of each head are stored as rotated pairs side by side
  std::vector<syntax::Expr> parts;         // rows of each block that are stored apart from the others
  std::optional<syntax::Expr> of;  // so many tensors, told apart by {index}, are stored as one of rank 3 …
  std::string apart;               // … or, in old files, apart under this name with {index}
  Location loc;
};

// Where a value of `config:` comes from: the first metadata key there is, then the tensor (its size along
// `axis`; is it there?, is it not?; its last number; all of its numbers), then `otherwise`.
struct GgufConfigRule {
  enum class Tensor { none, size, present, missing, last, numbers };
  std::string name;
  std::vector<std::string> keys;
  Tensor about = Tensor::none;
  std::string tensor;
  int64_t axis = 0;
  std::optional<syntax::Expr> value;  // over the values above, instead of all that
  std::optional<ConfigValue> otherwise;
  Location loc;
};

// Metadata for other programs.
struct GgufWriteRule {
  std::string key;
  enum class Kind { value, per_layer, boolean };
  syntax::Expr value;  // over config: and let:
  Kind kind;           // per_layer: a list of whole numbers, one of each layer, over per_layer: too
};

// A vector that follows from the configuration, for programs that compute less themselves.
struct GgufMadeTensor {
  std::string name;
  syntax::Expr when, size, value;  // `value` of element $i
  Location loc;
};

struct GgufTable {
  std::vector<std::string> architectures;  // general.architecture; the first is written
  std::optional<GgufConfigRule> when;      // of the files with these, which ones it is for
  std::vector<GgufConfigRule> config;
  std::vector<GgufWriteRule> write;
  std::vector<std::string> folded;  // values of `config:` that writing works into the weights
  std::vector<GgufTensorRule> tensors;
  std::vector<GgufTensorRule> layer_tensors;  // stored as blk.N.name
  std::vector<GgufMadeTensor> made;
  std::vector<std::string> ignore;  // patterns of tensors that may stay unused

  bool empty() const { return architectures.empty(); }
};

// Throws Error with the line.
GgufTable read_gguf_table(const YamlNode& n);
// Is this key of gguf: a table to which a file that extends another one adds its own entries?
bool gguf_table_grows(const std::string& key);

}  // namespace lmc
