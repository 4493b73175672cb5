#include "models/language/definition.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <set>

#include "ir/files.h"
#include "models/language/builtin.h"
#include "models/language/yaml_fields.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

using Kind = YamlNode::Kind;
constexpr int kMaxExtends = 8;

std::string read_text(const std::string& path) {
  if (path.starts_with(kBuiltin)) return builtin_text(path.substr(kBuiltin.size()));
  std::error_code ec;
  if (fs::is_directory(path, ec)) throw Error(path + ": is a folder; a model file (YAML) is needed");
  return read_file(path);
}

std::vector<syntax::Statement> statements(const YamlNode& n) {
  return syntax::parse_statements(yaml_text(n, "IR statements"), n.loc.file, n.text_line);
}

// "|" text, or a list of texts and {when, do} tables.
std::vector<StatementBlock> blocks(const YamlNode& n) {
  if (n.kind != Kind::list) return {{std::nullopt, statements(n)}};
  std::vector<StatementBlock> out;
  for (const YamlNode& item : n.items) {
    if (item.kind != Kind::map) {
      out.push_back({std::nullopt, statements(item)});
      continue;
    }
    const YamlNode* when = item.find("when");
    const YamlNode* then = item.find("do");
    if (!when || !then || item.entries.size() != 2)
      throw Error(item.loc, "a conditional block has the keys when: and do:");
    out.push_back({yaml_expr(*when), statements(*then)});
  }
  return out;
}

// {shape: […], when: …, stack: …{index}…, of: …}, of which when, or stack and of, may be left out: returns
// the shape.
const YamlNode& table_of_weight(const YamlNode& n, WeightShape& w) {
  const YamlNode* shape = n.find("shape");
  const YamlNode* when = n.find("when");
  const YamlNode* stack = n.find("stack");
  const YamlNode* of = n.find("of");
  const size_t known = size_t{shape != nullptr} + (when ? 1 : 0) + (stack ? 1 : 0) + (of ? 1 : 0);
  if (!shape || (stack != nullptr) != (of != nullptr) || known == 1 || known != n.entries.size()) {
    throw Error(n.loc,
                "a weight that is not always there has the keys shape: and when:, one that is a stack of "
                "tensors shape:, stack: and of:, and when: if it is not always there");
  }
  if (when) w.when = yaml_expr(*when);
  if (stack) {
    w.stack = yaml_text(*stack, "stack");
    w.of = yaml_expr(*of);
    if (w.stack.find("{index}") == std::string::npos)
      throw Error(stack->loc,
                  "the tensors of a stack are told apart by {index}, which '" + w.stack + "' lacks");
  }
  return *shape;
}

std::vector<WeightShape> shapes(const YamlNode& n) {
  std::vector<WeightShape> out;
  for (const auto& [name, dims] : yaml_map(n, "weights").entries) {
    WeightShape w{name.text, {}, std::nullopt, "", {}, name.loc};
    const YamlNode* shape = dims.kind == Kind::map ? &table_of_weight(dims, w) : &dims;
    if (shape->kind != Kind::list) throw Error(shape->loc, "a shape must be a list such as [$vocab, $dim]");
    for (const YamlNode& d : shape->items) w.dims.push_back(yaml_expr(d));
    out.push_back(std::move(w));
  }
  return out;
}

ConfigMap values(const YamlNode& n, const std::string& what) {
  ConfigMap out;
  for (const auto& [key, value] : yaml_map(n, what).entries) out[key.text] = config_value(value);
  return out;
}

std::vector<NamedExpr> named(const YamlNode& n, const std::string& what) {
  std::vector<NamedExpr> out;
  for (const auto& [key, value] : yaml_map(n, what).entries) out.push_back({key.text, yaml_expr(value)});
  return out;
}

