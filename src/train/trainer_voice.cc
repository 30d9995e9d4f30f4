#include "train/trainer_voice.h"

namespace weir::train {

TrainerVoice::TrainerVoice(stream::Broker& broker, std::string members_topic, std::string name,
                           Clock& clock)
    : broker_(broker),
      members_topic_(std::move(members_topic)),
      name_(std::move(name)),
      clock_(clock),
      notice_(clock, name_) {}

void TrainerVoice::waits(std::string kind, std::string words, log::Level level) {
  idle_ = false;
  notice_.waits(std::move(kind), std::move(words), level);
}

void TrainerVoice::moves() {
  idle_ = false;
  notice_.moves();
}

void TrainerVoice::idles(std::string words) {
  if (!idle_) notice_.moves();
  idle_ = true;
  notice_.waits("work", std::move(words), log::Level::kDebug);
}

void TrainerVoice::tell() {
  if (clock_.steady() < quiet_until_) return;
  const Status told = speak();
  if (told) return;
  // What passes, the trainer meets elsewhere too, and says so there.
  const bool passes = told.error().retryable();
  quiet_until_ = passes ? clock_.steady() + kQuietAfterFailure : SteadyTime::max();
  log::write(passes ? log::Level::kDebug : log::Level::kWarn,
             "weir status does not show this trainer",
             {{"trainer", name_}, {"reason", told.error()}});
}

Status TrainerVoice::speak() {
  if (!membership_) {
    record::MemberRecord self;
    self.type = record::MemberType::kTrainer;
    self.member = name_;
    self.role = "trainer";
    membership_ = WEIR_TRY(gate::Membership::open(broker_, members_topic_, self, clock_));
    return {};
  }
  return membership_->heartbeat([this] {
    record::MemberProgress progress;
    progress.waiting_for = notice_.words();
    progress.waiting_ms = notice_.lasts().count();
    return progress;
  });
}

void TrainerVoice::leave() {
  if (membership_) membership_->leave();
}

void tell_of_model(const registry::Manifest& manifest, std::uint64_t epoch) {
  log::info("model in force", {{"version", manifest.version},
                               {"epoch", epoch},
                               {"algorithm", manifest.algorithm},
                               {"rows", manifest.rows},
                               {"seconds", manifest.training_seconds},
                               {"rmse", manifest.held_out.rmse},
                               {"r2", manifest.held_out.r2}});
  if (const std::string compared = manifest.comparison(); !compared.empty()) {
    log::info("kept the better of two models",
              {{"kept", manifest.algorithm}, {"compared", compared}});
  }
  if (manifest.imported) {
    log::info("the model was trained elsewhere", {{"version", manifest.version},
                                                  {"imported_from", manifest.imported->file},
                                                  {"sha256", manifest.imported->sha256},
                                                  {"written_by", manifest.imported->tool}});
  }
  if (manifest.quality) {
    log::info(
        "good enough to be put in force",
        {{"version", manifest.version}, {"figures", registry::quality_text(*manifest.quality)}});
  }
  if (manifest.fit && manifest.fit->ridge) {
    const model::RidgeReport& ridge = *manifest.fit->ridge;
    log::info("ridge penalty", {{"version", manifest.version},
                                {"penalty", ridge.penalty},
                                {"chosen", ridge.automatic ? "by cross-validation" : "by setting"},
                                {"worth", ridge.effective_parameters},
                                {"of", manifest.fit->features.size()}});
  }
}

}  // namespace weir::train
