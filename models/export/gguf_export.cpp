#include "models/export/gguf_export.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "ir/block_format.h"
#include "ir/files.h"
#include "ir/op_def.h"
#include "ir/text.h"
#include "models/export/gguf_form.h"
#include "models/export/gguf_rows.h"
#include "models/export/gguf_tokenizer.h"
#include "models/language/expand.h"
#include "models/load/generation_config.h"
#include "models/load/gguf_import.h"
#include "models/load/model_parts.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

// Does any linear, of that role if one is given, read it? Also one inside of an expression over weights.
bool is_multiplied(const Graph& g, ValueId v, const std::string& role = "") {
  std::set<ValueId> seen{v};
  std::vector<ValueId> pending{v};
  while (!pending.empty()) {
    const ValueId at = pending.back();
    pending.pop_back();
    for (const Use& u : g.value(at).uses) {
      const Op& op = g.op(u.op);
      if (op.def->category == OpCategory::contraction && u.operand == 1 &&
          (role.empty() || attr_string(op, "role") == role))
        return true;
      if (op.def->category == OpCategory::weight && seen.insert(op.results[0]).second)
        pending.push_back(op.results[0]);
    }
  }
  return false;
}

// Only as an operand of what is computed for each token, neither multiplied by nor looked up in: a bias.
bool is_added(const Graph& g, ValueId v) {
  const auto& uses = g.value(v).uses;
  return !is_multiplied(g, v) && std::none_of(uses.begin(), uses.end(), [&](const Use& u) {
    return g.op(u.op).def->name == "embedding";
  });
}

// What graphs say, with reals as exact as GGUF's are.
std::vector<std::string> lines_in_f32(Graph g) {
  const auto rounded = [](double x) { return decimal(static_cast<float>(x)); };
  for (const OpId id : g.ops()) {
    const AttrMap attrs = g.op(id).attrs;
    for (const auto& [name, value] : attrs) {
      if (const auto* x = std::get_if<double>(&value)) g.set_attr(id, name, rounded(*x));
      if (const auto* list = std::get_if<std::vector<double>>(&value)) {
        std::vector<double> out;
        std::transform(list->begin(), list->end(), std::back_inserter(out), rounded);
        g.set_attr(id, name, out);
      }
    }
  }
  std::istringstream text(print_graph(g));
  std::vector<std::string> out;
  for (std::string line; std::getline(text, line);) out.push_back(line);
  return out;
}

// A value is written as a real if the class default of its config.json key is one: rope_theta: 10000 too.
bool is_real(const Definition& d, const std::string& name) {
  for (const auto& [config, paths] : d.config) {
    if (config != name) continue;
    for (const std::string& p : paths) {
      const auto it = d.defaults.find(p);
      if (it != d.defaults.end() && std::holds_alternative<double>(it->second.v)) return true;
    }
  }
  return false;
}

void add_value(GgufWriter& out, const std::string& key, const ConfigValue& value, bool real) {
  if (const auto* i = std::get_if<int64_t>(&value.v)) {
    if (real) return out.add(key, static_cast<float>(*i));
    if (*i < INT32_MIN || *i > UINT32_MAX)
      throw Error(key + ": " + value.str() + " does not fit into 32 bits");
    return *i < 0 ? out.add(key, static_cast<int32_t>(*i)) : out.add(key, static_cast<uint32_t>(*i));
  }
  if (const auto* r = std::get_if<double>(&value.v)) return out.add(key, static_cast<float>(*r));
  if (const auto* t = std::get_if<std::string>(&value.v)) return out.add(key, std::string_view(*t));
  if (const auto* list = std::get_if<std::vector<ConfigValue>>(&value.v)) {
    std::vector<int32_t> numbers;
    for (const ConfigValue& item : *list) {
      const auto* i = std::get_if<int64_t>(&item.v);
      if (!i || *i < INT32_MIN || *i > INT32_MAX) break;
      numbers.push_back(static_cast<int32_t>(*i));
    }
    if (!list->empty() && numbers.size() == list->size()) return out.add(key, numbers);
  }
  throw Error(key + ": GGUF has no place for " + value.str());
}

// The format of a name of ir/block_format.h.
const GgufFormat& format_named(const std::string& name) {
  return gguf_format(block_format(*dtype_from_name(name)).gguf);
}

