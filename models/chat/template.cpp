#include "models/chat/template.h"

#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "ir/files.h"
#include "models/chat/program.h"
#include "models/text/json_text.h"

namespace lmc {
namespace fs = std::filesystem;
using namespace chat;
using nlohmann::json;

struct ChatTemplate::Program {
  Statement all;
};

struct ChatTemplate::Variables {
  nlohmann::ordered_json all;
};

namespace {

constexpr size_t kLongestSource = 256 << 10;  // ten times the longest one in use
constexpr int64_t kLongestRange = 100'000;

Value raise(const Arguments& a) {
  throw Error("the chat template refuses this conversation: " +
              (a.positional.empty() ? "" : printed(a.positional[0])));
}

Value range(const Arguments& a) {
  std::vector<int64_t> n;
  for (const Value& v : a.positional) {
    if (!v.is_whole()) throw Error(std::string("range() needs whole numbers, not ") + kind_name(v));
    n.push_back(v.whole());
  }
  if (n.empty() || n.size() > 3) throw Error("range() needs one to three numbers");
  const int64_t first = n.size() > 1 ? n[0] : 0, end = n.size() > 1 ? n[1] : n[0],
                by = n.size() > 2 ? n[2] : 1;
  if (by == 0) throw Error("range() needs a step that is not 0");
  List out;
  for (int64_t i = first; by > 0 ? i < end : i > end;) {
    out.push_back(i);
    if (static_cast<int64_t>(out.size()) > kLongestRange) throw Error("range() is longer than 100000");
    if (__builtin_add_overflow(i, by, &i)) break;
  }
  return Value::list(std::move(out));
}

Value today(const Arguments& a) {
  const Value* format = a.find(0, "format");
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  char text[256];
  const size_t n = std::strftime(text, sizeof text,
                                 format && format->is_text() ? format->text().c_str() : "%d %b %Y", &parts);
  return std::string(text, n);
}

// As deep as JSON that was parsed here may be.
Value value_of(const nlohmann::ordered_json& j) {
  switch (j.type()) {
    case json::value_t::boolean:
      return j.get<bool>();
    case json::value_t::number_integer:
      return j.get<int64_t>();
    case json::value_t::number_unsigned:
      if (j.get<uint64_t>() <= INT64_MAX) return j.get<int64_t>();
      return j.get<double>();
    case json::value_t::number_float:
      return j.get<double>();
    case json::value_t::string:
      return Value(j.get_ref<const std::string&>());
    case json::value_t::array: {
      List items;
      for (const auto& item : j) items.push_back(value_of(item));
      return Value::list(std::move(items));
    }
    case json::value_t::object: {
      Dict entries;
      for (const auto& [key, value] : j.items()) entries.emplace_back(key, value_of(value));
      return Value::dict(std::move(entries));
    }
    default:
      return None{};
  }
}

// "eos_token": "</s>" or {"content": "</s>", …}.
std::string token_text(const json& config, const char* key) {
  if (!config.contains(key)) return "";
  const json& t = config.at(key);
  if (t.is_string()) return t.get<std::string>();
  return t.is_object() && t.contains("content") && t.at("content").is_string()
             ? t.at("content").get<std::string>()
             : "";
}

std::string template_text(const json& config, const std::string& file) {
  if (!config.contains("chat_template") || config.at("chat_template").is_null()) return "";
  const json& t = config.at("chat_template");
  if (t.is_string()) return t.get<std::string>();
  if (t.is_array()) {
    for (const json& one : t) {
      if (one.is_object() && one.value("name", json()) == "default" &&
          one.value("template", json()).is_string())
        return one.at("template").get<std::string>();
    }
  }
  throw Error(file + ": chat_template is neither a text nor a list with one named 'default'");
}

json read_config(const std::string& path) {
  if (!fs::exists(path)) return json::object();
  json out = read_json(path);
  if (!out.is_object()) throw Error(path + ": is not a JSON object");
  return out;
}

}  // namespace

ChatTemplate::ChatTemplate(const ChatTemplateText& text)
    : bos_token_(text.bos_token), eos_token_(text.eos_token) {
  if (text.source.size() > kLongestSource)
    throw Error(text.file + ": a chat template may have 256 KiB at most");
  program_ = std::make_shared<const Program>(Program{parse_template(text.source, text.file)});
}

void ChatTemplate::check_variables(const nlohmann::ordered_json& variables) {
  if (!variables.is_object()) throw Error("the variables of a chat template must be a JSON object");
  for (const char* own : {"messages", "add_generation_prompt", "bos_token", "eos_token", "tools",
                          "raise_exception", "range", "strftime_now", "namespace", "dict"}) {
    if (variables.contains(own))
      throw Error(std::string("'") + own + "' cannot be set: the chat template has it from elsewhere");
  }
}

void ChatTemplate::set_variables(const nlohmann::ordered_json& variables) {
  check_variables(variables);
  variables_ = std::make_shared<const Variables>(Variables{variables});
}

std::string ChatTemplate::render(const std::vector<ChatMessage>& messages, bool answer_next) const {
  auto all = nlohmann::ordered_json::array();
  for (const ChatMessage& m : messages) all.push_back({{"role", m.role}, {"content", m.content}});
  return render(all, nullptr, answer_next);
}

std::string ChatTemplate::render(const nlohmann::ordered_json& messages, const nlohmann::ordered_json& tools,
                                 bool answer_next) const {
  Run run;
  Scope globals{run};
  globals.set("messages", value_of(messages));
  globals.set("add_generation_prompt", answer_next);
  globals.set("bos_token", bos_token_);
  globals.set("eos_token", eos_token_);
  globals.set("tools", value_of(tools));
  globals.set("documents", None{});
  globals.set("raise_exception", Value::function(raise));
  globals.set("range", Value::function(range));
  globals.set("strftime_now", Value::function(today));
  const auto dict = [](const Arguments& a) { return Value::dict(a.named); };
  globals.set("namespace", Value::function(dict));
  globals.set("dict", Value::function(dict));
  if (variables_) {
    for (const auto& [name, value] : variables_->all.items()) globals.set(name, value_of(value));
  }
  std::string out;
  program_->all(globals, out);
  return out;
}

std::optional<ChatTemplateText> find_chat_template(const std::string& folder) {
  const std::string config_file = folder + "/tokenizer_config.json",
                    own_file = folder + "/chat_template.jinja";
  const json config = read_config(config_file);
  const bool own = fs::exists(own_file);
  ChatTemplateText out;
  out.source = own ? read_file(own_file) : template_text(config, config_file);
  if (out.source.empty()) return std::nullopt;
  out.file = own ? own_file : config_file + " (chat_template)";
  out.bos_token = token_text(config, "bos_token");
  out.eos_token = token_text(config, "eos_token");
  return out;
}

std::string chat_tokens_json(const ChatTemplateText& text) {
  return json{{"bos_token", text.bos_token}, {"eos_token", text.eos_token}}.dump(
             1, ' ', false, json::error_handler_t::replace) +
         "\n";
}

}  // namespace lmc