void read_quantize(const YamlNode& n, Definition& d) {
  for (const auto& [key, value] : yaml_map(n, "quantize").entries) {
    if (key.text == "min_dim") {
      d.quant_min_dim = whole(config_value(value), value.loc, "min_dim");
    } else if (key.text == "format") {
      d.quant_format = yaml_text(value, "format");
    } else {
      throw Error(key.loc, "unknown key '" + key.text + "' in quantize; it has min_dim and format");
    }
  }
}

void read_supports(const YamlNode& n, Definition& d) {
  for (const auto& [key, value] : yaml_map(n, "supports").entries) {
    if (value.kind != Kind::list) throw Error(value.loc, "the supported values must be a list");
    for (const YamlNode& v : value.items) d.supports[key.text].push_back(config_value(v));
  }
}

CacheRule read_cache(const YamlNode& n, const std::string& name) {
  CacheRule out;
  const bool heads = name != "rows", span = name != "state", value_dim = name == "kv";
  std::set<std::string> given;
  for (const auto& [key, value] : yaml_map(n, name).entries) {
    given.insert(key.text);
    if (span && key.text == "span")
      out.span = yaml_expr(value);
    else if (key.text == "dim")
      out.dim = yaml_expr(value);
    else if (key.text == "when")
      out.when = yaml_expr(value);
    else if (heads && key.text == "heads")
      out.heads = yaml_expr(value);
    else if (value_dim && key.text == "value_dim")
      out.value_dim = yaml_expr(value);
    else
      throw Error(key.loc, "unknown key '" + key.text + "' in " + name + "; it has " +
                               (span ? "span, " : "") + (heads ? "heads, " : "") + "dim" +
                               (value_dim ? ", value_dim" : "") + " and when");
  }
  if ((span && !given.contains("span")) || !given.contains("dim") || (heads && !given.contains("heads")))
    throw Error(n.loc, name + " needs " +
                           (span && heads ? "span, heads"
                            : span        ? "span"
                                          : "heads") +
                           " and dim");
  return out;
}

using Reader = std::function<void(const YamlNode&, Definition&)>;

const std::map<std::string, Reader>& readers() {
  static const std::map<std::string, Reader> table = {
      {"family", [](const YamlNode& n, Definition& d) { d.family = yaml_text(n, "family"); }},
      {"model_types", [](const YamlNode& n, Definition& d) { d.model_types = yaml_texts(n, "model_types"); }},
      {"supports", read_supports},
      {"checkpoint",
       [](const YamlNode& n, Definition& d) {
         d.checkpoint = n.kind == Kind::null ? "" : yaml_text(n, "checkpoint");
         d.checkpoint_loc = n.loc;
       }},
      {"example_prompt",
       [](const YamlNode& n, Definition& d) { d.example_prompt = yaml_text(n, "example_prompt"); }},
      {"quantize", read_quantize},
      {"nested", [](const YamlNode& n, Definition& d) { d.nested = yaml_text(n, "nested"); }},
      {"defaults", [](const YamlNode& n, Definition& d) { d.defaults = values(n, "defaults"); }},
      {"sizes",
       [](const YamlNode& n, Definition& d) {
         for (const auto& [key, value] : yaml_map(n, "sizes").entries)
           d.sizes.emplace_back(key.text, values(value, "a size"));
       }},
      {"config",
       [](const YamlNode& n, Definition& d) {
         for (const auto& [key, value] : yaml_map(n, "config").entries) {
           d.config.emplace_back(key.text, yaml_texts(value, "config"));
           d.config_loc[key.text] = key.loc;
         }
       }},
      {"let", [](const YamlNode& n, Definition& d) { d.let = named(n, "let"); }},
      {"per_layer", [](const YamlNode& n, Definition& d) { d.per_layer = named(n, "per_layer"); }},
      {"prefixes", [](const YamlNode& n, Definition& d) { d.prefixes = yaml_texts(n, "prefixes"); }},
      {"ignore", [](const YamlNode& n, Definition& d) { d.ignore = yaml_texts(n, "ignore"); }},
      {"ignore_layers_from", [](const YamlNode& n, Definition& d) { d.ignore_layers_from = yaml_expr(n); }},
      {"weights", [](const YamlNode& n, Definition& d) { d.weights = shapes(n); }},
      {"layer_weights", [](const YamlNode& n, Definition& d) { d.layer_weights = shapes(n); }},
      {"layer_prefix",
       [](const YamlNode& n, Definition& d) { d.layer_prefix = yaml_text(n, "layer_prefix"); }},
      {"layers", [](const YamlNode& n, Definition& d) { d.layers = yaml_expr(n); }},
      {"context", [](const YamlNode& n, Definition& d) { d.context = yaml_expr(n); }},
      {"vocab", [](const YamlNode& n, Definition& d) { d.vocab = yaml_expr(n); }},
      {"gguf", [](const YamlNode& n, Definition& d) { d.gguf = read_gguf_table(n); }},
      {"kv", [](const YamlNode& n, Definition& d) { d.kv = read_cache(n, "kv"); }},
      {"rows", [](const YamlNode& n, Definition& d) { d.rows = read_cache(n, "rows"); }},
      {"state", [](const YamlNode& n, Definition& d) { d.state = read_cache(n, "state"); }},
      {"embed",
       [](const YamlNode& n, Definition& d) {
         d.embed = {"embed", blocks(n)};
       }},
      {"head",
       [](const YamlNode& n, Definition& d) {
         d.head = {"head", blocks(n)};
       }},
      {"layer",
       [](const YamlNode& n, Definition& d) {
         for (const auto& [key, value] : yaml_map(n, "layer").entries)
           d.layer.push_back({key.text, blocks(value)});
       }},
  };
  return table;
}

