// lmc ops: the operators, from their own definitions.
#include <fmt/format.h>

#include "ir/op_def.h"
#include "tools/cli/command.h"
#include "tools/pipeline/pass_files.h"

namespace lmc::ops_command {
namespace {

void show_parts(const OpDef& op) {
  for (const OperandDef& o : op.operands) {
    fmt::print("  %{:<10} {}{}\n", o.name, o.doc,
               o.optional   ? " (optional)"
               : o.variadic ? " (one or more)"
                            : "");
  }
  for (const AttrDef& a : op.attrs) {
    const std::string fallback =
        a.fallback ? (attr_text(*a.fallback) == "\"\"" ? "" : " = " + attr_text(*a.fallback)) : " (required)";
    fmt::print("  {:<11} {}{}: {}\n", a.name, attr_kind_name(a.kind), fallback, a.doc);
  }
}

void list() {
  for (const OpDef* op : all_ops()) {
    fmt::print("{}: {}\n", op->name, op->doc);
    show_parts(*op);
  }
}

const char* category_text(OpCategory category) {
  switch (category) {
    case OpCategory::elementwise:
      return "elementwise: each element depends on the same element of the operands alone";
    case OpCategory::row:
      return "row: each row of the result depends on the same row of the operands";
    case OpCategory::contraction:
      return "contraction: each element needs a whole row of the input and of the weight";
    case OpCategory::attention:
      return "attention: reads the cache of earlier tokens";
    case OpCategory::view:
      return "view: the same numbers under other indices";
    case OpCategory::weight:
      return "weight: runs on weights, when compiling";
    case OpCategory::group:
      return "group: a nested graph";
  }
  return "";
}

// "%y = linear(%x, %w, %b?) {role=…}": operands, and the attributes that must be given.
std::string call_text(const OpDef& op) {
  std::string operands, attrs;
  for (const OperandDef& o : op.operands) {
    operands += (operands.empty() ? "%" : ", %") + o.name + (o.optional ? "?" : o.variadic ? ", …" : "");
  }
  for (const AttrDef& a : op.attrs) {
    if (!a.fallback) attrs += (attrs.empty() ? "" : ", ") + a.name + "=…";
  }
  return fmt::format("%y = {}({}){}", op.name, operands, attrs.empty() ? "" : " {" + attrs + "}");
}

void show(const OpDef& op) {
  fmt::print("{}: {}\n\n  {}\n\n", op.name, op.doc, call_text(op));
  show_parts(op);
  fmt::print("\n  {}\n", category_text(op.category));
  if (op.activation) fmt::print("  activation: fusions that name this class take it\n");
  if (op.commutative) fmt::print("  commutative: the first two operands may be exchanged\n");
  fmt::print("  work: {}\n", op.flops ? "counted by its own formula"
                             : op.category == OpCategory::elementwise || op.category == OpCategory::row
                                 ? "one operation for each element of the result"
                                 : "none of its own");
  fmt::print("  defined in ir/ops/; a pattern may call it by its name{}\n",
             op.category == OpCategory::elementwise || op.category == OpCategory::row ||
                     op.category == OpCategory::view
                 ? " or by its class, the word in front of the colon above"
                 : "");
}

const RegisterCommand kOps({"ops", "list the operators of the IR", [](Flags& flags) {
                              auto name = std::make_shared<std::string>();
                              auto files = std::make_shared<PassFiles>();
                              flags.option("op", *name, "all about this one");
                              files->add_to(flags);
                              return [name, files] {
                                files->load();
                                name->empty() ? list() : show(get_op(*name));
                              };
                            }});

}  // namespace
}  // namespace lmc::ops_command
