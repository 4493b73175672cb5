// The values of `config:` out of a GGUF file's metadata and tensors.
#include <fnmatch.h>

#include <algorithm>

#include "models/language/builtin.h"
#include "models/load/gguf_import.h"
#include "models/load/model_parts.h"

namespace lmc {
namespace {

ConfigValue value_of(const GgufValue& v, const std::string& where) {
  if (const auto i = v.integer()) return {*i};
  if (const auto r = v.real()) return {*r};
  if (const auto t = v.text()) return {std::string(*t)};
  const auto list = [](const auto& items) {
    std::vector<ConfigValue> out;
    for (const auto& i : items) out.push_back({i});
    return ConfigValue{out};
  };
  if (const auto i = v.integers()) return list(*i);
  if (const auto r = v.reals()) return list(*r);
  throw Error(where + " is neither a number, a text nor a list of numbers");
}

constexpr int64_t kMaxNumbers = 65536;

// Keys are looked for behind the architecture's name first, as "gpt2.block_count", then as they are.
class ConfigReader {
 public:
  ConfigReader(const Definition& d, const GgufFile& file)
      : d_(d), file_(file), architecture_(file.architecture()) {}

  ConfigMap read() {
    const auto& names = d_.gguf.architectures;
    if (std::find(names.begin(), names.end(), architecture_) == names.end())
      throw Error(file_.path() + ": general.architecture is '" + architecture_ + "', " + d_.file +
                  " is for '" + names[0] + "'");
    for (const GgufConfigRule& rule : d_.gguf.config) {
      if (auto v = by_rule(rule)) out_[rule.name] = std::move(*v);
    }
    for (const auto& [name, paths] : d_.config) {
      if (!out_.contains(name)) out_[name] = by_default(name, paths);
    }
    return std::move(out_);
  }

  // What the rule says about the file; nullopt if nothing.
  std::optional<ConfigValue> by_rule(const GgufConfigRule& rule) {
    if (rule.value)
      return supported(rule, "what " + rule.loc.str() + " makes of it", evaluate_expr(*rule.value, out_));
    for (const std::string& key : rule.keys) {
      for (const std::string& full : {architecture_ + "." + key, key}) {
        if (const GgufValue* v = file_.find(full))
          return supported(rule, full, value_of(*v, file_.path() + ": metadata key '" + full + "'"));
      }
    }
    if (rule.about != GgufConfigRule::Tensor::none) {
      if (auto v = by_tensor(rule)) return v;
    }
    if (!rule.otherwise && !rule.keys.empty()) {
      throw Error(file_.path() + ": has no metadata key '" + architecture_ + "." + rule.keys[0] +
                  "', and there is no default for it (" + rule.loc.str() + ")");
    }
    return rule.otherwise;
  }

 private:
  ConfigValue supported(const GgufConfigRule& rule, const std::string& key, ConfigValue v) const {
    check_supported(d_, rule.name, key, v, file_.path());
    return v;
  }

  // Where only some layers have a tensor, it is asked for in all of them: "blk.*.attn_q.bias".
  bool is_pattern_of_one(const GgufConfigRule& rule) const {
    using Tensor = GgufConfigRule::Tensor;
    if (rule.about != Tensor::present && rule.about != Tensor::missing) return false;
    return std::any_of(file_.tensors().begin(), file_.tensors().end(), [&](const auto& tensor) {
      return ::fnmatch(rule.tensor.c_str(), tensor.first.c_str(), 0) == 0;
    });
  }

