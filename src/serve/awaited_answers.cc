#include "serve/awaited_answers.h"

#include <nlohmann/json.hpp>

#include "format/json_row.h"
#include "serve/prediction_json.h"
#include "serve/problem.h"

namespace weir::serve {
namespace {

constexpr Millis kLookAgain{500};

// Written without a document in between: each push is answered so.
void append_record(std::string& body, std::string_view id, const Pushed& pushed,
                   const predictions::Answer* answer) {
  body += R"({"id":)";
  format::append_json_string(body, id);
  body += R"(,"partition":)" + std::to_string(pushed.place.partition);
  body += R"(,"offset":)" + std::to_string(pushed.place.offset);
  body += pushed.repeated ? R"(,"repeated":true)" : R"(,"repeated":false)";
  if (answer) {
    nlohmann::ordered_json members;
    add_answer(members, *answer);
    body += ',' + to_text(members).substr(1);  // with the brace that ends it
  } else {
    body += '}';
  }
}

}  // namespace

AwaitedAnswers::AwaitedAnswers(Parts& parts, std::vector<std::string> ids,
                               std::optional<Millis> wait, http::Reply reply)
    : parts_(parts),
      ids_(std::move(ids)),
      wait_(wait),
      begun_(parts.clock.steady()),
      reply_(std::move(reply)) {}

AwaitedAnswers::~AwaitedAnswers() {
  for (const auto wait : waits_) parts_.board.cancel(wait);
}

void AwaitedAnswers::begin(PushAnswer pushed) {
  if (!pushed) {
    const std::lock_guard lock(mutex_);
    reply_->send(problem_of(pushed.error()));
    reply_.reset();
    return;
  }
  pushed_ = std::move(*pushed);
  answers_.resize(pushed_.size());
  missing_ = pushed_.size();
  if (!wait_) return end();
  const auto self = shared_from_this();
  for (std::size_t i = 0; i < pushed_.size(); ++i) {
    auto wait = parts_.board.wait_for(
        pushed_[i].place, [weak = weak_from_this(), i](const predictions::SharedAnswer& answer) {
          if (const auto own = weak.lock()) own->take(i, answer);
        });
    if (!wait) {  // too many wait already: the store is asked now and then
      look_again_ = true;
      break;
    }
    const std::lock_guard lock(mutex_);
    if (reply_) waits_.push_back(*wait);
    else parts_.board.cancel(*wait);
  }
  parts_.timers.at(begun_ + *wait_, [self] { self->end(); });
  // What was answered before it was waited for.
  if (!parts_.workers.submit([self] { self->look_into_store(); })) end();
}

void AwaitedAnswers::look_again_later() {
  const SteadyTime next = parts_.clock.steady() + kLookAgain;
  if (next >= begun_ + *wait_) return;
  parts_.timers.at(next, [self = shared_from_this()] {
    // Where too much is asked already, the next look may do.
    if (!self->parts_.workers.submit([self] { self->look_into_store(); })) self->look_again_later();
  });
}

void AwaitedAnswers::look_into_store() {
  for (std::size_t i = 0; i < pushed_.size(); ++i) {
    {
      const std::lock_guard lock(mutex_);
      if (!reply_) return;
      if (answers_[i]) continue;
    }
    const auto kept = parts_.predictions.by_place(pushed_[i].place);
    if (!kept) break;  // the board may still tell, or the next look
    if (*kept && (*kept)->answer) {
      take(i, std::make_shared<const predictions::Answer>(*(*kept)->answer));
    }
  }
  if (look_again_) look_again_later();
}

void AwaitedAnswers::take(std::size_t index, predictions::SharedAnswer answer) {
  {
    const std::lock_guard lock(mutex_);
    if (!reply_ || answers_[index]) return;
    answers_[index] = std::move(answer);
    if (--missing_ > 0) return;
  }
  end();
}

void AwaitedAnswers::end() {
  const std::lock_guard lock(mutex_);
  if (!reply_) return;
  std::string body = R"({"records":[)";
  for (std::size_t i = 0; i < pushed_.size(); ++i) {
    if (i > 0) body += ',';
    append_record(body, ids_[i], pushed_[i], answers_[i].get());
  }
  body += "]}";
  // Whoever did not wait, and whoever waited in vain, learns that the records have been accepted.
  const bool all = wait_ && missing_ == 0;
  http::Response response = json_response(std::move(body), all ? 200 : 202);
  response.must_go = true;
  reply_->send(std::move(response));
  reply_.reset();
  // The timer holds this until the wait would have been over: no more than this.
  for (const auto wait : waits_) parts_.board.cancel(wait);
  waits_ = {};
  answers_.assign(answers_.size(), nullptr);
}

}  // namespace weir::serve
