#include "tools/build/auto_quant/auto_quant.h"

#include <algorithm>

#include "ir/block_format.h"
#include "tools/build/auto_quant/budget.h"
#include "tools/build/auto_quant/byte_choice.h"
#include "tools/build/auto_quant/calibration.h"
#include "tools/build/auto_quant/divergence.h"
#include "tools/build/auto_quant/format_choice.h"
#include "tools/build/auto_quant/importance.h"
#include "tools/build/auto_quant/lookups.h"
#include "tools/build/auto_quant/packed_model.h"
#include "tools/build/auto_quant/trials.h"
#include "tools/cli/console.h"

namespace lmc {
namespace {

constexpr const char* kDefaultBudget = "kl=0.01";

std::string check_budget(const std::string& text) {
  return quant_budget(text)
             ? ""
             : "'" + text +
                   "' is no budget; one is written kl=NUMBER, in nats, bits=NUMBER, of a weight, "
                   "or size=FORMAT, as in kl=0.01";
}

// Has one of the formats that rules name something to choose by importance?
bool chooses(const std::string& rules) {
  const std::vector<const BlockFormat*> all = block_formats();
  return std::any_of(all.begin(), all.end(), [&](const BlockFormat* f) {
    return f->encode_by && rules.find(f->name) != std::string::npos;
  });
}

class Choice {
 public:
  Choice(Trials& trials, double budget) : trials_(trials), budget_(budget) {}

  std::string choose(const std::function<Sequences(Session&)>& sequences) {
    {
      PackedModel reference = compiled("none");
      Sequences s = sequences(reference.session());
      reference_.emplace(reference.session(), std::move(s));
    }
    {
      PackedModel q8 = compiled("q8_0");
      candidates_ = Trials::quantised(q8);
      for (const std::string& table : tables(trials_.model().graph))  // decoding reads a row of it
        std::erase(candidates_, std::vector{table});
      unrounded_ = reference_->kl(q8.session());
      if (unrounded_ <= budget_) {
        coarse_ = DType::q8_0;
        fine_ = *dtype_from_name("q4_k");
        measure_each(q8);
      }
    }
    if (!coarse_ && holds_quantised()) {
      info(
          "auto: q8_0 throughout is KL {:.3g} away from no quantisation, beyond the budget; what the "
          "checkpoint "
          "holds quantised stays as it is",
          unrounded_);
      return "";
    }
    if (!coarse_) {
      info("auto: q8_0 throughout is KL {:.3g} away from no quantisation, beyond the budget", unrounded_);
      unrounded_ = 0;
      PackedModel reference = compiled("none");
      measure_each(reference);
    }
    return fit();
  }

 private:
  // Wider than it came nothing would be better for it.
  bool holds_quantised() const {
    const Model& model = trials_.model();
    const auto& weights = model.graph.weights();
    return std::any_of(weights.begin(), weights.end(), [&](ValueId w) {
      const std::string& name = model.graph.value(w).name;
      return model.weights->type(name) && model.weights->stored_format(name);
    });
  }

  PackedModel compiled(const std::string& rules) { return trials_.compiled(rules); }

  // What each candidate alone adds to the divergence, over the first of the sequences.
  void measure_each(PackedModel& model) {
    const double before = reference_->kl(model.session(), 1);
    Progress progress("measuring projections");
    for (const auto& m : model.matrices()) {
      if (std::find(candidates_.begin(), candidates_.end(), m.tensors) == candidates_.end()) continue;
      const PackedModel::Rounding rounding(model, m, fine_);
      RoundingPrice price;
      price.kl = std::max(reference_->kl(model.session(), 1) - before, 0.0);
      price.saved = bytes(m.type, m.type.dtype) - bytes(m.type, fine_);
      if (log_level() >= LogLevel::debug)
        info("  {} in {}: KL {:.3g}, saves {}", m.tensors[0], dtype_name(fine_), price.kl,
             human_bytes(static_cast<double>(price.saved)));
      prices_.push_back(price);
      tensors_.push_back(m.tensors);
      progress.update(static_cast<int64_t>(prices_.size()), static_cast<int64_t>(candidates_.size()));
      stop_if_interrupted();
    }
  }

  static int64_t bytes(const Type& t, DType format) { return storage_bytes(format, t.elements(), t.last()); }

