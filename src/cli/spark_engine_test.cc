#include "cli/spark_engine.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "base/log.h"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// With a shell script in the place of spark-submit.
class SparkEngineTest : public ::testing::Test {
 protected:
  SparkEngineTest() {
    std::string pattern = ::testing::TempDir() + "spark-engine-XXXXXX";
    folder = mkdtemp(pattern.data());
    log::configure({log::Level::kOff, log::Shape::kText, false});
    settings.spark.program = "/bin/true";
    settings.spark.stall_max = Millis{60'000};
  }
  ~SparkEngineTest() override {
    log::configure({});
    fs::remove_all(folder);
  }

  // Its arguments come as to spark-submit; $job is the folder of the job.
  Result<std::string> submit(const std::string& script) {
    settings.spark.submit = folder + "/spark-submit";
    std::ofstream(settings.spark.submit) << "#!/bin/sh\nfor word in \"$@\"; do case $word in "
                                            "*/job.py) job=${word%/job.py};; esac; done\n"
                                         << script;
    fs::permissions(settings.spark.submit, fs::perms::owner_all);
    fs::create_directories(folder + "/tmp");
    auto engine = SparkEngine::make(settings, {{"PATH", "/usr/bin:/bin"},
                                               {"TMPDIR", folder + "/tmp"},
                                               {"WEIR_KAFKA_SASL_PASSWORD", "secret"},
                                               {"SPARK_HOME", "/opt/spark"}});
    if (!engine) return fail(engine.error());
    auto state = (*engine)->read_splits({"{\"split\": 0}", "{\"split\": 1}"}, progress);
    EXPECT_TRUE(fs::is_empty(folder + "/tmp")) << "files are left";
    return state;
  }

  std::string folder;
  config::Settings settings;
  train::SplitProgress progress = [](double) { return Status(); };
};

TEST_F(SparkEngineTest, gives_the_job_its_plan_and_takes_its_state) {
  settings.spark.master = "spark://host:7077";
  settings.spark.args = {"--conf=spark.x=y z"};
  settings.spark.tasks = 3;
  settings.hdfs.conf_dir = "/etc/hadoop/conf";
  const auto state = submit(
      "{ echo \"$@\" | sed s,$job,JOB,g; cat $job/plan; echo $HADOOP_CONF_DIR; "
      "[ $SPARK_LOCAL_DIRS = $job ] && head -c 3 $job/job.py; } > $job/state");
  ASSERT_TRUE(state) << state.error().message();
  EXPECT_EQ(
      *state,
      "--master spark://host:7077 --name weir --files /bin/true --conf=spark.x=y z JOB/job.py "
      "JOB/plan JOB/state --program true --tasks 3\n"
      "{\"split\": 0}\n{\"split\": 1}\n/etc/hadoop/conf\n\"\"\"");
}

TEST_F(SparkEngineTest, passes_on_the_environment_but_no_settings_of_ours) {
  const auto state = submit("env > $job/state");
  ASSERT_TRUE(state);
  EXPECT_THAT(*state, HasSubstr("SPARK_HOME=/opt/spark\n"));
  EXPECT_THAT(*state, ::testing::Not(HasSubstr("secret")));
}

TEST_F(SparkEngineTest, tells_workers_where_there_are_to_be_no_direct_reads) {
  auto state = submit("env > $job/state");
  ASSERT_TRUE(state);
  EXPECT_THAT(*state, ::testing::Not(HasSubstr("DIRECT_READS")));
  settings.hdfs.direct_reads = config::DirectReads::kOff;
  state = submit("env > $job/state; grep PASSED_ON.=.*DIRECT_READS $job/job.py >> $job/state");
  ASSERT_TRUE(state);
  EXPECT_THAT(*state, HasSubstr("\nWEIR_HDFS_DIRECT_READS=off\n"));
  EXPECT_THAT(*state, HasSubstr("PASSED_ON = ")) << "the job hands it on";
}

TEST_F(SparkEngineTest, tells_how_far_the_job_has_come) {
  progress = [this](double done) {
    if (done == 0.75) std::ofstream(folder + "/seen") << "";
    return Status();
  };
  const auto state = submit("echo weir-job: 3 tasks of 4; until [ -e " + folder +
                            "/seen ]; do sleep 0.01; done; echo state > $job/state");
  EXPECT_TRUE(state);
}

TEST_F(SparkEngineTest, says_why_a_job_failed_in_its_own_words) {
  auto state = submit("echo noise; echo the job failed: no room; echo more noise; exit 1");
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code(), Code::kUnavailable);
  EXPECT_EQ(state.error().message(), "the Spark job ended with 1: no room");

  state = submit("for i in 1 2 3 4 5 6 7; do echo line $i; done; kill -9 $$");
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().message(),
            "the Spark job was killed by signal 9: line 3 | line 4 | line 5 | line 6 | line 7");

  state = submit("exit 0");
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().message(), "the Spark job left no state: it said nothing");
}

TEST_F(SparkEngineTest, says_that_the_data_is_at_fault_where_a_worker_found_that) {
  const std::string found = "echo the data is at fault: while reading split 1: other bytes; ";
  auto state = submit("echo noise; " + found + "echo more noise; exit 65");
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code(), Code::kCorrupt);
  EXPECT_EQ(state.error().message(), "while reading split 1: other bytes");

  for (const std::string& script : {std::string("echo noise; exit 65"), found + "exit 1"}) {
    state = submit(script);
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().code(), Code::kUnavailable) << script;
  }
}

TEST_F(SparkEngineTest, ends_a_job_that_makes_no_headway) {
  settings.spark.stall_max = Millis{500};
  const auto state =
      submit("while :; do echo weir-job: 1 tasks of 4; echo still alive; sleep 0.05; done");
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code(), Code::kExhausted);
  EXPECT_THAT(state.error().message(),
              HasSubstr("spark.stall_max (1 of 4 had before): still alive"));
}

TEST_F(SparkEngineTest, ends_a_job_that_is_wanted_no_more) {
  std::string pid;
  progress = [&](double) {
    std::ifstream(folder + "/pid") >> pid;
    return pid.empty() ? Status() : Status(fail(Code::kFenced, "deposed"));
  };
  const auto state = submit("echo $$ > " + folder + "/pid; exec sleep 1000");
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code(), Code::kFenced);
  EXPECT_FALSE(fs::exists("/proc/" + pid));
}

TEST_F(SparkEngineTest, names_the_setting_where_a_program_is_missing) {
  settings.spark.submit = "no-such-submit";
  auto engine = SparkEngine::make(settings, {{"PATH", "/usr/bin:/bin"}});
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code(), Code::kBadConfig);
  EXPECT_THAT(engine.error().message(), StartsWith("while looking at spark.submit: "));
  settings.spark.submit = "sh";
  settings.spark.program = "/no/such/worker";
  engine = SparkEngine::make(settings, {{"PATH", "/usr/bin:/bin"}});
  ASSERT_FALSE(engine);
  EXPECT_THAT(engine.error().message(), StartsWith("while looking at spark.program: "));
}

}  // namespace
}  // namespace weir::cli
