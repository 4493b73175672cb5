// What every route shares: the model, its batcher, who may ask, and the thread that reads requests.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/serving/batcher.h"
#include "tools/generate/engine.h"
#include "tools/serve/access.h"
#include "tools/serve/http/server.h"
#include "tools/serve/route.h"
#include "tools/serve/structure.h"

namespace lmc::serve {

struct ServiceOptions {
  std::string model;  // as which it is listed; clients may name any
  AccessOptions access = {};
  int64_t most_texts = 64;  // that one request may ask for: prompts times n
  double seconds = 0;       // for one answer, waiting included; 0: no limit
  // Where a request does not say it: how tokens are drawn (BundleInfo::sampling), instead of what its
  // interface says, and what the chat template may ask beside the conversation, an object.
  std::map<std::string, double> sampling = {};
  Json template_variables = Json::object();
};

class Service {
 public:
  // All must outlive it.
  Service(const Engine& engine, Batcher& batcher, ServiceOptions options);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // A Handler.
  void handle(Request request, std::shared_ptr<Reply> reply);
  // From now on requests are refused with 503; those being read are answered.
  void stop();
  // Returns when nothing is being read any more: replies must not outlive the server.
  void finish();
  std::function<ServerStats()> server_stats = {};  // set before the first request

  // A request to this route that says nothing.
  Asked defaults(Asked of_route) const;
  const ServiceOptions& options() const { return options_; }
  const BundleInfo& bundle_info() const { return engine_.bundle().info; }
  const std::string& bundle_path() const { return engine_.bundle().path; }
  int64_t weight_bytes() const { return static_cast<int64_t>(engine_.bundle().weight_file().size()); }
  const std::string& digest() const {
    return digest_;
  }  // of the bundle's manifest, which has those of its files
  const Plan& plan() const { return engine_.bundle().plan; }
  Batcher& batcher() { return batcher_; }
  int64_t created() const { return created_; }  // seconds since 1970
  const Tokenizer& tokenizer() const;           // RequestError 501 if there is none
  const Tokenizer* tokenizer_or_null() const { return engine_.tokenizer_or_null(); }
  // RequestError 501 if the bundle has no usable one.
  const ChatTemplate& chat_template() const;
  const std::string& template_source() const { return template_source_; }  // "" if there is none
  bool has_template() const { return template_.has_value(); }
  // Makes what each of its texts must keep to; empty: nothing. On the thread that reads requests.
  std::function<std::unique_ptr<Constraint>()> constraint_for(const Asked& asked) {
    return structures_.constraint_for(asked);
  }
  // What a token adds to a text: bytes that need not be whole characters; of a special one its name.
  std::string token_text(int32_t id) const;
  uint64_t requests() const { return requests_; }
  uint64_t errors() const { return errors_; }

 private:
  void run(const Request& request, const std::shared_ptr<Reply>& reply);

  const Engine& engine_;
  Batcher& batcher_;
  ServiceOptions options_;
  Access access_;
  std::optional<ChatTemplate> template_;
  std::string template_source_, template_error_, digest_;
  Structures structures_;
  int64_t created_;
  std::atomic<bool> stopping_ = false;
  std::atomic<uint64_t> requests_ = 0, errors_ = 0;
  boost::asio::thread_pool reader_{1};  // templates and tokenizers may take a while
};

}  // namespace lmc::serve
