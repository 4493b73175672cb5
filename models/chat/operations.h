// What the operators of a template do. All throw Error, without a place, for values they do not take.
#pragma once

#include <optional>
#include <string>

#include "models/chat/program.h"

namespace lmc::chat {

Value attribute(const Value& on, const std::string& name);
Value subscript(Run& run, const Value& on, const Value& key);
// on[from:to:by], each of them optional or none.
Value slice(Run& run, const Value& on, const std::optional<Value>& from, const std::optional<Value>& to,
            const std::optional<Value>& by);
// op: == != < <= > >= in, not in
bool compare(Run& run, const std::string& op, const Value& a, const Value& b);
// op: + - * / // %
Value arithmetic(const std::string& op, const Value& a, const Value& b);

}  // namespace lmc::chat