std::string known_keys() {
  std::string out;
  for (const auto& [key, reader] : readers()) out += (out.empty() ? "" : ", ") + key;
  return out;
}

// A file named in another one.
std::string beside(const std::string& path, const std::string& name) {
  if (path.starts_with(kBuiltin)) return kBuiltin + name;
  return (fs::path(path).parent_path() / name).lexically_normal().string();
}

// Tables of named things, to which a file that extends another one adds its own; it replaces other keys
// whole.
bool grows(const std::string& key) {
  static const std::set<std::string> tables = {"defaults", "config",        "supports", "let", "per_layer",
                                               "weights",  "layer_weights", "layer",    "gguf"};
  return tables.contains(key);
}

// An entry of the same name takes the old one's place, a new one comes last; null takes the old one away.
void put(std::vector<YamlEntry>& table, const YamlEntry& entry, bool null_removes) {
  const auto at =
      std::find_if(table.begin(), table.end(), [&](const auto& k) { return k.key.text == entry.key.text; });
  if (null_removes && entry.value.kind == Kind::null) {
    if (at == table.end()) throw Error(entry.key.loc, "'" + entry.key.text + "' is not there to be removed");
    table.erase(at);
  } else if (at == table.end()) {
    table.push_back(entry);
  } else {
    *at = entry;
  }
}

// Adds the entries of a table to those of the file it extends.
void grow(YamlNode& base, const YamlNode& more, const std::string& name) {
  // A default of null is a value; elsewhere null takes an entry away.
  const bool removes = name != "defaults" && name != "let" && name != "per_layer";
  for (const auto& item : yaml_map(more, name).entries) {
    const auto old = std::find_if(base.entries.begin(), base.entries.end(),
                                  [&](const auto& k) { return k.key.text == item.key.text; });
    const bool nested = name == "gguf" && gguf_table_grows(item.key.text) && old != base.entries.end() &&
                        item.value.kind == Kind::map && old->value.kind == Kind::map;
    nested ? grow(old->value, item.value, "gguf " + item.key.text) : put(base.entries, item, removes);
  }
}

