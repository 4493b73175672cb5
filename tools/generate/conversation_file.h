// A conversation as a file: {"messages":[{"role":"user","content":"…"},…]}.
#pragma once

#include <string>
#include <vector>

#include "models/chat/template.h"

namespace lmc {

std::string conversation_text(const std::vector<ChatMessage>& messages);
// Error naming the file, and the message where one is none.
std::vector<ChatMessage> read_conversation(const std::string& file);

}  // namespace lmc
