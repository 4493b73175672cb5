// What a request's body may say: one table a route, from which it is read, checked and explained.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "ir/error.h"
#include "runtime/continuation.h"

namespace lmc::serve {

using Json = nlohmann::ordered_json;

// A request that is at fault, or comes at the wrong time. `param` names the field, "" for none.
class RequestError : public Error {
 public:
  RequestError(int s, std::string message, std::string p = "", std::string c = "")
      : Error(message), status(s), param(std::move(p)), code(std::move(c)) {}
  int status;
  std::string param, code;
  int retry_after = 0;  // seconds; 0: not said
};

// What an answer must be; `before` and `behind` stand around a text of the grammar.
struct Structure {
  enum class Kind : uint8_t { none, json_object, json_schema, gbnf, regex };
  Kind kind = Kind::none;
  std::string text = {}, before = {}, behind = {};
};

// All that any route reads. Defaults are those of a route's own table.
struct Asked {
  std::string model;
  GenerateOptions options;  // max_tokens < 0: as many as the context takes
  bool ignore_eos = false;
  std::optional<uint64_t> seed;  // drawn where it is not told
  std::vector<std::string> stops;
  int64_t n = 1;
  bool stream = false, usage_in_stream = false, echo = false;
  bool logprobs = false;
  int64_t top_logprobs = 0;
  Json prompt, messages, tools, tool_choice, template_variables;
  Structure structure;
  std::string text, system, suffix, content;
  std::vector<int32_t> ids;
  bool base64 = true;
  std::optional<int64_t> dimensions;
  bool add_special = false, with_pieces = false, raw = false, answer_next = true;
};

struct Field {
  std::string name, type, doc;
  // Null where the field is accepted and does nothing. RequestError without `param`, which is filled in.
  std::function<void(const Json& value, Asked& asked)> read;
};
using Fields = std::vector<Field>;

Field text(const std::string& name, std::string Asked::*where, const std::string& doc);
Field flag(const std::string& name, bool Asked::*where, const std::string& doc);
Field whole(const std::string& name, int64_t Asked::*where, int64_t least, int64_t most,
            const std::string& doc);
Field any(const std::string& name, Json Asked::*where, const std::string& type, const std::string& doc);
Field field(const std::string& name, const std::string& type, const std::string& doc,
            std::function<void(const Json&, Asked&)> read);
Field ignored(const std::string& name, const std::string& doc);
// Taken where it has one of these values, which ask for nothing; else refused, with the reason.
Field refused(const std::string& name, const std::vector<Json>& neutral, const std::string& why);
Field number(const std::string& name, double SamplerOptions::*where, double least, double most,
             const std::string& doc);
Field whole(const std::string& name, int64_t SamplerOptions::*where, int64_t least, int64_t most,
            const std::string& doc);
// temperature, top_k, top_p and min_p, which every interface calls so.
Fields drawing_fields();
// llama.cpp's, of all penalties: 0: no token, -1: all.
Field repeat_last_n_field(const std::string& doc);
Field most_tokens(const std::string& name, int64_t least, const std::string& doc);
Field seed_field();
Field stop_field(const std::string& name, size_t most);
Field logit_bias_field();
// llama.cpp's and vLLM's: what the chat template may ask beside the conversation.
Field template_variables_field();
Fields joined(std::initializer_list<Fields> parts);

// With U+FFFD for what is not UTF-8.
std::string dump(const Json& json);

// Values of one kind, or RequestError.
int64_t whole_in(const Json& value, int64_t least, int64_t most);
double number_in(const Json& value, double least, double most);
const std::string& text_in(const Json& value);

// Reads a body: null values are as if they were not there. RequestError naming the field.
void read_fields(const Fields& fields, bool refuse_unknown, const Json& body, Asked& asked);

}  // namespace lmc::serve