// The file's keys, those of the file it extends first.
std::vector<YamlEntry> load_keys(const std::string& path, int depth) {
  const YamlNode root = parse_yaml(read_text(path), path);
  if (root.kind != Kind::map) throw Error(root.loc, "a model file is a table of names and values");
  std::vector<YamlEntry> keys;
  if (const YamlNode* base = root.find("extends")) {
    if (depth >= kMaxExtends) throw Error(base->loc, "extends: goes in a circle");
    keys = load_keys(beside(path, yaml_text(*base, "extends")), depth + 1);
  }
  for (const auto& entry : root.entries) {
    if (entry.key.text == "extends") continue;
    if (!readers().contains(entry.key.text)) {
      throw Error(entry.key.loc, "unknown key '" + entry.key.text + "'; known are extends, " + known_keys());
    }
    const auto old =
        std::find_if(keys.begin(), keys.end(), [&](const auto& k) { return k.key.text == entry.key.text; });
    if (old == keys.end() || !grows(entry.key.text) || old->value.kind != Kind::map) {
      put(keys, entry, false);
      continue;
    }
    grow(old->value, entry.value, entry.key.text);
  }
  return keys;
}

}  // namespace

ConfigValue config_value(const YamlNode& n) {
  if (n.kind == Kind::null) return {};
  if (n.kind == Kind::list) {
    std::vector<ConfigValue> items;
    for (const YamlNode& i : n.items) items.push_back(config_value(i));
    return {items};
  }
  if (n.kind == Kind::map) throw Error(n.loc, "a value or a list is expected here");
  if (!n.plain) return {n.text};
  if (n.text == "true" || n.text == "false") return {int64_t{n.text == "true"}};
  if (n.text == "null" || n.text == "~") return {};
  const char* first = n.text.data();
  const char* last = first + n.text.size();
  int64_t i = 0;
  if (const auto r = std::from_chars(first, last, i); r.ec == std::errc() && r.ptr == last) return {i};
  double d = 0;
  if (const auto r = std::from_chars(first, last, d); r.ec == std::errc() && r.ptr == last) return {d};
  return {n.text};
}

std::string filled_in(std::string name, const std::string& placeholder, const std::string& by) {
  if (const size_t at = name.find(placeholder); at != std::string::npos)
    name.replace(at, placeholder.size(), by);
  return name;
}

void check_supported(const Definition& d, const std::string& name, const std::string& key,
                     const ConfigValue& value, const std::string& source) {
  const auto s = d.supports.find(name);
  if (s == d.supports.end() || std::find(s->second.begin(), s->second.end(), value) != s->second.end())
    return;
  std::string known;
  for (const ConfigValue& v : s->second) known += (known.empty() ? "" : ", ") + v.str();
  throw Error(source + ": " + key + " is " + value.str() + "; " + d.file + " supports " + known);
}

Definition read_definition(const std::string& path) {
  Definition d;
  d.file = path;
  for (const auto& [key, value] : load_keys(path, 0)) readers().at(key.text)(value, d);
  const auto need = [&](bool ok, const std::string& key) {
    if (!ok) throw Error({path, 0, 0}, "the model file has no '" + key + ":'");
  };
  need(!d.family.empty(), "family");
  need(!d.config.empty(), "config");
  need(!d.embed.blocks.empty(), "embed");
  need(!d.layer.empty(), "layer");
  need(!d.head.blocks.empty(), "head");
  need(d.layers.loc.line > 0, "layers");
  need(d.context.loc.line > 0, "context");
  need(d.vocab.loc.line > 0, "vocab");
  need(d.kv || d.rows || d.state, "kv");
  if (d.prefixes.empty()) d.prefixes = {""};
  if (d.model_types.empty()) d.model_types = {d.family};
  for (const auto& [name, values] : d.supports) {
    if (!d.config_loc.contains(name))
      throw Error({path, 0, 0}, "supports: names '" + name + "', which is not in config:");
  }
  return d;
}

}  // namespace lmc
