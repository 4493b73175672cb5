#include "tools/serve/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "models/chat/template.h"

namespace lmc::serve {
namespace {

constexpr size_t kMostStopBytes = 1 << 10;

[[noreturn]] void wrong(const std::string& message) { throw RequestError(400, message); }

std::string shown(const Json& value) {
  std::string text = dump(value);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

}  // namespace

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

int64_t whole_in(const Json& value, int64_t least, int64_t most) {
  // Clients written in languages without whole numbers send 5.0.
  const bool in_float = value.is_number_float() &&
                        std::nearbyint(value.get<double>()) == value.get<double>() &&
                        std::abs(value.get<double>()) < 9e15;
  if (!value.is_number_integer() && !in_float) wrong("must be a whole number, not " + shown(value));
  const bool beyond = value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX);
  const int64_t out = beyond     ? INT64_MAX
                      : in_float ? static_cast<int64_t>(value.get<double>())
                                 : value.get<int64_t>();
  if (beyond || out < least || out > most)
    wrong(most == INT64_MAX
              ? fmt::format("must be {} or more, not {}", least, shown(value))
              : fmt::format("must lie between {} and {}, not be {}", least, most, shown(value)));
  return out;
}

double number_in(const Json& value, double least, double most) {
  if (!value.is_number()) wrong("must be a number, not " + shown(value));
  const double out = value.get<double>();
  if (!(out >= least && out <= most))
    wrong(fmt::format("must lie between {} and {}, not be {}", least, most, shown(value)));
  return out;
}

const std::string& text_in(const Json& value) {
  if (!value.is_string()) wrong("must be a string, not " + shown(value));
  return value.get_ref<const std::string&>();
}

Field field(const std::string& name, const std::string& type, const std::string& doc,
            std::function<void(const Json&, Asked&)> read) {
  return {name, type, doc, std::move(read)};
}

Field text(const std::string& name, std::string Asked::*where, const std::string& doc) {
  return field(name, "string", doc, [=](const Json& v, Asked& a) { a.*where = text_in(v); });
}

Field flag(const std::string& name, bool Asked::*where, const std::string& doc) {
  return field(name, "boolean", doc, [=](const Json& v, Asked& a) {
    if (!v.is_boolean()) wrong("must be true or false, not " + shown(v));
    a.*where = v.get<bool>();
  });
}

Field whole(const std::string& name, int64_t Asked::*where, int64_t least, int64_t most,
            const std::string& doc) {
  return field(name, "integer", doc, [=](const Json& v, Asked& a) { a.*where = whole_in(v, least, most); });
}

Field whole(const std::string& name, int64_t SamplerOptions::*where, int64_t least, int64_t most,
            const std::string& doc) {
  return field(name, "integer", doc,
               [=](const Json& v, Asked& a) { a.options.sampler.*where = whole_in(v, least, most); });
}

Field number(const std::string& name, double SamplerOptions::*where, double least, double most,
             const std::string& doc) {
  return field(name, "number", doc,
               [=](const Json& v, Asked& a) { a.options.sampler.*where = number_in(v, least, most); });
}

Field any(const std::string& name, Json Asked::*where, const std::string& type, const std::string& doc) {
  return field(name, type, doc, [=](const Json& v, Asked& a) { a.*where = v; });
}

Field ignored(const std::string& name, const std::string& doc) { return {name, "any", doc, nullptr}; }

Field refused(const std::string& name, const std::vector<Json>& neutral, const std::string& why) {
  return field(name, "any", why, [=](const Json& v, Asked&) {
    if (std::find(neutral.begin(), neutral.end(), v) == neutral.end()) wrong(why);
  });
}

Fields drawing_fields() {
  return {
      number("temperature", &SamplerOptions::temperature, 0, 100, "0: always the likeliest token"),
      whole("top_k", &SamplerOptions::top_k, 0, INT64_MAX, "draw among the k likeliest; 0: all"),
      number("top_p", &SamplerOptions::top_p, 0, 1, "draw among the likeliest that make up p"),
      number("min_p", &SamplerOptions::min_p, 0, 1,
             "draw among those at least p times as probable as the likeliest"),
  };
}

Field repeat_last_n_field(const std::string& doc) {
  return field("repeat_last_n", "integer", doc, [](const Json& v, Asked& a) {
    const int64_t n = whole_in(v, -1, INT64_MAX);
    a.options.sampler.repetition_window = n == 0 ? -1 : std::max<int64_t>(n, 0);
  });
}

Field most_tokens(const std::string& name, int64_t least, const std::string& doc) {
  return field(name, "integer", doc,
               [=](const Json& v, Asked& a) { a.options.max_tokens = whole_in(v, least, INT64_MAX); });
}

Field seed_field() {
  return field("seed", "integer",
               "of the draw: the same one gives the same answer; a negative one is drawn anew",
               [](const Json& v, Asked& a) {
                 const int64_t seed = whole_in(v, INT64_MIN, INT64_MAX);
                 a.seed.reset();
                 if (seed >= 0) a.seed = static_cast<uint64_t>(seed);
               });
}

Field stop_field(const std::string& name, size_t most) {
  return field(name, "string or strings", "the answer ends before this text",
               [most](const Json& v, Asked& a) {
                 a.stops.clear();
                 const auto add = [&](const Json& one) {
                   if (text_in(one).size() > kMostStopBytes) wrong("has a text of more than 1024 bytes");
                   if (!text_in(one).empty()) a.stops.push_back(text_in(one));
                 };
                 if (!v.is_array()) return add(v);
                 if (v.size() > most) wrong(fmt::format("may hold {} texts at most, not {}", most, v.size()));
                 for (const Json& one : v) add(one);
               });
}

// {"50256": -100}, and llama.cpp's [[50256, -100], [7, false]].
Field logit_bias_field() {
  return field("logit_bias", "object", "added to a token's logit, by its id", [](const Json& v, Asked& a) {
    const auto add = [&](int64_t id, const Json& bias) {
      const double b = bias == Json(false) ? -HUGE_VAL : number_in(bias, -1e6, 1e6);
      a.options.sampler.logit_bias.insert_or_assign(static_cast<int32_t>(id), b);
    };
    if (v.is_object()) {
      for (const auto& [key, bias] : v.items()) {
        int32_t id = 0;
        const auto read = std::from_chars(key.data(), key.data() + key.size(), id);
        if (read.ec != std::errc() || read.ptr != key.data() + key.size() || id < 0)
          wrong("has the key " + shown(key) + ", which is no token id");
        add(id, bias);
      }
    } else if (v.is_array()) {
      for (const Json& pair : v) {
        if (!pair.is_array() || pair.size() != 2) wrong("must hold pairs of a token id and a bias");
        add(whole_in(pair[0], 0, INT32_MAX), pair[1]);
      }
    } else {
      wrong("must be an object of biases by token id, not " + shown(v));
    }
  });
}

Field template_variables_field() {
  return field("chat_template_kwargs", "object",
               "what the chat template may ask beside the conversation: {\"enable_thinking\": false}",
               [](const Json& v, Asked& a) {
                 try {
                   ChatTemplate::check_variables(v);
                 } catch (const Error& e) {
                   throw RequestError(400, e.what());
                 }
                 a.template_variables = v;
               });
}

Fields joined(std::initializer_list<Fields> parts) {
  Fields out;
  for (const Fields& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

void read_fields(const Fields& fields, bool refuse_unknown, const Json& body, Asked& asked) {
  if (!body.is_object()) throw RequestError(400, "the body must be a JSON object");
  for (const auto& [key, value] : body.items()) {
    const auto it = std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == key; });
    if (it == fields.end()) {
      if (refuse_unknown) throw RequestError(400, "Unrecognized request argument supplied: " + key, key);
      continue;
    }
    if (value.is_null() || !it->read) continue;
    try {
      it->read(value, asked);
    } catch (const RequestError& e) {
      throw RequestError(e.status, "'" + key + "' " + e.what(), key, e.code);
    }
  }
}

}  // namespace lmc::serve
