#include "tools/describe/manual.h"

#include <fmt/format.h>

#include <span>

#include "models/text/utf8.h"
#include "tools/bundle/bundle_format.h"

namespace lmc {
namespace {

// `text` as roff shows it: no escapes, no requests, '-' for what is typed, ASCII alone.
std::string roff(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool starts_line = out.empty() || out.back() == '\n';
    if (static_cast<unsigned char>(c) >= 0x80) {
      const tokenizer::Utf8Char character = tokenizer::first_char(std::string_view(text).substr(i));
      out += fmt::format("\\[u{:04X}]", static_cast<uint32_t>(character.code));
      i += character.length - 1;
    } else if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '~') {
      out += "\\(ti";
    } else if (c == '^') {
      out += "\\(ha";
    } else if (c == '`') {
      out += "\\(ga";
    } else if (c == '\n') {
      out += "\n.br\n";
    } else {
      out += starts_line && (c == '.' || c == '\'') ? std::string("\\&") + c : std::string(1, c);
    }
  }
  return out;
}

std::string bold(const std::string& text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + roff(text) + "\\fR"; }

// What to write for the value: "f16|f32", "FILE".
std::string value_text(const OptionDescription& o) {
  if (o.takes == Takes::choice && o.type != "PASS") return bold(fmt::format("{}", fmt::join(o.choices, "|")));
  return italic(o.type);
}

std::string man_option(const OptionDescription& o) {
  std::string out = ".TP\n";
  for (const std::string& n : o.names) out += (n == o.names[0] ? "" : ", ") + bold(n);
  if (o.takes != Takes::nothing) out += " " + value_text(o);
  out += "\n" + roff(o.doc);
  std::string more;
  const auto add = [&](const std::string& text) { more += (more.empty() ? "" : "; ") + text; };
  if (o.required) add("required");
  if (o.repeatable) add("may be repeated");
  if (!o.limits.empty()) add(roff(o.limits));
  if (!o.fallback.empty()) add("default: " + roff(o.fallback));
  return out + (more.empty() ? "" : "\n[" + more + "]") + "\n";
}

std::string man_positional(const OptionDescription& o) {
  return ".TP\n" + italic(o.names[0]) + "\n" + roff(o.doc) + "\n";
}

std::string man_usage(const CommandDescription& c) {
  std::string out = bold("lmc") + " " + bold(c.name) + " [" + italic("options") + "]";
  for (const OptionDescription& o : c.positionals) {
    const std::string name = italic(o.names[0]) + (o.repeatable ? " ..." : "");
    out += o.required ? " " + name : " [" + name + "]";
  }
  return out;
}

std::string man_command(const CommandDescription& c) {
  std::string out = ".SS " + c.name + "\n" + man_usage(c) + "\n.PP\n" + roff(c.doc) + "\n";
  for (const OptionDescription& o : c.positionals) out += man_positional(o);
  for (const OptionDescription& o : c.options) {
    if (o.names[0] != "-h") out += man_option(o);
  }
  return out + (c.footer.empty() ? "" : ".PP\n" + roff(c.footer) + "\n");
}

struct Entry {
  const char* name;
  const char* doc;
};

constexpr Entry kEnvironment[] = {
    {"LMC_LOG",
     "info, debug (the report of every pass, the time of each step and layer) or trace (of each kernel)"},
    {"LMC_CACHE_DIR", "where compiled kernels and the machine's figures are kept (default: ~/.cache/lmc)"},
    {"LMC_MACHINE", "a file with the figures of a machine, instead of those measured here"},
    {"HF_HUB_CACHE, HF_HOME", "where the Hugging Face hub's cache is (default: ~/.cache/huggingface)"},
    {"HF_TOKEN, HF_TOKEN_PATH", "the token, or a file with it, that lmc pull sends to the hub"},
    {"HF_ENDPOINT", "another hub for lmc pull"},
    {"HF_HUB_OFFLINE", "1 forbids the network"},
    {"NO_COLOR", "no colours, on a terminal either"},
};

constexpr Entry kExitCodes[] = {
    {"0", "all went well"},
    {"1",
     "something was wrong with a file, a model or this machine; the message on standard error says what"},
    {"2", "wrong usage"},
    {"130", "interrupted"},
};

constexpr const char* kExamples = R"roff(.SH EXAMPLES
.nf
lmc pull google/gemma\-3\-1b\-it
lmc compile google/gemma\-3\-1b\-it \-\-quant q8_0
lmc run gemma\-3\-1b\-it.lmc \-p "Once upon a time" \-n 100
lmc chat gemma\-3\-1b\-it.lmc
.fi
)roff";

std::string entries(const std::string& title, std::span<const Entry> list) {
  std::string out = ".SH " + title + "\n";
  for (const Entry& e : list) out += ".TP\n" + bold(e.name) + "\n" + roff(e.doc) + "\n";
  return out;
}

}  // namespace

std::string manual_page(const ProgramDescription& p) {
  std::string out =
      fmt::format(".\\\" Made by `lmc manual`.\n.TH LMC 1 \"\" \"lmc {}\" \"User Commands\"\n", kLmcVersion);
  out += ".SH NAME\nlmc \\- " + roff(p.program.doc) + "\n";
  out += ".SH SYNOPSIS\n" + bold("lmc") + " " + italic("command") + " [" + italic("options") + "] [" +
         italic("arguments") + "]\n";
  out +=
      ".SH DESCRIPTION\nA model file (YAML) and a checkpoint, or a Hugging Face folder or GGUF file by "
      "itself, are "
      "compiled to a bundle: a folder NAME.lmc with machine code and packed weights, which the other "
      "commands run.\n"
      "A model file that is not in the current folder is looked for in share/lmc/models of the installation, "
      "then "
      "among those that are compiled in.\n.SH OPTIONS\n";
  for (const OptionDescription& o : p.program.options) out += man_option(o);
  out += ".SH COMMANDS\nEach has " + bold("--help") + ".\n";
  for (const CommandDescription& c : p.commands) out += man_command(c);
  return out + entries("ENVIRONMENT", kEnvironment) + entries("EXIT STATUS", kExitCodes) + kExamples;
}

}  // namespace lmc