class Exporter {
 public:
  Exporter(const Model& m, const GgufExport& options) : m_(m), d_(*m.definition), options_(options) {}

  GgufExported run() {
    if (d_.gguf.empty()) throw Error(d_.file + ": has no 'gguf:' table, so this family cannot be exported");
    if (!m_.weights) throw Error("there are no weights to export");
    if (fs::is_directory(options_.path)) throw Error(options_.path + ": is a folder");
    add_tensors();
    add_general();
    add_config();
    result_.no_tokenizer = add_gguf_tokenizer(out_, m_);
    NewFile file(options_.path);
    out_.write(file.path(), options_.progress);
    check_read_back(file.path());
    file.put_in_place();
    return result_;
  }

 private:
  void add_general() {
    out_.add("general.architecture", std::string_view(d_.gguf.architectures[0]));
    // No general.name: some names make llama.cpp look for tokens that a file may not have.
    out_.add("general.alignment", uint32_t{32});
    out_.add("general.file_type", common_->gguf_file);
    if (is_quantised(common_->dtype)) out_.add("general.quantization_version", uint32_t{2});
    for (const auto& [key, value] : sampling_as_gguf(m_.sampling)) {
      if (key.ends_with("top_k")) {
        out_.add(key, static_cast<int32_t>(value));
      } else {
        out_.add(key, static_cast<float>(value));
      }
    }
    out_.add(kGgufFamily, std::string_view(d_.family));
  }

  void add_config() {
    const std::string architecture = d_.gguf.architectures[0] + ".";
    std::set<std::string> written;
    for (const GgufWriteRule& rule : d_.gguf.write) {
      written.insert(rule.key);
      if (rule.kind == GgufWriteRule::Kind::per_layer) {
        out_.add(architecture + rule.key, of_layers(rule.value));
        continue;
      }
      const ConfigValue v = evaluate_expr(rule.value, m_.config);
      if (rule.kind == GgufWriteRule::Kind::boolean) {
        out_.add(architecture + rule.key, truth(v, rule.value.loc));
        continue;
      }
      if (!v.is_null()) add_value(out_, architecture + rule.key, v, false);
    }
    for (const GgufConfigRule& rule : d_.gguf.config) {
      if (rule.keys.empty() || !d_.config_loc.contains(rule.name) || !written.insert(rule.keys[0]).second)
        continue;
      const auto it = m_.config.find(rule.name);
      if (it != m_.config.end() && !it->second.is_null())
        add_value(out_, architecture + rule.keys[0], it->second, is_real(d_, rule.name));
    }
    if (written.insert("vocab_size").second)
      out_.add(architecture + "vocab_size", static_cast<uint32_t>(m_.vocab));
  }

  std::vector<int32_t> of_layers(const syntax::Expr& e) const {
    ConfigMap config = m_.config;
    config["context"] = {m_.context};
    std::vector<int32_t> out;
    for (int64_t l = 0; l < m_.layers; ++l) {
      config["layer"] = {l};
      for (const NamedExpr& n : d_.per_layer) config[n.name] = evaluate_expr(n.expr, config);
      const int64_t value = whole(evaluate_expr(e, config), e.loc, "what is written of a layer");
      if (value != static_cast<int32_t>(value)) throw Error(e.loc, "a number of more than 32 bits");
      out.push_back(static_cast<int32_t>(value));
    }
    return out;
  }

  void add_tensors() {
    std::map<std::string, std::string> full;  // by name in the model file
    for (const auto& [name, local] : m_.tensor_names) full[local] = name;
    std::map<std::string, int64_t> bytes;  // by format
    if (!all_placed()) form_ = gguf_form(m_);
    for (const GgufPlace& p : gguf_places(d_, form_ ? form_->config : m_.config)) {
      if (const auto v = made_of_tensors(p.local)) {
        add_expression(p, *v, full, bytes);
        continue;
      }
      std::vector<std::string> names;
      for (const std::string& local : p.each(p.local)) {
        if (const auto node = full.extract(local)) names.push_back(node.mapped());
      }
      if (names.empty()) continue;
      const GgufRows rows{*m_.weights, names, p.of.has_value(), p.how, &format_of(names, p.how)};
      for (const std::string& name : names) bytes[rows.format->name] += m_.weights->type(name)->elements();
      out_.add_tensor(
          p.stored, *rows.format, rows.shape(),
          [rows](int64_t first, int64_t n, std::span<std::byte> out) { rows.fill(first, n, out); });
      enter(p.stored, rows);
      ++result_.tensors;
    }
    if (!full.empty())
      throw Error("tensor '" + full.begin()->second + "' has no place in the gguf: table of " + d_.file);
    for (const GgufMadeTensor& rule : d_.gguf.made) add_made(rule);
    for (const BlockFormat* f : block_formats()) {
      if (!f->gguf.empty() && bytes[f->gguf] > bytes[common_->gguf]) common_ = f;
    }
  }

