// A conversation as clients send it, made into a prompt by the model's chat template.
#pragma once

#include <string>
#include <vector>

#include "tools/serve/service.h"
#include "tools/serve/tool_calls.h"

namespace lmc::serve {

// Contents are texts or lists of text parts; calls of tools hold their arguments as JSON or as a text of it.
// RequestError naming the message for roles and parts that are not known.
Json messages_of(const std::string& template_source, const Json& messages);
// As {"type": "function", "function": {…}}; null where there are none or tool_choice forbids them.
// RequestError for what is malformed, and where the template knows no tools.
Json tools_of(const std::string& template_source, const Asked& asked);
// Where tool_choice asks for a call, the answer must be one.
void force_call(const std::string& template_source, const Json& tools, Asked& asked);
std::vector<std::string> tool_names(const Json& tools);

std::string chat_text(const Service& service, const Asked& asked, const Json& tools);
std::vector<int32_t> chat_prompt(const Service& service, const Asked& asked, const Json& tools);

}  // namespace lmc::serve