  std::optional<ConfigValue> by_tensor(const GgufConfigRule& rule) const {
    using Tensor = GgufConfigRule::Tensor;
    const auto it = file_.tensors().find(rule.tensor);
    const bool present = it != file_.tensors().end() || is_pattern_of_one(rule);
    if (rule.about == Tensor::numbers) return present ? numbers(it->second, rule) : std::nullopt;
    if (rule.about == Tensor::present) return ConfigValue{int64_t{present}};
    if (rule.about == Tensor::missing) return ConfigValue{int64_t{!present}};
    if (!present) {
      if (rule.about == Tensor::last) return std::nullopt;
      throw Error(file_.path() + ": there is no tensor '" + rule.tensor + "'");
    }
    const GgufFile::Tensor& t = it->second;
    if (rule.about == Tensor::last) {
      float last = 0;
      file_.read_row(t, t.rows() - 1, t.columns() - 1, std::span(&last, 1));
      return ConfigValue{static_cast<double>(last)};
    }
    if (rule.axis >= static_cast<int64_t>(t.shape.size())) {
      throw Error(file_.path() + ": tensor '" + rule.tensor + "' " + t.type_text() + " has no axis " +
                  std::to_string(rule.axis) + " (" + rule.loc.str() + ")");
    }
    return ConfigValue{t.shape[static_cast<size_t>(rule.axis)]};
  }

  std::optional<ConfigValue> numbers(const GgufFile::Tensor& t, const GgufConfigRule& rule) const {
    const int64_t n = t.columns();
    if (t.rows() != 1 || n > kMaxNumbers) {
      throw Error(file_.path() + ": tensor '" + rule.tensor + "' " + t.type_text() +
                  " should be a short list of numbers (" + rule.loc.str() + ")");
    }
    std::vector<float> row(static_cast<size_t>(n));
    file_.read_row(t, 0, 0, row);
    std::vector<ConfigValue> out;
    for (const float f : row) out.push_back({decimal(f)});
    return ConfigValue{std::move(out)};
  }

  ConfigValue by_default(const std::string& name, const std::vector<std::string>& paths) const {
    for (const std::string& p : paths) {
      if (d_.defaults.contains(p)) return d_.defaults.at(p);
    }
    throw Error(d_.config_loc.at(name), "'" + name + "' has neither a place under gguf: nor a default, so " +
                                            file_.path() + " cannot be read");
  }

  const Definition& d_;
  const GgufFile& file_;
  std::string architecture_;
  ConfigMap out_;
};

bool serves(const Definition& d, const GgufFile& file) {
  const auto& names = d.gguf.architectures;
  if (std::find(names.begin(), names.end(), file.architecture()) == names.end()) return false;
  if (!d.gguf.when) return true;
  return with_values_of(file.path(), [&] {
    const auto value = ConfigReader(d, file).by_rule(*d.gguf.when);
    return value && truth(*value, d.gguf.when->loc);
  });
}

}  // namespace

std::string builtin_for_gguf(const GgufFile& file) {
  const std::string wanted = file.architecture();
  const GgufValue* writer = file.find(kGgufFamily);
  const std::string family(writer ? writer->text().value_or("") : "");
  std::string found;
  int best = 0;
  std::string known;
  for (const std::string& name : builtin_names()) {
    const Definition d = read_definition(kBuiltin + name);
    for (const std::string& a : d.gguf.architectures) {
      if (known.find("'" + a + "'") == std::string::npos) known += (known.empty() ? "'" : ", '") + a + "'";
    }
    if (!serves(d, file)) continue;
    // Of several families the one that wrote the file, else one that says when it is meant, else the one that
    // the architecture is named after.
    const int fit = d.family == family ? 4 : d.gguf.when ? 3 : d.family == wanted ? 2 : 1;
    if (fit > best) {
      best = fit;
      found = kBuiltin + name;
    }
  }
  if (!found.empty()) return found;
  throw Error(file.path() + ": general.architecture is '" + wanted + "'; known are " + known +
              ". For another one write a model file with a gguf: table (models/README.md) and pass this file "
              "with --weights");
}

ConfigMap gguf_config(const Definition& d, const GgufFile& file) {
  if (d.gguf.empty()) throw Error(d.file + ": has no 'gguf:' table, so it cannot read " + file.path());
  return ConfigReader(d, file).read();
}

}  // namespace lmc
