#include "record/control.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace weir::record {
namespace {

using Json = nlohmann::json;

ControlRecord begin(ControlType type, std::uint64_t epoch,
                    const std::string& path = "/dataset/a.csv") {
  ControlRecord record;
  record.type = type;
  record.epoch = epoch;
  record.dataset = DatasetIdentity{path, 35732, 1767225600000, "16392"};
  record.by = "trainer@host:1";
  record.at = "2026-01-01T00:00:00.000Z";
  return record;
}

ControlRecord halt(std::uint64_t epoch, const std::string& path = "/dataset/a.csv") {
  return begin(ControlType::kHalt, epoch, path);
}

ControlRecord rollback(std::uint64_t epoch, std::uint64_t to) {
  ControlRecord record = halt(epoch);
  record.dataset.reset();
  record.rollback_to = to;
  return record;
}

ControlRecord resume(std::uint64_t epoch, std::uint64_t version,
                     Outcome outcome = Outcome::kTrained) {
  ControlRecord record;
  record.type = ControlType::kResume;
  record.epoch = epoch;
  record.version = version;
  record.sha256 = version == 0 ? "" : "sha-of-" + std::to_string(version);
  record.outcome = outcome;
  record.reason = "in words";
  return record;
}

void expect_equal(const ControlRecord& a, const ControlRecord& b) {
  EXPECT_EQ(a.type, b.type);
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(a.dataset, b.dataset);
  EXPECT_EQ(a.rollback_to, b.rollback_to);
  EXPECT_EQ(a.version, b.version);
  EXPECT_EQ(a.sha256, b.sha256);
  EXPECT_EQ(a.outcome, b.outcome);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.by, b.by);
  EXPECT_EQ(a.at, b.at);
}

TEST(ControlRecord, comes_back_from_json_as_it_was) {
  for (const ControlRecord& record :
       {halt(1), begin(ControlType::kTrain, 2), rollback(kEpochMax, 4), resume(3, 3),
        resume(4, 0, Outcome::kRefused), resume(5, 3, Outcome::kFailed),
        resume(6, 2, Outcome::kRolledBack), halt(7, "/dataset/\"q\"\n\\ü.csv")}) {
    const auto back = ControlRecord::parse(record.to_json());
    ASSERT_TRUE(back) << back.error().message();
    expect_equal(*back, record);
  }
}

TEST(ControlRecord, is_one_line_of_json_with_the_documented_names) {
  const std::string text = halt(3).to_json();
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const Json json = Json::parse(text);
  EXPECT_EQ(json["type"], "halt");
  EXPECT_EQ(json["epoch"], 3);
  EXPECT_EQ(json["dataset"]["path"], "/dataset/a.csv");
  EXPECT_EQ(json["dataset"]["length"], 35732);
  EXPECT_EQ(json["dataset"]["file_id"], "16392");
  EXPECT_EQ(Json::parse(resume(3, 3).to_json())["outcome"], "trained");
}

TEST(ControlRecord, takes_a_path_that_is_no_utf8) {
  const auto back = ControlRecord::parse(halt(1, "/dataset/\xff.csv").to_json());
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->dataset->path, "/dataset/\xef\xbf\xbd.csv");
}

// Changes one member of a good record and tells how parse() takes it; nullopt removes the member.
Code code_of(const ControlRecord& record, const std::string& pointer, std::optional<Json> value) {
  Json json = Json::parse(record.to_json());
  const Json::json_pointer at(pointer);
  if (value) json[at] = *value;
  else json[at.parent_pointer()].erase(at.back());
  const auto parsed = ControlRecord::parse(json.dump());
  EXPECT_FALSE(parsed) << json.dump();
  return parsed ? Code::kInternal : parsed.error().code();
}

TEST(ControlRecord, is_refused_where_a_member_is_missing_or_of_another_type) {
  for (const char* member : {"/type", "/epoch", "/version", "/sha256", "/outcome"}) {
    EXPECT_EQ(code_of(resume(1, 1), member, std::nullopt), Code::kBadData) << member;
    EXPECT_EQ(code_of(resume(1, 1), member, Json::array()), Code::kBadData) << member;
    EXPECT_EQ(code_of(resume(1, 1), member, nullptr), Code::kBadData) << member;
  }
  for (const char* member :
       {"/dataset/path", "/dataset/length", "/dataset/modified_ms", "/dataset/file_id"}) {
    EXPECT_EQ(code_of(halt(1), member, std::nullopt), Code::kBadData) << member;
    EXPECT_EQ(code_of(halt(1), member, Json::object()), Code::kBadData) << member;
  }
  EXPECT_EQ(code_of(halt(1), "/dataset", "a.csv"), Code::kBadData);
  EXPECT_EQ(code_of(halt(1), "/reason", 5), Code::kBadData);
}

