#include "cli/spark_engine.h"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <optional>
#include <system_error>

#include "base/log.h"
#include "base/text.h"
#include "cli/child_process.h"
#include "cli/spark_job.h"
#include "cli/state_stream.h"
#include "cli/temporary_folder.h"

namespace weir::cli {
namespace {

constexpr Millis kTellEvery{200};
constexpr Millis kLogEvery{5'000};
constexpr std::size_t kLinesKept = 200;
constexpr std::size_t kLinesTold = 5;
constexpr std::size_t kToldBytesMax = 1'500;
// How the job begins to say why there is no state. Of the second it ends with this code, too.
constexpr std::string_view kFailed = "the job failed: ";
constexpr std::string_view kDataAtFault = "the data is at fault: ";
constexpr int kDataAtFaultCode = 65;

std::string value_of(const config::Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

// What a job says, and how far it has come.
class JobOutput {
 public:
  explicit JobOutput(SteadyTime now) : last_headway_(now) {}

  void take(std::string_view line, SteadyTime now) {
    unsigned long long ended = 0;
    unsigned long long tasks = 0;
    if (std::sscanf(std::string(line.substr(0, 100)).c_str(), "weir-job: %llu tasks of %llu",
                    &ended, &tasks) == 2) {
      if (ended > ended_ || tasks_ == 0) last_headway_ = now;
      ended_ = std::max(ended_, ended);
      tasks_ = tasks;
      return;
    }
    lines_.push_back(one_line(line));
    if (lines_.size() > kLinesKept) lines_.pop_front();
  }

  double done() const {
    return tasks_ == 0 ? 0
                       : std::min(1.0, static_cast<double>(ended_) / static_cast<double>(tasks_));
  }
  std::string text() const { return std::to_string(ended_) + " of " + std::to_string(tasks_); }
  unsigned long long ended() const { return ended_; }
  SteadyTime last_headway() const { return last_headway_; }

  // In the job's own words, where it had any; else the last lines.
  std::string last_words() const {
    if (const auto own = last_behind(kFailed)) return *own;
    std::string told;
    for (auto line = lines_.size() > kLinesTold ? lines_.end() - kLinesTold : lines_.begin();
         line != lines_.end(); ++line) {
      told += (told.empty() ? "" : " | ") + *line;
    }
    if (told.size() > kToldBytesMax) told = "…" + told.substr(told.size() - kToldBytesMax);
    return told.empty() ? "it said nothing" : told;
  }
  // What a worker said of the data.
  std::optional<std::string> fault_of_data() const { return last_behind(kDataAtFault); }

 private:
  std::optional<std::string> last_behind(std::string_view begin) const {
    const auto own = std::find_if(lines_.rbegin(), lines_.rend(),
                                  [&](const auto& line) { return line.starts_with(begin); });
    if (own == lines_.rend()) return std::nullopt;
    return own->substr(begin.size(), kToldBytesMax);
  }

  std::deque<std::string> lines_;
  unsigned long long ended_ = 0;
  unsigned long long tasks_ = 0;
  SteadyTime last_headway_;
};

// The program that workers run: one that starts on older distributions too, where it is there.
std::string program_to_ship() {
  std::error_code error;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto worker = own.parent_path() / "weir-worker";
  return std::filesystem::exists(worker, error) ? worker.string() : own.string();
}

std::string base_name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

Result<std::unique_ptr<SparkEngine>> SparkEngine::make(const config::Settings& settings,
                                                       const config::Environment& environment) {
  config::SparkSettings own = settings.spark;
  const std::string path = value_of(environment, "PATH");
  own.submit = WEIR_TRY(during(find_program(own.submit, path), "looking at spark.submit"));
  if (own.program.empty()) own.program = program_to_ship();
  own.program = WEIR_TRY(during(find_program(own.program, path), "looking at spark.program"));
  config::Environment of_job = environment;
  // Settings of this program, passwords among them, are no business of the job's.
  std::erase_if(of_job, [](const auto& variable) { return variable.first.starts_with("WEIR_"); });
  if (!settings.hdfs.conf_dir.empty()) of_job["HADOOP_CONF_DIR"] = settings.hdfs.conf_dir;
  if (!settings.hdfs.user.empty()) of_job["HADOOP_USER_NAME"] = settings.hdfs.user;
  // Whoever wants no connection to those ports wants none from workers either.
  if (settings.hdfs.direct_reads == config::DirectReads::kOff) {
    of_job["WEIR_HDFS_DIRECT_READS"] = "off";
  }
  return std::unique_ptr<SparkEngine>(new SparkEngine(std::move(own), std::move(of_job)));
}

std::vector<std::string> SparkEngine::command(const std::string& folder) const {
  std::vector<std::string> words = {settings_.submit};
  if (!settings_.master.empty()) words.insert(words.end(), {"--master", settings_.master});
  // What a person asks for counts more than this.
  words.insert(words.end(), {"--name", "weir", "--files", settings_.program});
  words.insert(words.end(), settings_.args.begin(), settings_.args.end());
  words.insert(words.end(), {folder + "/job.py", folder + "/plan", folder + "/state", "--program",
                             base_name_of(settings_.program)});
  if (settings_.tasks > 0) {
    words.insert(words.end(), {"--tasks", std::to_string(settings_.tasks)});
  }
  return words;
}

// With all that Spark leaves on this machine going the way of the folder.
std::vector<std::string> SparkEngine::variables(const std::string& folder) const {
  config::Environment all = environment_;
  all["TMPDIR"] = folder;
  all["SPARK_LOCAL_DIRS"] = folder;
  std::string& java = all["SPARK_SUBMIT_OPTS"];
  java += (java.empty() ? "" : " ") + ("-Djava.io.tmpdir=" + folder);
  std::vector<std::string> texts;
  for (const auto& [name, value] : all) texts.push_back(name + "=" + value);
  return texts;
}

Result<std::string> SparkEngine::read_splits(const std::vector<std::string>& lines,
                                             const train::SplitProgress& progress) {
  Clock& clock = system_clock();
  const std::string temporary = value_of(environment_, "TMPDIR");
  const auto folder =
      WEIR_TRY(TemporaryFolder::make(temporary.empty() ? "/tmp" : temporary, "weir-spark"));
  std::string plan;
  for (const std::string& line : lines) plan += line + "\n";
  WEIR_TRY(folder->write("plan", plan));
  WEIR_TRY(folder->write("job.py", kSparkJob));
  const auto job =
      WEIR_TRY(during(ChildProcess::start(command(folder->path()), variables(folder->path()), ""),
                      "submitting a job to Spark"));
  log::info("a job was submitted to Spark",
            {{"splits", lines.size()}, {"master", settings_.master}, {"process", job->pid()}});
  const SteadyTime began = clock.steady();
  SteadyTime logged = began;
  unsigned long long logged_ended = 0;
  JobOutput output(began);
  const auto take = [&](std::string_view line) { output.take(line, clock.steady()); };
  const auto failed = [&](Code code, const std::string& why) {
    return fail(code, "the Spark job " + why + ": " + output.last_words());
  };
  while (!job->wait(kTellEvery, take)) {
    WEIR_TRY(progress(output.done()));
    const SteadyTime now = clock.steady();
    if (now - output.last_headway() > settings_.stall_max) {
      return failed(Code::kExhausted,
                    "was ended, as none of its tasks has ended for longer than spark.stall_max (" +
                        output.text() + " had before)");
    }
    if (now - logged < kLogEvery || output.ended() == logged_ended) continue;
    logged = now;
    logged_ended = output.ended();
    log::info("the Spark job goes on", {{"tasks_done", output.text()}});
  }
  if (const auto fault = output.fault_of_data(); fault && job->exit_code() == kDataAtFaultCode) {
    return fail(Code::kCorrupt, *fault);
  }
  if (!job->succeeded()) return failed(Code::kUnavailable, job->how_it_ended());
  auto state = read_input(folder->file("state"));
  if (!state) return failed(Code::kUnavailable, "left no state");
  log::info("the Spark job has ended",
            {{"seconds", std::chrono::duration<double>(clock.steady() - began).count()}});
  return state;
}

}  // namespace weir::cli
