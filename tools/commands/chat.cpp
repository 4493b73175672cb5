// lmc chat: questions as they are typed, answers as they come.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "ir/names.h"
#include "tools/build/model_cache.h"
#include "tools/bundle/idle_check.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/cli/text_io.h"
#include "tools/generate/chat/chat_input.h"
#include "tools/generate/conversation.h"
#include "tools/generate/ranks.h"

namespace lmc::chat_command {
namespace {

struct Options {
  std::string bundle, system, load;
  GenerationFlags generation;
  TemplateVariables variables;
  EngineLoad loading;
  int threads = 0;
  int64_t context = 0;
  bool no_history = false;
};

class Chat {
 public:
  Chat(Options& options, const Engine& engine, Conversation& conversation)
      : options_(options),
        conversation_(conversation),
        input_(command_names(), !options.no_history),
        check_(engine.bundle(), [this] { return !waits_; }) {}

  void run() {
    std::string text;
    bool asked = false;  // by one Ctrl-C at the prompt; a second one with nothing typed between leaves
    while (!done_) {
      waits_ = true;
      const LineReader::Event event = input_.next(text);
      waits_ = false;
      check_.throw_if_damaged();
      if (event == LineReader::Event::end) break;
      if (event == LineReader::Event::interrupted) {
        if (!people_ || (asked && text.empty()) || !forget_interrupt()) throw Interrupted();
        std::fputs("\nCtrl-C again leaves, as /exit does\n", stderr);
        asked = true;
        continue;
      }
      asked = false;
      take(text);
    }
    if (people_ && !done_) std::fputs("\n", stderr);  // behind the prompt that Ctrl-D was typed at
  }

 private:
  struct Command {
    const char* name;
    const char* argument;  // as /help shows it; in brackets if it may be left out, "" if there is none
    const char* doc;
    void (Chat::*action)(const std::string& argument);
  };
  static const std::vector<Command>& commands() {
    static const std::vector<Command> kAll = {
        {"/clear", "", "forget the conversation (not the system message)", &Chat::clear},
        {"/retry", "", "another answer to the last question", &Chat::retry},
        {"/undo", "", "take back the last question and its answer", &Chat::undo},
        {"/system", "[TEXT]", "another system message, or none", &Chat::set_system},
        {"/set", "[NAME VALUE]", "change how answers are made, or show it", &Chat::set},
        {"/var", "NAME=VALUE", "a variable for the chat template: enable_thinking=false",
         &Chat::set_variable},
        {"/save", "FILE", "write the conversation as JSON", &Chat::save},
        {"/load", "FILE", "go on with a saved conversation", &Chat::load},
        {"/help", "", "this", &Chat::help},
        {"/exit", "", "leave; so does the end of the input (Ctrl-D)", &Chat::leave},
    };
    return kAll;
  }

  static std::vector<std::string> command_names() {
    std::vector<std::string> out;
    for (const Command& c : commands()) out.push_back(c.name);
    return out;
  }

  // A mistake does not end a conversation with people; a script must not go on as if all were well.
  void take(const std::string& text) {
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) return;
    try {
      text[0] == '/' ? command(text) : show(conversation_.ask(text, write_stdout));
    } catch (const Error& e) {
      if (!people_) throw Error(e.what());  // what a script says is no option of the command
      info("{}", e.what());
    }
  }

  void command(const std::string& text) {
    const size_t end = std::min(text.find_first_of(" \n"), text.size());
    std::string word = text.substr(0, end);
    if (word == "/quit") word = "/exit";
    const std::string argument = text.substr(std::min(text.find_first_not_of(" \n", end), text.size()));
    for (const Command& c : commands()) {
      if (word != c.name) continue;
      const std::string_view wanted = c.argument;
      if (wanted.empty() && !argument.empty()) throw Error(word + " takes nothing behind it");
      if (argument.empty() && !wanted.empty() && wanted[0] != '[')
        throw Error(word + " needs " + (wanted == "FILE" ? "a file name" : std::string(wanted)));
      return (this->*c.action)(argument);
    }
    throw Error("there is no command " + word + did_you_mean(word, command_names()) + "; /help lists them");
  }

  void clear(const std::string&) { conversation_.clear(); }
  void leave(const std::string&) { done_ = true; }
  void retry(const std::string&) { show(conversation_.retry(write_stdout)); }

  void undo(const std::string&) {
    conversation_.undo();
    info("taken back; {} messages are left", conversation_.messages().size());
  }

  void set_system(const std::string& text) {
    conversation_.set_system(text);
    info("{}", text.empty() ? "no system message" : "from now on with that system message");
  }

  void set(const std::string& argument) {
    const size_t space = argument.find(' ');
    const std::string name = argument.substr(0, space);
    if (!argument.empty()) {
      const size_t value = space == std::string::npos ? space : argument.find_first_not_of(' ', space);
      if (value == std::string::npos) throw Error("/set " + name + " needs a value");
      options_.generation.set(name, argument.substr(value));
    }
    info("-n {}, {}", options_.generation.generate.max_tokens, options_.generation.sampling.text());
  }