TEST(ControlRecord, is_refused_where_a_number_is_negative_broken_or_beyond_all_versions) {
  for (const Json& number : {Json(-1), Json(1.5), Json("1"), Json(kEpochMax + 1), Json(1e30)}) {
    EXPECT_EQ(code_of(halt(1), "/epoch", number), Code::kBadData) << number;
    EXPECT_EQ(code_of(resume(1, 1), "/version", number), Code::kBadData) << number;
  }
  EXPECT_EQ(code_of(halt(1), "/dataset/length", -5), Code::kBadData);
  EXPECT_EQ(code_of(rollback(2, 1), "/rollback_to", -1), Code::kBadData);
}

TEST(ControlRecord, that_begins_an_epoch_names_one_cause) {
  EXPECT_EQ(code_of(halt(1), "/dataset", std::nullopt), Code::kBadData);
  EXPECT_EQ(code_of(halt(1), "/rollback_to", 1), Code::kBadData);
}

TEST(ControlRecord, of_a_newer_version_is_unsupported_not_bad) {
  EXPECT_EQ(code_of(halt(1), "/type", "pause"), Code::kUnsupported);
  EXPECT_EQ(code_of(resume(1, 1), "/outcome", "merged"), Code::kUnsupported);
}

TEST(ControlRecord, takes_members_that_it_does_not_know) {
  Json json = Json::parse(halt(1).to_json());
  json["colour"] = "blue";
  EXPECT_TRUE(ControlRecord::parse(json.dump()));
}

TEST(ControlRecord, refuses_what_is_no_json_object) {
  for (const char* text : {"", "halt", "[]", "null", "{", "{} {}", "\xff", "\"halt\""}) {
    const auto parsed = ControlRecord::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), Code::kBadData) << text;
  }
}

TEST(ControlRecord, cut_short_anywhere_is_refused) {
  const std::string text = resume(3, 3).to_json();
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_FALSE(ControlRecord::parse(text.substr(0, length))) << length;
  }
}

// ---- the fold ----

ControlState after(const std::vector<ControlRecord>& records) {
  ControlState state;
  for (const ControlRecord& record : records) {
    const Status applied = state.apply(record);
    EXPECT_TRUE(applied) << applied.error().message();
  }
  return state;
}

void expect_refused(ControlState state, const ControlRecord& record) {
  const ControlState before = state;
  const Status applied = state.apply(record);
  ASSERT_FALSE(applied) << record.to_json();
  EXPECT_EQ(applied.error().code(), Code::kCorrupt);
  EXPECT_EQ(state.epoch, before.epoch);
  EXPECT_EQ(state.ruling_epoch, before.ruling_epoch);
  EXPECT_EQ(state.version, before.version);
  EXPECT_EQ(state.sha256, before.sha256);
  EXPECT_EQ(state.begun.has_value(), before.begun.has_value());
  EXPECT_EQ(state.gate_open(), before.gate_open());
}

TEST(ControlRecord, tells_where_the_outputs_ended_where_it_is_known) {
  ControlRecord record = resume(3, 3);
  record.output_ends = OutputEnds{{{0, 1234}, {11, 0}}, {{0, 7}}};
  const Json json = Json::parse(record.to_json());
  EXPECT_EQ(json["predictions"], Json::parse(R"({"0":1234,"11":0})"));
  EXPECT_EQ(json["dead"], Json::parse(R"({"0":7})"));
  const auto back = ControlRecord::parse(record.to_json());
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->output_ends, record.output_ends);

  const auto older = ControlRecord::parse(resume(3, 3).to_json());
  ASSERT_TRUE(older) << older.error().message();
  EXPECT_FALSE(older->output_ends);
}

TEST(ControlRecord, with_ends_of_outputs_that_cannot_be_is_refused) {
  ControlRecord record = resume(3, 3);
  record.output_ends = OutputEnds{{{0, 1}}, {{0, 1}}};
  for (const char* ends :
       {"5", "[]", "null", R"({"x":1})", R"({"-1":1})", R"({"0":-1})", R"({"0":1.5})",
        R"({"0":"1"})", R"({"2147483648":1})", R"({"0":9223372036854775808})"}) {
    for (const char* member : {"/predictions", "/dead"}) {
      EXPECT_EQ(code_of(record, member, Json::parse(ends)), Code::kBadData) << member << ends;
    }
  }
  EXPECT_EQ(code_of(record, "/dead", std::nullopt), Code::kBadData);
  EXPECT_EQ(code_of(record, "/predictions", std::nullopt), Code::kBadData);
}