  std::string fit() {
    const auto count = [&](const Chosen& chosen) {
      return fmt::format("{} of {} weights in {}", chosen.size(), prices_.size(), dtype_name(fine_));
    };
    const Fit fit = most_that_fit(prices_, budget_, unrounded_, [&](const Chosen& chosen) {
      PackedModel trial = compiled(rules(chosen));
      const double kl = reference_->kl(trial.session());
      info("auto: {}: KL {:.3g}", count(chosen), kl);
      return kl;
    });
    info("auto: {}, the others in {}: KL {:.3g} over {} tokens, budget {:.3g}, {} less", count(fit.chosen),
         title(coarse_), fit.kl, reference_->tokens(), budget_,
         human_bytes(static_cast<double>(bytes_saved(prices_, fit.chosen))));
    return rules(fit.chosen);
  }

  // The chosen ones in the fine format, the others in the coarse one, with the fewer as exceptions.
  std::string rules(const Chosen& chosen) const {
    const bool mostly_fine = 2 * chosen.size() > prices_.size();
    std::vector<QuantException> others;
    const std::optional<DType> fine = fine_;
    for (size_t i = 0; i < prices_.size(); ++i) {
      if (std::binary_search(chosen.begin(), chosen.end(), i) != mostly_fine)
        others.push_back({tensors_[i], mostly_fine ? coarse_ : fine});
    }
    return rules_of(mostly_fine ? fine : coarse_, others);
  }

  Trials& trials_;
  double budget_;
  std::optional<ReferencePredictions> reference_;
  std::vector<std::vector<std::string>> candidates_;  // tensors of what Q8_0 would be used for
  std::optional<DType> coarse_;                       // nullopt: as the checkpoint has it
  DType fine_ = DType::q8_0;
  double unrounded_ = 0;  // KL with all in the coarse format
  std::vector<RoundingPrice> prices_;
  std::vector<std::vector<std::string>> tensors_;  // of each price
};

}  // namespace

void AutoQuantFlags::add_to(Flags& flags) {
  flags
      .option(
          "--budget", budget_,
          "of --quant auto: kl=NUMBER, the largest mean KL divergence from the model without "
          "quantisation, in nats; or what weights may take, bits=NUMBER for each or size=FORMAT, as much as "
          "with that one (default: " +
              std::string(kDefaultBudget) + ")")
      .check(check_budget, "BUDGET");
  flags
      .option(
          "--calibrate", text_,
          "a text whose beginning tells which inputs of projections matter, for the least squares of "
          "formats of few bits; for --quant auto also what to measure with (default: what the model itself "
          "writes)")
      .existing_file();
}

void AutoQuantFlags::check(bool automatic) const {
  if (!automatic && !budget_.empty()) throw UsageError("--budget goes with --quant auto");
}

InputImportance AutoQuantFlags::importance(const Model& model, const ModelFlags& flags,
                                           const PassOptions& passes, const std::string& target,
                                           const std::string& tokenizer, int threads) const {
  if (text_.empty()) return {};
  if (!model.weights) throw UsageError("--calibrate measures with the weights; --weights none brings none");
  if (const std::string rules = flags.quant.rules(model); !flags.quant.automatic() && !chooses(rules))
    throw UsageError(
        "--calibrate goes with --quant auto or a format that has something to choose, not with " + rules);
  const Sequences sequences = sequences_of_text(text_, tokenizer, model, kImportanceText);
  InputImportance out = measure_importance(model, flags, unwatched(passes), target, threads, sequences);
  size_t tokens = 0;
  for (const auto& s : sequences) tokens += s.size();
  info("inputs of {} tensors measured over {} tokens of {}", out.size(), tokens, text_);
  return out;
}

std::string AutoQuantFlags::choose(const Model& model, const ModelFlags& flags, const PassOptions& passes,
                                   const std::string& target, const std::string& tokenizer, int threads,
                                   const InputImportance& importance) const {
  if (!model.weights) throw UsageError("--quant auto measures with the weights; --weights none brings none");
  const auto set = passes.settings.find("quantize");
  if (set != passes.settings.end() && set->second.contains("format"))
    throw UsageError("--set quantize.format and --quant auto: only one can choose");
  SessionOptions session;
  session.threads = threads;
  session.stop = &interrupted();
  Trials trials(model, flags, passes, target, session, importance);
  const std::function<Sequences(Session&)> sequences = [&](Session& s) {
    return text_.empty() ? sampled_sequences(s, model)
                         : sequences_of_text(text_, tokenizer, model, kPredictedText);
  };
  const QuantBudget budget = *quant_budget(budget_.empty() ? kDefaultBudget : budget_);
  if (const auto* bytes = std::get_if<ByteBudget>(&budget))
    return choose_within_bytes(trials, *bytes, sequences);
  return Choice(trials, std::get<DivergenceBudget>(budget).kl).choose(sequences);
}

}  // namespace lmc
