// lmc chat: questions line by line, answers as they come.
#include <fmt/format.h>
#include <unistd.h>

#include "tools/build/model_cache.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/cli/text_io.h"
#include "tools/generate/conversation.h"
#include "tools/generate/line_reader.h"
#include "tools/generate/ranks.h"

namespace lmc::chat_command {
namespace {

struct Options {
  std::string bundle, system, load;
  GenerationFlags generation;
  LoadOptions kernels;
  int threads = 0;
};

const char* const kHelp =
    "every line is a question to the model, but for\n"
    "  /clear      forget the conversation (not the system message)\n"
    "  /save FILE  write the conversation as JSON\n"
    "  /load FILE  go on with a saved conversation\n"
    "  /help       this\n"
    "  /exit       leave; so does the end of the input\n"
    "Ctrl-C stops an answer; twice at the prompt, it leaves";

class Chat {
 public:
  explicit Chat(Conversation& conversation) : conversation_(conversation) {}

  void run() {
    LineReader reader;
    std::string line;
    bool asked = false;  // by one Ctrl-C at the prompt; a second one in a row leaves
    while (!done_) {
      if (people_) std::fputs("> ", stderr);
      const LineReader::Event event = reader.next(line);
      if (event == LineReader::Event::end) break;
      if (event == LineReader::Event::interrupted) {
        if (!people_ || asked || !forget_interrupt()) throw Interrupted();
        std::fputs("\nCtrl-C again leaves, as /exit does\n", stderr);
        asked = true;
        continue;
      }
      asked = false;
      take(line);
    }
  }

 private:
  // A mistake does not end a conversation with people; a script must not go on as if all were well.
  void take(const std::string& line) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) return;
    try {
      line[0] == '/' ? command(line) : question(line);
    } catch (const Error& e) {
      if (!people_) throw;
      info("{}", e.what());
    }
  }

  void command(const std::string& line) {
    const size_t space = line.find(' ');
    const std::string word = line.substr(0, space);
    const size_t begin = space == std::string::npos ? space : line.find_first_not_of(' ', space);
    const std::string file = begin == std::string::npos ? "" : line.substr(begin);
    if (word == "/exit" || word == "/quit") {
      done_ = true;
    } else if (word == "/help") {
      info("{}", kHelp);
    } else if (word == "/clear") {
      conversation_.clear();
    } else if (word != "/save" && word != "/load") {
      throw Error("there is no command " + word + "; /help lists them");
    } else if (file.empty()) {
      throw Error(word + " needs a file name");
    } else if (word == "/save") {
      conversation_.save(file);
      info("saved {} messages to {}", conversation_.messages().size(), file);
    } else {
      conversation_.load(file);
      info("loaded {} messages from {}", conversation_.messages().size(), file);
    }
  }

  void question(const std::string& text) {
    const Answer a = conversation_.ask(text, write_stdout);
    write_stdout("\n");
    const Generated& g = a.generated;
    info("{} of {} prompt tokens from the cache, {} tokens in {:.1f} s", conversation_.cached_tokens(),
         conversation_.prompt_tokens(), g.ids.size(), g.prompt_seconds + g.decode_seconds);
    if (const std::string guessed = acceptance_text(g.drafted, g.accepted); !guessed.empty())
      info("{}", guessed);
    if (g.reason == StopReason::interrupted && !forget_interrupt()) throw Interrupted();
    if (g.reason == StopReason::timeout) info("ended by --timeout");
    if (g.reason == StopReason::failed) info("{}", g.failure);
    if (g.reason == StopReason::context) info("the context is full: /clear begins a new conversation");
  }

  Conversation& conversation_;
  const bool people_ = ::isatty(STDIN_FILENO) != 0;
  bool done_ = false;
};

void run(const Options& o) {
  static_cast<void>(o.generation.options());  // wrong usage is found before anything is loaded
  const Restrictions restrictions(o.generation);
  Engine engine(o.bundle.empty() ? newest_bundle() : bundle_of(o.bundle),
                {.threads = o.threads, .collective = ranks_of_this_run()}, o.kernels);
  if (engine.follows()) return;
  restrictions.apply(engine);
  Conversation conversation(engine, o.generation, o.system);
  if (!o.load.empty()) conversation.load(o.load);
  engine.warm_up();
  engine.report();
  if (::isatty(STDIN_FILENO)) info("/help lists what else can be typed");
  Chat(conversation).run();
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
       o->generation.generate.max_tokens = 1024;
       o->generation.add_to(flags);
       add_threads_flag(flags, o->threads);
       add_load_flags(flags, o->kernels);
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::chat_command