TEST(ControlState, follows_epochs_from_their_begin_to_their_end) {
  ControlState state = after({begin(ControlType::kTrain, 1)});
  EXPECT_EQ(state.epoch, 1u);
  EXPECT_EQ(state.ruling_epoch, 0u);
  ASSERT_TRUE(state.begun);
  state = after({begin(ControlType::kTrain, 1), resume(1, 1)});
  EXPECT_EQ(state.ruling_epoch, 1u);
  EXPECT_EQ(state.version, 1u);
  EXPECT_EQ(state.sha256, "sha-of-1");
  EXPECT_FALSE(state.begun);
  state = after(
      {begin(ControlType::kTrain, 1), resume(1, 1), halt(2), resume(2, 1, Outcome::kRefused)});
  EXPECT_EQ(state.epoch, 2u);
  EXPECT_EQ(state.ruling_epoch, 2u) << "the old model rules in the new epoch";
  EXPECT_EQ(state.version, 1u);
  EXPECT_EQ(state.last_begun->epoch, 2u);
  EXPECT_EQ(state.last_resume->outcome, Outcome::kRefused);
}

TEST(ControlState, refuses_epochs_that_do_not_rise) {
  const ControlState state = after({halt(4), resume(4, 4)});
  expect_refused(state, halt(4));
  expect_refused(state, halt(3));
  expect_refused(state, halt(0));
  expect_refused(state, begin(ControlType::kTrain, 4));
  EXPECT_TRUE(ControlState(state).apply(halt(6))) << "a gap is no fall";
}

TEST(ControlState, refuses_an_epoch_that_begins_before_the_last_has_ended) {
  expect_refused(after({halt(1)}), halt(2));
  expect_refused(after({begin(ControlType::kTrain, 1)}), halt(2));
}

TEST(ControlState, refuses_a_resume_of_an_epoch_that_is_not_under_way) {
  expect_refused({}, resume(1, 1));
  expect_refused(after({halt(1), resume(1, 1)}), resume(1, 1));
  expect_refused(after({halt(2)}), resume(1, 1));
  expect_refused(after({halt(2)}), resume(3, 3));
}

TEST(ControlState, opens_the_gate_only_with_a_model_and_without_a_halt) {
  const auto train = [](std::uint64_t epoch) { return begin(ControlType::kTrain, epoch); };
  EXPECT_FALSE(ControlState().gate_open());
  EXPECT_FALSE(after({train(1)}).gate_open()) << "no model yet";
  EXPECT_FALSE(after({train(1), resume(1, 0, Outcome::kRefused)}).gate_open()) << "still none";
  EXPECT_TRUE(after({train(1), resume(1, 1)}).gate_open());
  EXPECT_TRUE(after({train(1), resume(1, 1), train(2)}).gate_open()) << "while_training: continue";
  EXPECT_FALSE(after({train(1), resume(1, 1), halt(2)}).gate_open());
  EXPECT_FALSE(after({train(1), resume(1, 1), rollback(2, 1)}).gate_open());
  EXPECT_TRUE(after({train(1), resume(1, 1), halt(2), resume(2, 1, Outcome::kFailed)}).gate_open());
}

TEST(ControlState, lets_a_past_model_linger_only_where_nothing_was_halted_since) {
  const auto train = [](std::uint64_t epoch) { return begin(ControlType::kTrain, epoch); };
  EXPECT_TRUE(after({train(1), resume(1, 1), train(2), resume(2, 2)}).may_linger(1));
  EXPECT_TRUE(after({halt(1), resume(1, 1), train(2), resume(2, 2)}).may_linger(1));
  EXPECT_FALSE(after({train(1), resume(1, 1), halt(2), resume(2, 2)}).may_linger(1));
  const auto later =
      after({train(1), resume(1, 1), rollback(2, 1), resume(2, 1), train(3), resume(3, 3)});
  EXPECT_FALSE(later.may_linger(1)) << "a halt is not forgotten over what follows it";
  EXPECT_TRUE(later.may_linger(2));
}

TEST(ControlState, remembers_the_last_data_set_over_a_rollback) {
  ControlState state = after({halt(1, "/dataset/a.csv"), resume(1, 1)});
  ASSERT_TRUE(state.last_taken_up && state.last_taken_up_end);
  EXPECT_EQ(state.last_taken_up->dataset->path, "/dataset/a.csv");
  state = after({halt(1), resume(1, 1), rollback(2, 1), resume(2, 1, Outcome::kRolledBack)});
  EXPECT_EQ(state.last_taken_up->epoch, 1u);
  EXPECT_EQ(state.last_taken_up_end->outcome, Outcome::kTrained);
  EXPECT_EQ(state.last_resume->epoch, 2u);
  state = after({halt(1), resume(1, 1), halt(2, "/dataset/b.csv")});
  EXPECT_EQ(state.last_taken_up->dataset->path, "/dataset/b.csv");
  EXPECT_FALSE(state.last_taken_up_end) << "its resume has not come";
}

}  // namespace
}  // namespace weir::record
