#include "audit/audit.h"

#include <gmock/gmock.h>

#include "audit/honest_run_test.h"

namespace weir::audit {
namespace {

using ::testing::IsEmpty;

TEST(Audit, finds_nothing_in_an_honest_run) {
  Played played(honest());
  const auto report = played.audit();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_THAT(found_in(report->findings), IsEmpty());
  EXPECT_EQ(report->stream.features, 20U);
  EXPECT_EQ(report->stream.predictions, 19U);
  EXPECT_EQ(report->stream.dead_letters, 1U);
  EXPECT_EQ(report->stream.compared, 20U);
  EXPECT_EQ(report->stream.waiting, 0U);
  EXPECT_EQ(report->epochs, 3U);
  EXPECT_EQ(report->store.models, 2U);
  EXPECT_EQ(report->store.datasets, 3U);
}

TEST(Audit, goes_by_the_clocks_where_no_resume_tells_where_the_predictions_ended) {
  Past run = honest();
  leave_out_ends(run);
  const auto report = Played(run).audit();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_THAT(found_in(report->findings), IsEmpty());
}

TEST(Audit, takes_what_is_above_the_committed_offsets_for_waiting) {
  Past run = honest();
  run.events.push_back({"p.features", 0, "late", R"({"x": 1, "y": 2})", {}});
  run.uncommitted = 1;
  Played played(run);
  const auto report = played.audit();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_THAT(found_in(report->findings), IsEmpty());
  EXPECT_EQ(report->stream.waiting, 1U);
}

TEST(Audit, does_not_judge_what_retention_has_deleted) {
  Played played(honest());
  played.broker.delete_records_before("p.predictions", 0, 3);
  played.broker.delete_records_before("p.predictions", 1, 3);
  auto report = played.audit();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_THAT(found_in(report->findings), IsEmpty());
  EXPECT_GE(report->stream.not_judged, 6U);
  played.broker.delete_records_before("p.features", 0, 7);
  report = played.audit();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_THAT(found_in(report->findings), IsEmpty());
}

TEST(Audit, of_a_window_leaves_out_what_was_before_it) {
  Past run = honest();
  event_of(run, "p.predictions", "0-2").value[15] ^= 1;  // an answer of the first epoch
  Played played(run);
  EXPECT_EQ(played.audit()->findings.total(), 1U);
  std::int64_t since = 0;
  for (const auto& record : played.broker.records("p.features")) {
    if (record.offset == 5 && record.partition == 0) since = record.timestamp_ms;
  }
  const auto report = played.audit(since);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_THAT(found_in(report->findings), IsEmpty());
  EXPECT_EQ(report->stream.features, 10U);
  EXPECT_EQ(report->stream.not_judged, 10U);
}

TEST(Audit, does_not_accuse_a_trainer_at_work) {
  Past run = honest();
  // Begun, published, and its resume not yet written.
  run.events.push_back(begin("halt", 4, "d.csv"));
  run.files["/models/0000000004/model.json"] = model_json(4);
  run.files["/models/0000000004/manifest.json"] = manifest_json(4, "d.csv");
  run.files["/models/0000000004/test.csv"] = "";
  Played played(run);
  const auto report = played.audit();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_THAT(found_in(report->findings), IsEmpty());
}

TEST(Audit, tells_what_it_could_not_reach) {
  Played played(honest());
  played.broker.set_denied("p.dead", true);
  const auto denied = played.audit();
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code(), Code::kPermissionDenied);
  EXPECT_THAT(denied.error().message(), ::testing::HasSubstr("p.dead"));
}

}  // namespace
}  // namespace weir::audit
