#include "serve/actuals_queue.h"

namespace weir::serve {

void ActualsQueue::submit(ActualsRequest request) {
  Waiting waiting;
  for (const PushedActual& one : request.actuals) {
    waiting.bytes += one.id.size() + one.value.size() + sizeof one;
  }
  waiting.request = std::move(request);
  waiting.deadline = clock_.steady() + patience_;
  std::string refused;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      refused = "the gateway is ending; nothing was taken";
    } else if (bytes_ + waiting.bytes > kBytesMax) {
      refused = "too many true values wait to be written already; nothing was taken" +
                (trouble_.empty() ? "" : ": " + trouble_);
    } else {
      bytes_ += waiting.bytes;
      queue_.push_back(std::move(waiting));
    }
  }
  if (refused.empty()) return changed_.notify_one();
  waiting.request.done(fail(Code::kUnavailable, refused));
}

void ActualsQueue::give_up(Taken& requests, const std::string& why) {
  for (Waiting& one : requests) {
    one.request.done(
        fail(Code::kUnavailable, "Kafka has not confirmed the true values" +
                                     (why.empty() ? "" : " (" + why + ")") +
                                     "; send the same again: what is there already counts once"));
  }
}

void ActualsQueue::expire() {
  const SteadyTime now = clock_.steady();
  Taken late;
  std::string why;
  {
    const std::lock_guard lock(mutex_);
    why = trouble_;
    while (!queue_.empty() && queue_.front().deadline <= now) {
      bytes_ -= queue_.front().bytes;
      late.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
  }
  give_up(late, why);
}

void ActualsQueue::close() {
  Taken left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    left.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.end()));
    queue_.clear();
    bytes_ = 0;
  }
  changed_.notify_all();
  give_up(left, "the gateway is ending");
}

std::size_t ActualsQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void ActualsQueue::set_trouble(std::string trouble) {
  const std::lock_guard lock(mutex_);
  trouble_ = std::move(trouble);
}

ActualsQueue::Taken ActualsQueue::take(std::size_t values_max, Millis timeout) {
  Taken taken;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return !queue_.empty() || closed_; });
  std::size_t values = 0;
  while (!queue_.empty()) {
    const std::size_t next = queue_.front().request.actuals.size();
    if (!taken.empty() && values + next > values_max) break;
    values += next;
    bytes_ -= queue_.front().bytes;
    taken.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return taken;
}

Result<std::unique_ptr<ActualsWriter>> ActualsWriter::open(ActualsWriterOptions options,
                                                           stream::Broker& broker,
                                                           ActualsQueue& queue) {
  std::unique_ptr<ActualsWriter> writer(new ActualsWriter(std::move(options), queue));
  auto publisher = during(broker.open_publisher(),
                          "opening the topic " + writer->options_.topic + " for true values");
  if (!publisher) {
    queue.set_trouble(publisher.error().message());
    return fail(publisher.error());
  }
  writer->publisher_ = std::move(*publisher);
  return writer;
}

Status ActualsWriter::step(Millis wait_max, std::stop_token) {
  auto requests = queue_.take(options_.values_max, wait_max);
  if (requests.empty()) return {};
  Status written = write(requests);
  if (!written) {
    queue_.set_trouble(written.error().message());
    ActualsQueue::give_up(requests, written.error().message());
    // Whatever it was, the next attempt is made by a publisher of its own; what one request brought
    // is no reason to end the process.
    return fail(Code::kUnavailable, written.error().message());
  }
  queue_.set_trouble("");
  for (auto& one : requests) {
    queue_.written_ += one.request.actuals.size();
    one.request.done({});
  }
  return {};
}

Status ActualsWriter::write(const ActualsQueue::Taken& requests) {
  const auto attempt = [&]() -> Status {
    for (const auto& one : requests) {
      for (const PushedActual& actual : one.request.actuals) {
        WEIR_TRY(publisher_->send({options_.topic, std::nullopt, actual.id, actual.value,
                                   one.request.headers.empty() ? nullptr : &one.request.headers}));
      }
    }
    return publisher_->flush(options_.broker_timeout);
  };
  return during(attempt(), "writing true values to " + options_.topic);
}

}  // namespace weir::serve
