// lmc machine: the figures of this machine that schedulers and costs go by.
#include "tools/machine/machine.h"

#include <fmt/format.h>

#include "runtime/threads.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"

namespace lmc::machine_command {
namespace {

struct Options {
  int threads = 0;
  bool again = false, json = false;
};

void run(const Options& o) {
  const int threads = o.threads > 0 ? o.threads : default_threads();
  const MachineFigures m = o.again ? measure_machine(threads) : machine_figures(threads);
  if (o.json) return fmt::print("{}", machine_to_json({m, cpu_name()}));
  fmt::print("weights, one core       {:8.1f} GB/s\n", m.read_one / 1e9);
  fmt::print("weights, {:>3} threads    {:8.1f} GB/s\n", m.threads, m.read_all / 1e9);
  for (const int size : {16, 32, 64, 128}) {
    fmt::print("kept of weights of {:>3} MB   {:4.0f} %\n", size,
               100 * (1 - part_from_memory(size * 1e6, m)));
  }
  fmt::print("linears in f32          {:8.1f} Gop/s a core, {:.1f} with a block of tokens\n", m.f32_one / 1e9,
             m.f32_block / 1e9);
  fmt::print("linears in int8         {:8.1f} Gop/s a core, {:.1f} with a block of tokens\n",
             m.int8_one / 1e9, m.int8_block / 1e9);
  fmt::print("attention               {:8.1f} Gop/s a core\n", m.attend / 1e9);
  fmt::print("elementwise and rows    {:8.1f} Gop/s a core\n", m.row / 1e9);
  fmt::print("exponentials            {:8.2f} G/s a core\n", m.exp / 1e9);
  fmt::print("buffers in the caches   {:8.1f} GB/s a core\n", m.buffers / 1e9);
  fmt::print("weights are asked into the {} level of the cache{}\n", m.prefetch == 2 ? "second" : "first",
             m.prefetch == 0 ? "; for a row or two not at all" : "");
  fmt::print("calling a tile          {:8.2f} µs\n", m.call * 1e6);
  fmt::print("a cold stage            {:8.2f} µs\n", m.cold * 1e6);
  fmt::print("sharing out a stage     {:8.2f} µs\n", m.launch * 1e6);
  fmt::print("starting a step         {:8.2f} µs\n", m.step_start * 1e6);
  info("{}", given_machine() && !o.again ? "as LMC_MACHINE says" : "kept in " + machine_file(threads));
}

const RegisterCommand kMachine(
    {"machine", "this machine's figures, by which costs are predicted and stages shared out among threads",
     [](Flags& flags) {
       auto o = std::make_shared<Options>();
       add_threads_flag(flags, o->threads);
       flags.flag("--again", o->again, "measure anew instead of reading what an earlier run has left");
       flags.flag("--json", o->json, "print them as one JSON object");
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::machine_command
