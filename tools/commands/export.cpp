// lmc export: a model and its weights as a GGUF file, for llama.cpp and programs like it.
#include <filesystem>
#include <map>

#include "ir/block_format.h"
#include "models/export/gguf_export.h"
#include "tools/bundle/bundle.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"

namespace lmc::export_command {
namespace {

struct Options {
  std::string model;
  ModelOptions weights;
  GgufExport gguf;
};

// "12 of 40 tensors are Q5_0 instead of q4_k: their rows of 1152 are not whole blocks of 256"
void report_instead(const GgufExport& wanted, const GgufExported& done) {
  std::map<std::pair<std::string, int64_t>, int64_t> count;
  for (const auto& [tensor, format, columns] : done.instead) {
    ++count[{format, columns}];
    if (log_level() >= LogLevel::debug) info("  {}: {} instead of {}", tensor, format, wanted.type);
  }
  for (const auto& [what, tensors] : count) {
    info("{} of {} tensors are {} instead of {}: their rows of {} are not whole blocks of {}", tensors,
         done.tensors, what.first, wanted.type, what.second,
         block_format(*dtype_from_name(wanted.type)).values);
  }
}

void run(const Options& o) {
  if (std::filesystem::exists(o.model + "/manifest.json")) {
    throw Error(o.model +
                ": is a bundle; its weights are packed for the kernels. Export what it was compiled from: " +
                Bundle(o.model).info.source);
  }
  const auto start = std::chrono::steady_clock::now();
  const Model m = load_model(o.model, o.weights);
  GgufExport gguf = o.gguf;
  Progress progress("writing");
  gguf.progress = [&](int64_t done, int64_t total) {
    stop_if_interrupted();
    progress.update(done, total);
  };
  const GgufExported done = export_gguf(m, gguf);
  report_instead(gguf, done);
  if (!done.no_tokenizer.empty())
    info("no tokenizer was written ({}): its tokens are placeholders, so only ids work", done.no_tokenizer);
  info("wrote {} from {}: {} tensors, {}, in {:.1f} s", gguf.path, m.source, done.tensors,
       human_bytes(static_cast<double>(std::filesystem::file_size(gguf.path))), seconds_since(start));
}

std::vector<std::string> types() {
  std::vector<std::string> out = {"keep"};
  for (const BlockFormat* f : block_formats()) {
    if (!f->gguf.empty()) out.push_back(f->name);
  }
  return out;
}

const RegisterCommand kExport(
    {"export", "write a model and its weights as a GGUF file", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags.option("model", o->model, "a model file, a Hugging Face folder or a GGUF file")
           .type_name("MODEL")
           .required();
       flags.option("--gguf", o->gguf.path, "the file to write").type_name("FILE").required();
       flags
           .option("--type", o->gguf.type,
                   "of matrices: keep is as the checkpoint has them; vectors are always f32")
           .one_of(types())
           .shows_default();
       flags
           .option("--weights", o->weights.weights,
                   "a Hugging Face folder, a GGUF file, or random (default: the model file's checkpoint)")
           .type_name("CHECKPOINT");
       flags.option("--size", o->weights.size, "which size of random weights");
       flags.option("--seed", o->weights.seed, "of random weights").shows_default();
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::export_command
