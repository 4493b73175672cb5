#include "models/language/gguf_table.h"

#include <algorithm>

#include "models/language/definition.h"
#include "models/language/yaml_fields.h"

namespace lmc {
namespace {

using Kind = YamlNode::Kind;

[[noreturn]] void unknown_key(const YamlNode& key, const std::string& where, const std::string& known) {
  throw Error(key.loc, "unknown key '" + key.text + "' in " + where + "; it has " + known);
}

void check_index(const GgufTensorRule& r) {
  if (r.of.has_value() != (r.tensor.find("{index}") != std::string::npos))
    throw Error(r.loc, "tensors that are stored as one have {index} in their name and say of: how many");
  if (!r.apart.empty() && !(r.of && r.apart.find("{index}") != std::string::npos))
    throw Error(r.loc, "apart: is the name, with {index}, of tensors that are stored as one in other files");
}

GgufTensorRule tensor_rule(const YamlNode& name, const YamlNode& n) {
  GgufTensorRule r;
  r.tensor = name.text;
  r.loc = name.loc;
  if (n.kind != Kind::map) {
    r.name = yaml_text(n, "a tensor's name");
    check_index(r);
    return r;
  }
  for (const auto& [key, value] : n.entries) {
    if (key.text == "name") {
      r.name = yaml_text(value, "name");
    } else if (key.text == "transpose") {
      r.transpose = truth(config_value(value), value.loc);
    } else if (key.text == "squeeze") {
      r.squeeze = truth(config_value(value), value.loc);
    } else if (key.text == "row") {
      r.row = yaml_expr(value);
    } else if (key.text == "plus") {
      r.plus = static_cast<double>(whole(config_value(value), value.loc, "plus"));
    } else if (key.text == "times") {
      r.times = yaml_expr(value);
    } else if (key.text == "rope_heads") {
      r.rope_heads = yaml_expr(value);
    } else if (key.text == "parts") {
      if (value.kind != Kind::list) throw Error(value.loc, "parts must be a list of numbers of rows");
      for (const YamlNode& part : value.items) r.parts.push_back(yaml_expr(part));
    } else if (key.text == "of") {
      r.of = yaml_expr(value);
    } else if (key.text == "apart") {
      r.apart = yaml_text(value, "apart");
    } else {
      unknown_key(key, "a gguf tensor",
                  "name, transpose, squeeze, row, plus, times, rope_heads, parts, of and apart");
    }
  }
  if (r.name.empty()) throw Error(n.loc, "a gguf tensor needs a name");
  if (r.squeeze && (r.transpose || r.of))
    throw Error(n.loc, "squeeze goes neither with transpose nor with of");
  if (r.row && (r.transpose || r.squeeze || r.of || r.rope_heads || !r.parts.empty()))
    throw Error(n.loc, "row goes with plus and times only");
  if (int{r.transpose} + int{r.rope_heads.has_value()} + int{!r.parts.empty()} > 1)
    throw Error(n.loc, "transpose, rope_heads and parts do not go together");
  check_index(r);
  return r;
}

std::vector<GgufTensorRule> tensor_rules(const YamlNode& n) {
  std::vector<GgufTensorRule> out;
  for (const auto& [key, value] : yaml_map(n, "gguf tensors").entries) out.push_back(tensor_rule(key, value));
  return out;
}

GgufConfigRule config_rule(const YamlNode& name, const YamlNode& n) {
  using Tensor = GgufConfigRule::Tensor;
  GgufConfigRule r;
  r.name = name.text;
  r.loc = name.loc;
  if (n.kind != Kind::map) {
    r.keys = yaml_texts(n, "metadata keys");
    return r;
  }
  const auto about = [&](Tensor t, const YamlNode& value) {
    if (r.about != Tensor::none)
      throw Error(value.loc, "only one of tensor, present, missing, last and numbers");
    r.about = t;
    r.tensor = yaml_text(value, "a tensor's name");
  };
  for (const auto& [key, value] : n.entries) {
    if (key.text == "key") {
      r.keys = yaml_texts(value, "metadata keys");
    } else if (key.text == "tensor") {
      about(Tensor::size, value);
    } else if (key.text == "present") {
      about(Tensor::present, value);
    } else if (key.text == "missing") {
      about(Tensor::missing, value);
    } else if (key.text == "last") {
      about(Tensor::last, value);
    } else if (key.text == "numbers") {
      about(Tensor::numbers, value);
    } else if (key.text == "axis") {
      r.axis = whole(config_value(value), value.loc, "axis");
    } else if (key.text == "value") {
      r.value = yaml_expr(value);
    } else if (key.text == "default") {
      r.otherwise = config_value(value);
    } else {
      unknown_key(key, "a gguf config value",
                  "key, tensor and axis, present, missing, last, numbers, default, value");
    }
  }
  if ((r.about == Tensor::size) != (n.find("axis") != nullptr) || r.axis < 0)
    throw Error(n.loc, "tensor and axis go together");
  if (r.value ? n.entries.size() > 1 : r.keys.empty() && r.about == Tensor::none)
    throw Error(n.loc, "a gguf config value has a key, a tensor, or nothing but a value");
  return r;
}

GgufWriteRule write_rule(const YamlNode& name, const YamlNode& n) {
  using Written = GgufWriteRule::Kind;
  if (n.kind != Kind::map) return {name.text, yaml_expr(n), Written::value};
  const YamlNode* each = n.find("per_layer");
  const YamlNode* truth = n.find("boolean");
  if (n.entries.size() != 1 || (!each && !truth)) {
    throw Error(n.loc,
                "metadata is an expression, {boolean: …}, or an expression for each layer: {per_layer: …}");
  }
  return {name.text, yaml_expr(each ? *each : *truth), each ? Written::per_layer : Written::boolean};
}

GgufMadeTensor made_tensor(const YamlNode& name, const YamlNode& n) {
  const YamlNode& table = yaml_map(n, "a made tensor");
  const YamlNode* when = table.find("when");
  const YamlNode* size = table.find("size");
  const YamlNode* value = table.find("value");
  if (!when || !size || !value || table.entries.size() != 3)
    throw Error(n.loc, "a made tensor has the keys when, size and value");
  return {name.text, yaml_expr(*when), yaml_expr(*size), yaml_expr(*value), name.loc};
}

}  // namespace

GgufTable read_gguf_table(const YamlNode& n) {
  GgufTable t;
  for (const auto& [key, value] : yaml_map(n, "gguf").entries) {
    if (key.text == "architecture") {
      t.architectures = yaml_texts(value, "architecture");
    } else if (key.text == "when") {
      t.when = config_rule(key, value);
    } else if (key.text == "config") {
      for (const auto& [name, rule] : yaml_map(value, "gguf config").entries)
        t.config.push_back(config_rule(name, rule));
    } else if (key.text == "write") {
      for (const auto& [name, e] : yaml_map(value, "gguf write").entries)
        t.write.push_back(write_rule(name, e));
    } else if (key.text == "folded") {
      t.folded = yaml_texts(value, "folded");
    } else if (key.text == "tensors") {
      t.tensors = tensor_rules(value);
    } else if (key.text == "layer_tensors") {
      t.layer_tensors = tensor_rules(value);
    } else if (key.text == "made") {
      for (const auto& [name, made] : yaml_map(value, "gguf made").entries)
        t.made.push_back(made_tensor(name, made));
    } else if (key.text == "ignore") {
      t.ignore = yaml_texts(value, "ignore");
    } else {
      unknown_key(key, "gguf",
                  "architecture, when, config, write, folded, tensors, layer_tensors, made and ignore");
    }
  }
  if (t.architectures.empty() || t.config.empty() || t.tensors.empty() || t.layer_tensors.empty())
    throw Error(n.loc, "gguf needs architecture, config, tensors and layer_tensors");
  return t;
}

bool gguf_table_grows(const std::string& key) {
  return key == "config" || key == "write" || key == "tensors" || key == "layer_tensors" || key == "made";
}

}  // namespace lmc
