// lmc compile: a model file and a checkpoint become a bundle.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "codegen/codegen.h"
#include "codegen/layout.h"
#include "codegen/proof/prove.h"
#include "codegen/target.h"
#include "ir/op_def.h"
#include "ir/text.h"
#include "models/chat/builtin_templates.h"
#include "models/chat/template.h"
#include "models/checkpoint/hub_cache.h"
#include "models/export/gguf_tokenizer.h"
#include "models/load/model.h"
#include "models/text/json_text.h"
#include "models/tokenizer/tokenizer.h"
#include "passes/engine/lowering.h"
#include "passes/engine/ranks.h"
#include "runtime/threads.h"
#include "tools/build/auto_quant/auto_quant.h"
#include "tools/build/quant_report.h"
#include "tools/bundle/bundle.h"
#include "tools/bundle/plan_json.h"
#include "tools/bundle/weight_identity.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/cli/text_io.h"
#include "tools/generate/engine.h"
#include "tools/machine/machine.h"
#include "tools/machine/native_target.h"
#include "tools/pipeline/group_outcome.h"
#include "tools/pipeline/model_flags.h"
#include "tools/system/cache_folder.h"
#include "tools/system/files.h"

namespace lmc::compile_command {
namespace fs = std::filesystem;
namespace {

struct Options {
  std::string model, output, tokenizer, chat_template, emit, sign, target = "native", split;
  ModelFlags source;
  AutoQuantFlags automatic;
  PassFlags passes;
  int64_t block = 64;
  int64_t ranks = 0, rank = -1;  // 0: compiled without --ranks
  int threads = 0;
  bool no_verify = false;
  bool self_draft = false;
  bool allow_nan = false;
};

void report_model(const Model& m) {
  info("{}: {} layers, context {}, vocabulary {} from {}", m.family, m.layers, m.context, m.vocab, m.source);
  info("{} tensors, {:.2f} M parameters", m.tensors, static_cast<double>(m.parameters) / 1e6);
}

// One stage of the road, instead of a bundle.
void emit(const Options& o, const std::string& text) {
  if (!o.output.empty()) return write_file(o.output, text);
  write_stdout(text);
}

std::string tokenizer_of(const Options& o, const Model& m) {
  return o.tokenizer.empty() ? m.tokenizer : o.tokenizer;
}

std::string template_names() {
  std::string out;
  for (const auto& [name, text] : builtin_templates()) out += (out.empty() ? "" : ", ") + name;
  return out;
}

// --chat-template: a file, or the name of one that is built in.
ChatTemplateText named_template(const std::string& given) {
  std::error_code ec;
  ChatTemplateText out;
  out.file = given;
  if (fs::exists(given, ec)) {
    out.source = read_input(given);
  } else if (const auto it = builtin_templates().find(given); it != builtin_templates().end()) {
    out.source = it->second;
  } else {
    throw UsageError("--chat-template " + given + ": is neither a file nor one of " + template_names());
  }
  ChatTemplate{out};
  return out;
}

// The text of the first of these ids.
std::string token_text(const Tokenizer& t, const std::vector<int32_t>& ids) {
  return ids.empty() ? "" : t.decode(std::span(ids).first(1), false);
}

// Kept as the checkpoint brings it: one that cannot be used spoils no more than `--chat`.
void add_chat_template(const Options& o, BundleWriter& writer, const Model& m) {
  std::optional<ChatTemplateText> text;
  if (!m.folder.empty()) text = find_chat_template(m.folder);
  if (!m.gguf.empty()) text = gguf_chat_template(m.gguf);
  if (!o.chat_template.empty()) {
    ChatTemplateText other = named_template(o.chat_template);
    if (text) {
      other.bos_token = text->bos_token;
      other.eos_token = text->eos_token;
    } else if (const std::string tokenizer = tokenizer_of(o, m); !tokenizer.empty()) {
      const Tokenizer t = Tokenizer::open(tokenizer);
      other.bos_token = token_text(t, m.bos_ids);
      other.eos_token = token_text(t, m.eos_ids);
    }
    text = other;
  }
  if (!text) return;
  writer.add("chat_template.jinja", text->source);
  writer.add("tokenizer_config.json", chat_tokens_json(*text));
  try {
    ChatTemplate{*text};
  } catch (const Error& e) {
    info("the chat template cannot be used: {}", e.what());
  }
}

// What a rank (or the only one) has for itself: its graphs, kernels, plan and weights.
void write_rank(const Options& o, BundleWriter& writer, WeightIdentity& identity, const Model& m,
                CodegenResult& code, const std::vector<PassReport>& reports,
                const InputImportance& importance) {
  const WeightPacker packer(code.graphs.model, code.packs, *m.weights,
                            o.allow_nan ? NotFinite::keep : NotFinite::refuse,
                            column_importance(importance, code));
  QuantReport report(reports, code);
  report.adapters = m.adapters;
  {
    Progress progress("quantising and packing");
    report.errors =
        writer.add_weights(code.plan, packer, identity.of(code.graphs.model, code.packs),
                           o.threads > 0 ? o.threads : default_threads(), [&](int64_t done, int64_t total) {
                             stop_if_interrupted();
                             progress.update(done, total);
                           });
  }
  writer.add_own("model.lmir", print_graph(code.graphs.model));
  writer.add_own("decode.lmir", print_graph(code.graphs.decode));
  writer.add_own("prefill.lmir", print_graph(code.graphs.prefill));
  if (!code.plan.hidden.stages.empty()) writer.add_own("hidden.lmir", print_graph(code.graphs.hidden));
  if (!code.plan.draft.stages.empty()) writer.add_own("draft.lmir", print_graph(code.graphs.draft));
  writer.add_own("kernels.o", code.object);
  writer.add_own("report.json", report.json());
  if (o.ranks <= 1) report.print();
}

// What all ranks share, and then the bundle is complete.
void finish_bundle(const Options& o, BundleWriter& writer, const Model& m, const Plan& plan,
                   const std::vector<PassReport>& reports, const SigningKey* key) {
  if (const std::string tokenizer = tokenizer_of(o, m); !tokenizer.empty()) {
    const Tokenizer t = Tokenizer::open(tokenizer);
    writer.add("tokenizer.bin", t.to_binary());
    info("tokenizer with {} tokens", t.vocab_size());
  } else {
    info("no tokenizer: only --ids will work; pass --tokenizer FILE (tokenizer.json or .model) to use text");
  }
  add_chat_template(o, writer, m);
  stop_if_interrupted();
  BundleInfo bundle_info;
  bundle_info.model = m.family;
  bundle_info.source = m.source;
  bundle_info.adapters = m.adapters;
  bundle_info.layers = m.layers;
  bundle_info.tensors = m.tensors;
  bundle_info.parameters = m.parameters;
  for (const PassReport& r : reports) {
    if (!r.summary.empty()) bundle_info.summaries.push_back(r.summary);
  }
  bundle_info.bos_ids = m.bos_ids;
  bundle_info.eos_ids = m.eos_ids;
  bundle_info.sampling = m.sampling;
  bundle_info.example_prompt = m.example_prompt;
  writer.commit(bundle_info, plan, key);
}

// models/gemma3.yaml → gemma3.lmc, checkpoints/Llama-3.2-1B/ → Llama-3.2-1B.lmc, as the id of a hub's model
// does
std::string default_output(const std::string& model) {
  std::error_code ec;
  if (const auto id = parse_hub_id(model); id && !fs::exists(model, ec)) return id->name + ".lmc";
  if (!fs::is_directory(model, ec))
    return fs::path(model.substr(model.rfind(':') + 1)).stem().string() + ".lmc";
  const fs::path folder = fs::canonical(model, ec);
  const std::string name = folder.filename().string();
  return (name.empty() ? "model" : name) + ".lmc";
}

// Two models may get one name: gpt2.yaml and checkpoints/gpt2/.
void report_replacing(const std::string& output, const Model& m) {
  std::string source;
  try {
    source = read_json(output + "/manifest.json").value("source", "");
  } catch (const std::exception&) {  // nothing there, or no bundle: what is written says so
  }
  if (!source.empty() && source != m.source)
    info("{} will be replaced: it is a bundle of {}; -o names another", output, source);
}

CodegenOptions codegen_options(const Options& o, const Model& m) {
  CodegenOptions out;
  out.context = m.context;
  out.want_llvm = o.emit == "llvm";
  out.want_assembly = o.emit == "asm";
  out.cache_folder = cache_folder();
  return out;
}

// Every kernel beside the evaluator of its group. Throws Error for the first that computes something else,
// and leaves the group in repro.lmir.
void prove(const CodegenResult& code) {
  if (!find_target(code.plan.target).supported_here()) {
    info("kernels not verified: this CPU does not run {}", code.plan.target);
    return;
  }
  const auto start = std::chrono::steady_clock::now();
  const LoadedKernels kernels(code.object);
  const Proof proof = prove_kernels(code.graphs, code.plan, kernels, false);
  if (proof.wrong) {
    write_file("repro.lmir", print_graph(proof.wrong->repro));
    throw Error(proof.wrong->str() + "; the group is in repro.lmir");
  }
  info("verified {} of {} kernels in {:.2f} s", proof.verified, proof.kernels, seconds_since(start));
}

// The model of a rank behind its optimisations; of all ranks together, where none is meant.
struct RankModel {
  Graph graph;
  std::vector<PassReport> reports;
};

std::vector<RankModel> optimised(const Options& o, Model& m, const PassOptions& passes) {
  std::vector<RankModel> out;
  if (o.ranks == 0) {
    out.push_back({Graph(), run_and_report(m.graph, passes, o.passes, o.emit != "opt")});
    out[0].graph = std::move(m.graph);
    return out;
  }
  std::vector<int64_t> wanted;
  if (o.rank >= 0) wanted.push_back(o.rank);
  RankPasses dealt = run_passes_for_ranks(m.graph, passes, o.ranks, wanted);
  report_passes(dealt.together, passes, o.passes.explain);
  if (o.emit == "opt" && o.rank < 0) {
    out.push_back({std::move(m.graph), std::move(dealt.together)});
    return out;
  }
  for (size_t r = 0; r < dealt.graphs.size(); ++r) {
    if (out.empty()) report_passes(dealt.alone[r], passes, o.passes.explain);  // the others' are alike
    out.push_back({std::move(dealt.graphs[r]), dealt.together});
    out.back().reports.insert(out.back().reports.end(), dealt.alone[r].begin(), dealt.alone[r].end());
  }
  return out;
}

bool reads_high_nibbles(const Graph& g) {
  const std::vector<OpId> ops = g.ops();
  return std::any_of(ops.begin(), ops.end(), [&](OpId id) { return g.op(id).def->name == "high_nibbles"; });
}

// Nothing where --emit has written what it asks for.
std::optional<CodegenResult> compiled(const Options& o, const CodegenOptions& options,
                                      const LoweringOptions& wanted, const RankModel& model,
                                      PassOptions passes) {
  passes.passes_before = static_cast<int>(model.reports.size());
  std::vector<PassReport> lowering;
  Lowered lowered = lower(model.graph.clone(), wanted, passes, &lowering);
  report_passes(lowering, passes, false);
  if (wanted.draft && !reads_high_nibbles(lowered.draft))
    throw UsageError(
        "--self-draft guesses by half of each q8_0 weight, and this model has none: --quant q8_0");
  // (Of what is cut by columns, every part has all rows.)
  if (o.ranks == 0) {
    for (const std::string& line : stored_more_than_once(lowered.model)) info("  {}", line);
  }
  const auto write = [&](const std::string& text) {
    emit(o, text);
    return std::nullopt;
  };
  if (o.emit == "decode") return write(print_graph(lowered.decode));
  if (o.emit == "prefill") return write(print_graph(lowered.prefill));
  if (o.emit == "draft") return write(print_graph(lowered.draft));
  const auto start = std::chrono::steady_clock::now();
  CodegenResult code =
      o.emit == "plan" ? plan_only(std::move(lowered), options) : lmc::emit(std::move(lowered), options);
  const double seconds = seconds_since(start);
  if (o.emit == "plan") return write(plan_to_json(code.plan));
  if (o.emit == "llvm") return write(code.llvm_ir);
  if (o.emit == "asm") return write(code.assembly);
  stop_if_interrupted();
  if (!o.no_verify) prove(code);
  stop_if_interrupted();
  info("{}target {}: {} stages per token, {} kernels in {} {}",
       o.ranks > 1 ? fmt::format("rank {}: ", code.plan.rank) : "", code.plan.target,
       code.plan.decode.stages.size(), code.kernels, human_bytes(static_cast<double>(code.object.size())),
       code.from_cache ? "from the object cache" : fmt::format("compiled in {:.1f} s", seconds));
  return code;
}

void check_ranks(const Options& o) {
  if (o.rank >= 0 && o.emit.empty()) throw UsageError("--rank goes with --emit: a bundle has all ranks");
  if (o.rank >= std::max<int64_t>(o.ranks, 1))
    throw UsageError(
        fmt::format("--rank {}: there are {} ranks, counted from 0", o.rank, std::max<int64_t>(o.ranks, 1)));
  if (o.ranks > 1 && o.rank < 0 && !o.emit.empty() && o.emit != "opt" && o.emit != "import" &&
      o.emit != "graph" && o.emit != "quant")
    throw UsageError("--emit " + o.emit + " is of one rank: pass --rank");
  if (!o.split.empty() && o.ranks == 0) throw UsageError("--split goes with --ranks");
  if (o.ranks > 0 && o.self_draft) throw UsageError("--self-draft is for one process: leave out --ranks");
  if (o.ranks > 1 && o.automatic.calibrates())
    throw UsageError("--calibrate is for one process: leave out --ranks");
  if (o.ranks > 0 && o.passes.price)
    throw UsageError("--price is of one machine: lmc price tells what several take");
}

// What the machine's figures say, where --set does not.
void suit_this_machine(PassOptions& passes) {
  auto& form_kernels = passes.settings["form-kernels"];
  if (!form_kernels.contains("prefetch"))
    form_kernels["prefetch"] = std::to_string(machine_figures(default_threads()).prefetch);
}

void run(const Options& o) {
  const auto start = std::chrono::steady_clock::now();
  if (o.source.options.weights == "none" && o.emit.empty())
    throw UsageError("--weights none goes with --emit: there is nothing to pack");
  if (!o.sign.empty() && !o.emit.empty()) throw UsageError("--sign goes with a bundle, not with --emit");
  check_ranks(o);
  if (o.emit == "draft" && !o.self_draft) throw UsageError("--emit draft goes with --self-draft");
  o.automatic.check(o.source.quant.automatic());
  if (!o.chat_template.empty()) static_cast<void>(named_template(o.chat_template));
  std::string output = o.output;
  if (output.empty()) output = default_output(o.model);
  std::optional<SigningKey> key;
  if (!o.sign.empty()) key.emplace(o.sign);
  log_level();
  PassOptions pass_options = o.passes.options();

  Model m = load_model(o.model, o.source.options);
  if (!m.weights && o.emit.empty())
    throw UsageError(m.source + ": brings no weights to pack; pass --emit, or the checkpoint's folder");
  report_model(m);
  if (o.emit.empty()) report_replacing(output, m);
  if (o.emit == "import" || o.emit == "graph") return emit(o, print_graph(m.graph));
  const std::string target = o.target == "native" ? native_target() : o.target;
  const CodegenOptions options = codegen_options(o, m);
  ModelFlags source = o.source;
  InputImportance importance;  // which IR does not show
  if (o.emit.empty() || source.quant.automatic())
    importance = o.automatic.importance(m, source, pass_options, target, tokenizer_of(o, m), o.threads);
  if (source.quant.automatic()) {
    source.quant.format =
        o.automatic.choose(m, source, pass_options, target, tokenizer_of(o, m), o.threads, importance);
  }
  if (o.emit == "quant") return emit(o, source.quant.rules(m) + "\n");
  source.apply(pass_options, m);
  pass_options.phase = PassPhase::optimise;
  if (!o.split.empty()) pass_options.settings["shard"]["rules"] = o.split;
  const std::vector<RankModel> ranks = optimised(o, m, pass_options);
  stop_if_interrupted();
  if (o.emit == "opt") return emit(o, print_graph(ranks[0].graph));

  suit_this_machine(pass_options);
  const LoweringOptions lowering = {
      .block = std::min(o.block, m.context), .target = target, .hidden = o.ranks == 0, .draft = o.self_draft};
  std::optional<BundleWriter> writer;
  WeightIdentity identity;
  if (o.emit.empty()) writer.emplace(output);
  double bytes = 0;
  for (const RankModel& r : ranks) {
    std::optional<CodegenResult> code = compiled(o, options, lowering, r, pass_options);
    if (!code) return;
    writer->begin_rank(code->plan.rank);
    write_rank(o, *writer, identity, m, *code, r.reports, importance);
    for (const PlanWeight& w : code->plan.weights) bytes += static_cast<double>(w.bytes);
    if (&r != &ranks.back()) continue;
    finish_bundle(o, *writer, m, code->plan, r.reports, key ? &*key : nullptr);
    if (const std::string cache = cache_text(code->plan); !cache.empty()) info("{}", cache);
  }
  info("{} of weights{}", human_bytes(bytes), o.ranks > 1 ? fmt::format(" for {} ranks", o.ranks) : "");
  info("wrote {} in {:.1f} s", output, seconds_since(start));
}

const RegisterCommand kCompile(
    {"compile", "compile a model file and a checkpoint into a bundle", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags
           .option("model", o->model,
                   "a model file, such as gemma3.yaml, a Hugging Face folder, a GGUF file, or a hub id "
                   "(ORG/NAME, ORG/NAME@REVISION) that lmc pull has fetched")
           .type_name("MODEL")
           .required();
       flags
           .option("-o,--output", o->output,
                   "the bundle to write (default: ./<model>.lmc); with --emit a file (default: standard "
                   "output)")
           .type_name("FILE");
       o->source.add_to(flags);
       o->automatic.add_to(flags);
       flags
           .option("--tokenizer", o->tokenizer,
                   "a tokenizer.json, a SentencePiece .model or a folder (default: the checkpoint's)")
           .existing_path();
       flags
           .option("--chat-template", o->chat_template,
                   "a Jinja template instead of the checkpoint's: a file, or one of those built in: " +
                       template_names())
           .type_name("FILE");
       flags.option("--target", o->target, "instruction set; native is the fastest here")
           .suggests({"native", "avx2", "avx-vnni", "avx512-vnni", "avx512-amx"})
           .shows_default();
       flags.option("--block", o->block, "largest block of prompt tokens per step")
           .range(1, 4096)
           .shows_default();
       flags
           .option(
               "--emit", o->emit,
               "write this stage instead of a bundle: import (or graph) is the IR before any pass, opt "
               "after all, decode and prefill the kernels of a step of one token and of a block, draft those "
               "of --self-draft, quant the rules "
               "for --quant (those that auto has chosen)")
           .one_of({"import", "graph", "opt", "decode", "prefill", "draft", "plan", "llvm", "asm", "quant"});
       flags
           .option(
               "--ranks", o->ranks,
               "deal the model out to so many processes, which mpirun starts; the tokens are the same for "
               "any number")
           .check(
               [](const std::string& n) {
                 return n == "1" || n == "2" || n == "4" || n == "8" ? "" : "must be 1, 2, 4 or 8";
               },
               "N");
       flags
           .option("--split", o->split,
                   "with --ranks: what each process gets: tensor (default), some heads and neurons of every "
                   "layer, for one text sooner; layers, some layers, with few messages, for many texts")
           .one_of({"tensor", "layers"});
       flags.option("--rank", o->rank, "with --ranks and --emit: whose graph, counted from 0").range(0, 7);
       flags.flag("--self-draft", o->self_draft,
                  "also the step that guesses tokens by half of each q8_0 weight, for --speculate self");
       flags.flag("--no-verify", o->no_verify,
                  "do not run each kernel beside the evaluator of its group on seeded inputs");
       flags
           .option("--sign", o->sign,
                   "sign the bundle with this Ed25519 private key (PEM, as openssl genpkey makes it), for "
                   "--trust")
           .type_name("FILE");
       flags.flag("--allow-nan", o->allow_nan, "pack weights that are NaN or infinite, too");
       flags.option("-t,--threads", o->threads, "threads for packing (default: physical cores)")
           .range(1, 1024);
       o->passes.add_to(flags);
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::compile_command
