// A model file, read and checked but not yet applied to a checkpoint. models/README.md documents the
// language.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/syntax.h"
#include "models/language/config_value.h"
#include "models/language/gguf_table.h"

namespace lmc {

struct YamlNode;

// IR statements that apply when a condition holds.
struct StatementBlock {
  std::optional<syntax::Expr> when;
  std::vector<syntax::Statement> statements;
};

// Statements grouped under the name the profile uses: "attention", "ffn".
struct NamedBlocks {
  std::string name;
  std::vector<StatementBlock> blocks;
};

struct NamedExpr {
  std::string name;
  syntax::Expr expr;
};

struct WeightShape {
  std::string name;  // without prefix
  std::vector<syntax::Expr> dims;
  std::optional<syntax::Expr> when;  // the checkpoint has it only then
  std::string stack;                 // a stack of tensors, "experts.{index}.w1.weight"; empty: one tensor
  syntax::Expr of;                   // how many
  Location loc;
};

// A cache of each layer for which `when` holds: keys and values of heads (`%kv`), rows (`%rows`), or a
// recurrent state of heads (`%state`).
struct CacheRule {
  std::optional<syntax::Expr> when;
  std::optional<syntax::Expr> span;  // a state has none
  syntax::Expr dim;
  std::optional<syntax::Expr> heads;      // rows have none
  std::optional<syntax::Expr> value_dim;  // where values are not as wide as keys
};

struct Definition {
  std::string file;
  std::string family;
  std::vector<std::string> model_types;  // of the config.json files it is for; family if not given
  std::string checkpoint;
  std::string example_prompt;
  Location checkpoint_loc;
  int64_t quant_min_dim = 0;
  std::string quant_format = "q8_0";  // rules of the pass quantize
  std::string nested;                 // key of config.json that holds the text model, if present
  ConfigMap defaults;                 // by config.json key
  std::vector<std::pair<std::string, ConfigMap>> sizes;                  // first is the default
  std::vector<std::pair<std::string, std::vector<std::string>>> config;  // name → config.json paths to try
  std::map<std::string, Location> config_loc;
  std::map<std::string, std::vector<ConfigValue>> supports;  // name in config → the values that may be
  std::vector<NamedExpr> let;                                // derived once
  std::vector<NamedExpr> per_layer;                          // derived for every layer; $layer is its index
  std::vector<std::string> prefixes;                         // tensor names are tried with each
  std::vector<std::string> ignore;                           // patterns of tensors that may stay unused
  std::optional<syntax::Expr> ignore_layers_from;            // … and layers from this one on
  std::vector<WeightShape> weights;
  std::vector<WeightShape> layer_weights;
  std::string layer_prefix;  // "layers.{layer}."
  syntax::Expr layers, context, vocab;
  std::optional<CacheRule> kv, rows, state;
  NamedBlocks embed, head;
  std::vector<NamedBlocks> layer;
  GgufTable gguf;
};

// Reads a model file, following `extends:`; "builtin:NAME.yaml" is one compiled in
// (models/language/builtin.h). Throws Error with line and column.
Definition read_definition(const std::string& path);

// Refuses (Error) a value that supports: does not list; `key` is what `source` calls it.
void check_supported(const Definition& d, const std::string& name, const std::string& key,
                     const ConfigValue& value, const std::string& source);

// A name with its placeholder filled in: "layers.{layer}.", "{layer}", "3" → "layers.3.".
std::string filled_in(std::string name, const std::string& placeholder, const std::string& by);

// Value of a scalar, list or null node.
ConfigValue config_value(const YamlNode& node);

}  // namespace lmc
