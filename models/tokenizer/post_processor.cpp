// Templates for a single text; ByteLevel changes offsets only, which are not kept here.
#include "models/tokenizer/post_processor.h"

#include <algorithm>

namespace lmc::tokenizer {

std::vector<int32_t> PostProcessor::apply(std::vector<int32_t> ids) const {
  for (const auto& pattern : templates) {
    std::vector<int32_t> out;
    out.reserve(ids.size() + pattern.size());
    for (const int32_t id : pattern) {
      if (id == kText) {
        out.insert(out.end(), ids.begin(), ids.end());
      } else {
        out.push_back(id);
      }
    }
    ids = std::move(out);
  }
  return ids;
}

namespace {

std::vector<int32_t> read_template(const Fields& spec, int32_t ids) {
  std::vector<int32_t> out;
  for (const Fields& item : spec.objects("single")) {
    if (item.has("Sequence")) {
      if (item.object("Sequence").text("id") != "A") item.fail("a single text is the sequence 'A'");
      if (std::count(out.begin(), out.end(), PostProcessor::kText) > 0)
        item.fail("the text stands in the template twice");
      out.push_back(PostProcessor::kText);
      continue;
    }
    const std::string name = item.object("SpecialToken").text("id");
    for (const int64_t id : spec.object("special_tokens").object(name.c_str()).integers("ids")) {
      if (id < 0 || id >= ids)
        item.fail("the id " + std::to_string(id) + " of '" + name + "' is not in the vocabulary");
      out.push_back(static_cast<int32_t>(id));
    }
  }
  return out;
}

// "sep": ["[SEP]", 102]
int32_t read_token(const Fields& spec, const char* key, int32_t ids) {
  const auto& pair = spec.value();
  const auto found = pair.find(key);
  if (found == pair.end() || !found->is_array() || found->size() != 2 || !found->at(1).is_number_integer())
    spec.fail(std::string("'") + key + "' must be [token, id]");
  const auto id = found->at(1).get<int64_t>();
  if (id < 0 || id >= ids)
    spec.fail(std::string("the id ") + std::to_string(id) + " of '" + key + "' is not in the vocabulary");
  return static_cast<int32_t>(id);
}

}  // namespace

PostProcessor make_post_processor(const Fields& spec, int32_t ids) {
  const std::string type = spec.type();
  PostProcessor out;
  if (type == "ByteLevel") return out;
  if (type == "TemplateProcessing") {
    out.templates.push_back(read_template(spec, ids));
    return out;
  }
  if (type == "BertProcessing" || type == "RobertaProcessing") {
    out.templates.push_back(
        {read_token(spec, "cls", ids), PostProcessor::kText, read_token(spec, "sep", ids)});
    return out;
  }
  if (type != "Sequence") spec.fail_unknown("post-processor", type);
  for (const Fields& step : spec.objects("processors")) {
    for (auto& pattern : make_post_processor(step, ids).templates)
      out.templates.push_back(std::move(pattern));
  }
  return out;
}

}  // namespace lmc::tokenizer
