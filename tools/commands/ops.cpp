// lmc ops: the operators, from their own definitions.
#include <fmt/format.h>

#include "ir/op_def.h"
#include "tools/command.h"

namespace lmc {
namespace {

void show(const OpDef& op) {
  fmt::print("{}: {}\n", op.name, op.doc);
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

const RegisterCommand kOps({"ops", "list the operators of the IR", [](CLI::App& app) {
                              auto name = std::make_shared<std::string>();
                              app.add_option("op", *name, "show just this one");
                              return [name] {
                                if (!name->empty()) return show(get_op(*name));
                                for (const OpDef* op : all_ops()) show(*op);
                              };
                            }});

}  // namespace
}  // namespace lmc