  void set_variable(const std::string& argument) {
    TemplateVariables changed = options_.variables;
    changed.set(argument);
    options_.variables = std::move(changed);
  }

  void save(const std::string& file) {
    conversation_.save(file);
    info("saved {} messages to {}", conversation_.messages().size(), file);
  }

  void load(const std::string& file) {
    conversation_.load(file);
    info("loaded {} messages from {}", conversation_.messages().size(), file);
  }

  void help(const std::string&) {
    std::string out = "what is typed is a question to the model, but for\n";
    for (const Command& c : commands()) {
      const std::string left = std::string(c.name) + (*c.argument != 0 ? " " : "") + c.argument;
      out += fmt::format("  {:<19} {}\n", left, c.doc);
    }
    out += "/set knows max_tokens, " + SamplingFlags::setting_names() +
           "\n"
           "several lines are one question between two \"\"\", with \\ at the end of each but the last, with "
           "Alt-Enter between them, or pasted\n"
           "Ctrl-C stops an answer; twice at the prompt, it leaves";
    info("{}", out);
  }

  void show(const Answer& a) {
    write_stdout("\n");
    const Generated& g = a.generated;
    info("{} of {} prompt tokens from the cache, {} tokens in {:.1f} s, {}", conversation_.cached_tokens(),
         conversation_.prompt_tokens(), g.ids.size(), g.prompt_seconds + g.decode_seconds, why_it_ended(a));
    if (conversation_.left_out() != left_out_ && conversation_.left_out() > 0) {
      info("the context is full: answers no longer see the oldest {} of {} messages (/clear begins anew)",
           conversation_.left_out(), conversation_.messages().size());
    }
    left_out_ = conversation_.left_out();
    if (const std::string guessed = acceptance_text(g.drafted, g.accepted); !guessed.empty())
      info("{}", guessed);
    options_.generation.sampling.next_answer();
    if (g.reason == StopReason::interrupted && !forget_interrupt()) throw Interrupted();
  }

  std::string why_it_ended(const Answer& a) const {
    switch (a.generated.reason) {
      case StopReason::max_tokens:
        return fmt::format("cut off by -n {} (/set max_tokens)", options_.generation.generate.max_tokens);
      case StopReason::stop_id:
        return "ended by itself";
      case StopReason::context:
        return "cut off: the context is full";
      case StopReason::callback:
        return "ended by --stop";
      case StopReason::timeout:
        return "ended by --timeout";
      case StopReason::interrupted:
        return "stopped by Ctrl-C";
      case StopReason::complete:
        return "ended by its grammar";
      case StopReason::failed:
        return a.generated.failure;
    }
    return "";
  }

  Options& options_;
  Conversation& conversation_;
  ChatInput input_;
  const bool people_ = ::isatty(STDIN_FILENO) != 0;
  size_t left_out_ = 0;  // as it was said last
  bool done_ = false;
  std::atomic<bool> waits_{false};  // for somebody to type
  IdleCheck check_;
};

void run(Options& o) {
  // Wrong usage is found before anything is loaded.
  static_cast<void>(o.generation.options());
  o.variables.check();
  const Restrictions restrictions(o.generation);
  Engine engine(o.bundle.empty() ? newest_bundle() : bundle_of(o.bundle),
                {.threads = o.threads, .collective = ranks_of_this_run(o.threads)}, o.loading, o.context);
  if (engine.follows()) return;
  o.generation.sampling.settle(engine.bundle().info.sampling);
  restrictions.apply(engine);
  Conversation conversation(engine, o.generation, o.variables, o.system);
  if (!o.load.empty()) conversation.load(o.load);
  engine.warm_up();
  engine.report();
  if (::isatty(STDIN_FILENO)) info("/help lists what else can be typed");
  Chat(o, engine, conversation).run();
}

const RegisterCommand kChat(
    {"chat", "talk with a model", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags
           .option("bundle", o->bundle,
                   "the bundle, or a checkpoint as for lmc run; the newest *.lmc here if left out")
           .type_name("BUNDLE");
       add_trust_flag(flags);
       flags.option("--system", o->system, "the system message");
       flags.option("--load", o->load, "go on with a conversation that /save wrote").type_name("FILE");
       o->variables.add_to(flags);
       flags.flag("--no-history", o->no_history,
                  "neither read nor keep what is typed (~/.local/state/lmc/chat_history)");
       o->generation.generate.max_tokens = 1024;
       o->generation.sampling.source = "checkpoint";
       o->generation.add_to(flags);
       add_threads_flag(flags, o->threads);
       add_context_flag(flags, o->context);
       add_load_flags(flags, o->loading);
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::chat_command