  bool all_placed() const {
    std::set<std::string> places;
    for (const GgufPlace& p : gguf_places(d_, m_.config)) {
      for (const std::string& local : p.each(p.local)) places.insert(local);
    }
    return std::all_of(m_.tensor_names.begin(), m_.tensor_names.end(),
                       [&](const auto& name) { return places.contains(name.second); });
  }

  // What a tensor of the file is made of, if that is no tensor of the checkpoint.
  std::optional<ValueId> made_of_tensors(const std::string& local) const {
    if (!form_) return std::nullopt;
    const auto it = form_->weights.find(local);
    if (it == form_->weights.end()) return std::nullopt;
    const Value& value = m_.graph.value(it->second);
    if (value.kind == ValueKind::weight && m_.tensor_names.at(value.name) == local) return std::nullopt;
    return it->second;
  }

  void add_expression(const GgufPlace& p, ValueId v, std::map<std::string, std::string>& left,
                      std::map<std::string, int64_t>& bytes) {
    if (p.how.transpose || p.how.reorders() || p.how.changes_numbers())
      throw Error(p.stored + " of " + d_.file +
                  " is made of several tensors and stored in another way as well");
    const Type& type = m_.graph.type(v);
    const GgufFormat& format = format_of(v);
    const auto rows = std::make_shared<const GgufExpression>(m_, v, p.how.row);
    bytes[format.name] += type.elements();
    const auto matrix = std::vector<int64_t>{type.last() / std::max<int64_t>(p.how.row, 1), p.how.row};
    out_.add_tensor(p.stored, format, p.how.row > 0 ? matrix : type.dims,
                    [rows, &format](int64_t first, int64_t n, std::span<std::byte> out) {
                      rows->fill(format, first, n, out);
                    });
    ++result_.tensors;
    std::vector<ValueId> pending{v};
    while (!pending.empty()) {
      const ValueId at = pending.back();
      pending.pop_back();
      if (m_.graph.value(at).kind == ValueKind::weight)
        left.erase(m_.tensor_names.at(m_.graph.value(at).name));
      if (const Op* op = m_.graph.def_op(at))
        pending.insert(pending.end(), op->operands.begin(), op->operands.end());
    }
  }

  // Of what is made of several tensors.
  const GgufFormat& format_of(ValueId v) const {
    const Type& type = m_.graph.type(v);
    if (type.rank() < 2 || is_added(m_.graph, v) || is_multiplied(m_.graph, v, "moe_router"))
      return gguf_format("F32");
    const GgufFormat& wanted = format_named(options_.type == "keep" ? dtype_name(type.dtype) : options_.type);
    return type.last() % wanted.elements == 0 ? wanted : fitting(wanted, type.last());
  }

  void add_made(const GgufMadeTensor& rule) {
    const auto numbers = gguf_made(rule, m_.config);
    if (!numbers) return;
    const GgufFormat& f32 = gguf_format("F32");
    out_.add_tensor(rule.name, f32, {static_cast<int64_t>(numbers->size())},
                    [x = *numbers, &f32](int64_t, int64_t, std::span<std::byte> out) {
                      encode_gguf(f32, x, out.data());
                    });
    ++result_.tensors;
  }

  // Of one tensor, or of those that are stored as one.
  const GgufFormat& format_of(const std::vector<std::string>& names, const GgufStorage& how) const {
    const std::string& name = names[0];
    const Type type = *m_.weights->type(name);
    const bool small = type.rank() < 2 || how.squeeze || is_added(m_.graph, weight(name));
    if (small) return gguf_format("F32");
    // A router's rounding would change which experts answer: llama.cpp has it in F32 too.
    if (is_multiplied(m_.graph, weight(name), "moe_router")) return gguf_format("F32");
    const GgufFormat& wanted = options_.type == "keep" ? kept(names, how) : format_named(options_.type);
    const int64_t columns = how.transpose ? type.dims[0] : type.last();
    if (columns % wanted.elements != 0) return fitting(wanted, columns);
    // Tables that are only looked up cost no time; llama.cpp keeps positions unquantised too.
    if (quantised_as(wanted) && options_.type != "keep" && !is_multiplied(m_.graph, weight(name)))
      return gguf_format("F16");
    return wanted;
  }

