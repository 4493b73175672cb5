// --template-var: what a chat template may ask beside the conversation.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "models/chat/template.h"
#include "tools/cli/flags.h"

namespace lmc {

class TemplateVariables {
 public:
  // Under this name, and under llama.cpp's: --chat-template-kwargs.
  Flag add_to(Flags& flags);
  // "enable_thinking=false", where the value is JSON or else a text, or a JSON object with several.
  // UsageError for anything else and for names that the template has anyway.
  void set(const std::string& text);
  // Before anything is loaded: as set() for each that was given.
  void check() const;
  nlohmann::ordered_json all() const;  // an object
  void apply(ChatTemplate& chat_template) const;

 private:
  std::vector<std::string> given_;
};

}  // namespace lmc