  // The next better one with blocks of 32 (for Q4_K Q5_0, for Q6_K Q8_0, as llama.cpp has it), or plain
  // numbers.
  static const GgufFormat& fitting(const GgufFormat& wanted, int64_t columns) {
    const auto quantised = quantised_as(wanted);
    const BlockFormat* best = nullptr;
    for (const BlockFormat* f : block_formats()) {
      if (!quantised || !is_quantised(f->dtype) || f->gguf.empty() || f->values >= wanted.elements ||
          columns % f->values != 0 || f->decibels <= block_format(*quantised).decibels)
        continue;
      if (!best || f->decibels < best->decibels) best = f;
    }
    return gguf_format(best ? best->gguf : "F16");
  }

  // Says so where the format is another one because rows are too short.
  void enter(const std::string& stored, const GgufRows& rows) {
    if (options_.type == "keep") return;
    const int64_t columns = rows.shape().back();
    if (columns % format_named(options_.type).elements != 0 && rows.format->name != "F32")
      result_.instead.push_back({stored, rows.format->name, columns});
  }

  const GgufFormat& kept(const std::vector<std::string>& names, const GgufStorage& how) const {
    const GgufFormat& first = kept(names[0], *m_.weights->type(names[0]), how);
    const bool same = std::all_of(names.begin(), names.end(), [&](const std::string& name) {
      return &kept(name, *m_.weights->type(name), how) == &first;
    });
    return same ? first : gguf_format("F32");
  }

  const GgufFormat& kept(const std::string& name, const Type& type, const GgufStorage& how) const {
    const int64_t columns = how.transpose ? type.dims[0] : type.last();
    // What GGUF has in another format is written as the numbers it stands for.
    if (const auto stored = m_.weights->stored_format(name); stored && stored->from.empty()) {
      const BlockFormat& f = block_format(stored->format);
      std::vector<std::byte> row(static_cast<size_t>(f.row_bytes(columns)));
      if (columns % f.values == 0 && m_.weights->read_blocks(name, how.transpose, stored->format, 0, 1, row))
        return format_named(dtype_name(stored->format));
    }
    return format_named(dtype_name(type.dtype));
  }

  ValueId weight(const std::string& name) const {
    for (const ValueId w : m_.graph.weights()) {
      if (m_.graph.value(w).name == name) return w;
    }
    throw Error("there is no weight '" + name + "'");
  }

  // What the file says must expand to the same graph, but for what was worked into the weights.
  void check_read_back(const std::string& path) const {
    ConfigMap got = gguf_config(d_, GgufFile(path));
    ConfigMap want;
    for (const auto& [name, paths] : d_.config) want[name] = (form_ ? form_->config : m_.config).at(name);
    for (const std::string& name : d_.gguf.folded) want[name] = got.at(name);
    const std::vector<std::string> a = graph_lines(std::move(want));
    const std::vector<std::string> b = graph_lines(std::move(got));
    const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    if (x == a.end() && y == b.end()) return;
    throw Error("GGUF cannot say all of this model's configuration: read back,\n" +
                (x != a.end() ? *x : "(nothing)") + "\nwould become\n" + (y != b.end() ? *y : "(nothing)"));
  }

  std::vector<std::string> graph_lines(ConfigMap config) const {
    evaluate_let(d_, config);
    return lines_in_f32(expand(d_, config, {}, DType::f32, m_.context).graph);
  }

  const Model& m_;
  const Definition& d_;
  const GgufExport& options_;
  const BlockFormat* common_ = &block_format(DType::f32);  // of most bytes
  std::optional<GgufForm> form_;                           // where not every tensor has a place of its own
  GgufWriter out_;
  GgufExported result_;
};

}  // namespace

GgufExported export_gguf(const Model& m, const GgufExport& options) { return Exporter(m, options).run(); }

}  // namespace lmc
