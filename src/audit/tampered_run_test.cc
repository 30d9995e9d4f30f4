// The honest run tampered with in one place after the other, each named by the audit.
#include <gmock/gmock.h>

#include "audit/honest_run_test.h"
#include "base/sha256.h"
#include "base/text.h"
#include "record/signing_keys_test.h"

namespace weir::audit {
namespace {

using ::testing::UnorderedElementsAreArray;
using Events = std::vector<Event>;

Events::iterator iterator_of(Past& run, const std::string& topic, const std::string& key) {
  return run.events.begin() + (&event_of(run, topic, key) - run.events.data());
}

void replace(std::string& text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from << " in " << text;
  text.replace(at, from.size(), to);
}

struct Tampering {
  const char* name;
  std::function<void(Past&)> tamper;
  Names found;
};

class TamperedRun : public ::testing::TestWithParam<Tampering> {};

TEST_P(TamperedRun, is_found_out) {
  Past run = honest();
  GetParam().tamper(run);
  Played played(run);
  const auto report = played.audit();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_THAT(found_in(report->findings), UnorderedElementsAreArray(GetParam().found));
}

INSTANTIATE_TEST_SUITE_P(
    stream, TamperedRun,
    ::testing::Values(
        Tampering{"a_prediction_dropped",
                  [](Past& run) {
                    leave_out_ends(run);  // what follows moves up, which would be found, too
                    run.events.erase(iterator_of(run, "p.predictions", "0-2"));
                  },
                  {"lost"}},
        Tampering{"a_dead_letter_dropped",
                  [](Past& run) { run.events.erase(iterator_of(run, "p.dead", "1-3")); },
                  {"lost"}},
        Tampering{"a_prediction_doubled",
                  [](Past& run) { run.events.push_back(event_of(run, "p.predictions", "0-7")); },
                  {"doubled", "out_of_reign"}},
        Tampering{"a_dead_letter_for_a_record_that_was_scored",
                  [](Past& run) {
                    Event letter = event_of(run, "p.dead", "1-3");
                    letter.headers[3].second = "5";
                    run.events.push_back(letter);
                  },
                  {"doubled"}},
        Tampering{"a_digit_changed",
                  [](Past& run) {
                    std::string& text = event_of(run, "p.predictions", "0-2").value;
                    text[15] = text[15] == '9' ? '8' : static_cast<char>(text[15] + 1);
                  },
                  {"wrong_value"}},
        Tampering{"a_row_of_many_changed",
                  [](Past& run) {
                    replace(event_of(run, "p.predictions", "1-4").value, "[9, 10]", "[9, 11]");
                  },
                  {"wrong_value"}},
        Tampering{"two_versions_swapped",
                  [](Past& run) {
                    replace(event_of(run, "p.predictions", "0-2").value, "\"model\": 1",
                            "\"model\": 2");
                  },
                  {"wrong_model", "wrong_value"}},
        Tampering{"the_old_model_after_the_new_one",
                  [](Past& run) {
                    run.events[static_cast<std::size_t>(iterator_of(run, "p.predictions", "0-8") -
                                                        run.events.begin())] =
                        prediction(0, 8, 1, 1, "0-8", format_double(predict(1, 0.8, 1)));
                  },
                  {"epoch_falls", "out_of_reign", "swap_not_on_record"}},
        Tampering{"the_new_model_before_its_resume",
                  [](Past& run) {
                    run.events[static_cast<std::size_t>(iterator_of(run, "p.predictions", "0-4") -
                                                        run.events.begin())] =
                        prediction(0, 4, 2, 2, "0-4", format_double(predict(2, 0.4, 1)));
                  },
                  {"out_of_reign", "swap_not_on_record"}},
        Tampering{"the_new_model_before_its_resume_by_the_clocks",
                  [](Past& run) {
                    leave_out_ends(run);
                    run.events[static_cast<std::size_t>(iterator_of(run, "p.predictions", "0-4") -
                                                        run.events.begin())] =
                        prediction(0, 4, 2, 2, "0-4", format_double(predict(2, 0.4, 1)));
                  },
                  {"out_of_reign", "swap_not_on_record"}},
        Tampering{"an_answer_to_nothing",
                  [](Past& run) {
                    run.events.push_back(prediction(0, 999, 2, 2, "0-999", "1"));
                    run.events.push_back(prediction(7, 0, 2, 2, "7-0", "1"));
                    run.events.back().partition = 0;
                  },
                  {"phantom"}},
        Tampering{
            "offsets_not_committed", [](Past& run) { run.uncommitted = 1; }, {"ahead_of_offsets"}},
        Tampering{"an_answer_out_of_order",
                  [](Past& run) {
                    std::swap(event_of(run, "p.predictions", "0-6"),
                              event_of(run, "p.predictions", "0-7"));
                  },
                  {"order_broken"}},
        Tampering{"a_key_changed",
                  [](Past& run) { event_of(run, "p.predictions", "0-6").key = "another"; },
                  {"key_changed"}},
        Tampering{"a_dead_letter_changed",
                  [](Past& run) { event_of(run, "p.dead", "1-3").value += " "; },
                  {"dead_letter_changed"}},
        Tampering{"a_header_of_a_dead_letter_changed",
                  [](Past& run) { event_of(run, "p.dead", "1-3").headers[0].second = "43"; },
                  {"dead_letter_changed"}},
        Tampering{"a_dead_letter_without_cause",
                  [](Past& run) {
                    event_of(run, "p.features", "1-3").value = R"({"x": 1, "y": 2})";
                    event_of(run, "p.dead", "1-3").value = R"({"x": 1, "y": 2})";
                  },
                  {"dead_without_cause"}},
        Tampering{"a_prediction_of_what_cannot_be_scored",
                  [](Past& run) { event_of(run, "p.features", "0-6").value = R"({"x": 1})"; },
                  {"scored_despite_fault"}},
        Tampering{"a_prediction_that_is_none",
                  [](Past& run) { event_of(run, "p.predictions", "0-6").value = "{}"; },
                  {"unreadable_answer", "lost"}},
        Tampering{"a_dead_letter_without_a_place",
                  [](Past& run) { event_of(run, "p.dead", "1-3").headers.clear(); },
                  {"unreadable_answer", "lost"}},
        Tampering{"a_swap_dropped",
                  [](Past& run) {
                    std::erase_if(run.events, [](const Event& event) {
                      return event.topic == "p.swaps" && event.value == swap(2, 0, 5).value;
                    });
                  },
                  {"swap_not_on_record"}},
        Tampering{"a_swap_moved",
                  [](Past& run) { run.events.push_back(swap(2, 0, 3)); },
                  {"swap_not_on_record"}},
        Tampering{"a_swap_of_another_version",
                  [](Past& run) {
                    for (Event& event : run.events) {
                      if (event.value != swap(2, 0, 5).value) continue;
                      replace(event.value, "\"version\":2", "\"version\":1");
                    }
                  },
                  {"swap_not_on_record"}},
        Tampering{"a_swap_that_is_none",
                  [](Past& run) {
                    run.events.push_back({"p.swaps", 0, std::nullopt, "x", {}});
                  },
                  {"swap_not_on_record"}},
        Tampering{"an_epoch_that_never_was",
                  [](Past& run) {
                    replace(event_of(run, "p.predictions", "0-6").value, "\"epoch\": 2",
                            "\"epoch\": 9");
                  },
                  {"unknown_epoch"}}),
    [](const auto& tested) { return tested.param.name; });

INSTANTIATE_TEST_SUITE_P(
    control_log, TamperedRun,
    ::testing::Values(
        Tampering{"a_resume_forged",
                  [](Past& run) { run.events.push_back(resume(3, 1, "rolled_back")); },
                  {"control_out_of_order"}},
        Tampering{"a_resume_forged_in_a_halt",
                  [](Past& run) {
                    const auto own =
                        std::find_if(run.events.begin(), run.events.end(), [](const Event& event) {
                          return event.topic == "p.control" &&
                                 event.value.find(R"("type":"resume","epoch":2)") !=
                                     std::string::npos;
                        });
                    run.events.insert(own, resume(2, 1, "failed"));
                  },
                  // Then epoch 2 is model 1's, and the trainer's own resume comes too late.
                  {"control_out_of_order", "wrong_model", "dataset_twice", "stray_data",
                   "model_unannounced", "swap_not_on_record"}},
        Tampering{"a_resume_without_a_halt",
                  [](Past& run) { run.events.push_back(resume(9, 1, "trained")); },
                  {"control_out_of_order"}},
        Tampering{"an_epoch_left_out",
                  [](Past& run) { run.events.push_back(begin("halt", 5, "e.csv")); },
                  {"control_out_of_order"}},
        Tampering{"another_sha256",
                  [](Past& run) {
                    for (Event& event : run.events) {
                      if (event.value.find(R"("type":"resume","epoch":3)") == std::string::npos) {
                        continue;
                      }
                      replace(event.value, sha256_hex(model_json(2)), sha256_hex("forged"));
                    }
                  },
                  // Then epoch 3 has not ended, and nothing of it may be in rejected/.
                  {"control_out_of_order", "stray_data"}},
        Tampering{"noise",
                  [](Past& run) {
                    run.events.push_back({"p.control", 0, std::nullopt, "noise", {}});
                  },
                  {"control_unreadable"}}),
    [](const auto& tested) { return tested.param.name; });

INSTANTIATE_TEST_SUITE_P(
    store, TamperedRun,
    ::testing::Values(
        Tampering{"a_model_cut_short",
                  [](Past& run) { run.files["/models/0000000001/model.json"].pop_back(); },
                  {"model_broken", "unknown_model"}},
        Tampering{"a_model_replaced_with_its_manifest",
                  [](Past& run) {
                    run.files["/models/0000000001/model.json"] = model_json(3);
                    replace(run.files["/models/0000000001/manifest.json"],
                            sha256_hex(model_json(1)), sha256_hex(model_json(3)));
                  },
                  {"model_broken", "unknown_model"}},
        Tampering{"a_model_without_its_sample",
                  [](Past& run) { run.files.erase("/models/0000000001/test.csv"); },
                  {"model_broken", "unknown_model"}},
        Tampering{"a_model_removed",
                  [](Past& run) {
                    for (const char* file : {"model.json", "manifest.json", "test.csv"}) {
                      run.files.erase("/models/0000000001/" + std::string(file));
                    }
                  },
                  {"model_missing", "unknown_model"}},
        Tampering{"a_model_that_nobody_announced",
                  [](Past& run) {
                    for (const char* file : {"model.json", "manifest.json", "test.csv"}) {
                      const std::string name = file;
                      run.files["/models/0000000007/" + name] = "";
                    }
                    run.files["/models/0000000007/model.json"] = model_json(7);
                    run.files["/models/0000000007/manifest.json"] = manifest_json(7, "g.csv");
                  },
                  {"model_unannounced"}},
        Tampering{"a_stray_file_among_the_models",
                  [](Past& run) { run.files["/models/notes.txt"] = "x"; },
                  {"stray_model_file"}},
        Tampering{"a_stray_file_in_a_model",
                  [](Past& run) { run.files["/models/0000000001/notes.txt"] = "x"; },
                  {"stray_model_file"}},
        Tampering{"a_used_data_set_edited",
                  [](Past& run) { run.files["/dataset/used/a.1.csv"][7] = '2'; },
                  {"dataset_changed"}},
        Tampering{"a_used_data_set_removed",
                  [](Past& run) { run.files.erase("/dataset/used/b.2"); },
                  {"dataset_missing"}},
        Tampering{"a_stray_file_among_the_used",
                  [](Past& run) { run.files["/dataset/used/z.csv"] = kDataset; },
                  {"stray_data"}},
        Tampering{"a_stray_file_among_the_rejected",
                  [](Past& run) { run.files["/dataset/rejected/z.csv"] = kDataset; },
                  {"stray_data", "reason_missing"}},
        Tampering{"a_used_data_set_in_rejected_too",
                  [](Past& run) {
                    run.files["/dataset/rejected/a.1.csv"] = kDataset;
                    run.files["/dataset/rejected/a.1.csv.reason.json"] = "{}";
                  },
                  {"dataset_twice", "stray_data"}},
        Tampering{"a_refused_data_set_removed",
                  [](Past& run) { run.files.erase("/dataset/rejected/c.3.csv"); },
                  {"dataset_missing"}},
        Tampering{"a_reason_removed",
                  [](Past& run) { run.files.erase("/dataset/rejected/c.3.csv.reason.json"); },
                  {"reason_missing"}},
        Tampering{"rows_that_do_not_add_up",
                  [](Past& run) {
                    replace(run.files["/models/0000000001/manifest.json"], "\"rows_trained\":1",
                            "\"rows_trained\":2");
                  },
                  {"rows_do_not_add_up"}},
        Tampering{"rows_that_the_file_does_not_have",
                  [](Past& run) {
                    replace(run.files["/models/0000000001/manifest.json"], "\"rows\":3",
                            "\"rows\":4");
                    replace(run.files["/models/0000000001/manifest.json"], "\"rows_trained\":1",
                            "\"rows_trained\":2");
                  },
                  {"rows_do_not_add_up"}},
        Tampering{"a_manifest_of_another_data_set",
                  [](Past& run) {
                    replace(run.files["/models/0000000001/manifest.json"], "/dataset/a.csv",
                            "/dataset/z.csv");
                  },
                  {"dataset_changed"}}),
    [](const auto& tested) { return tested.param.name; });

// The manifest of a data set that was read in splits has another digest than that of all its bytes.
std::string splits_sha256_of_dataset(std::size_t split_bytes) {
  std::vector<std::string> digests;
  for (std::size_t at = 0; at < kDataset.size(); at += split_bytes) {
    digests.push_back(sha256_hex(kDataset.substr(at, split_bytes)));
  }
  // Five splits: four of them in a tree, and the fifth.
  EXPECT_EQ(digests.size(), 5u);
  const std::string left = sha256_hex(digests[0] + digests[1]);
  const std::string right = sha256_hex(digests[2] + digests[3]);
  return sha256_hex(sha256_hex(left + right) + digests[4]);
}

void read_in_splits(Past& run, const std::string& digest) {
  replace(run.files["/models/0000000001/manifest.json"],
          "\"sha256\":\"" + sha256_hex(kDataset) + "\"",
          R"("sha256":"","splits_sha256":")" + digest + R"(","split_bytes":6)");
}

TEST(RunInSplits, is_held_against_the_digest_of_the_splits) {
  Past run = honest();
  read_in_splits(run, splits_sha256_of_dataset(6));
  EXPECT_THAT(found_in(Played(run).audit()->findings), ::testing::IsEmpty());

  Past edited = run;
  edited.files["/dataset/used/a.1.csv"][7] = '2';
  EXPECT_THAT(found_in(Played(edited).audit()->findings),
              UnorderedElementsAreArray({"dataset_changed"}));

  // Without any digest nothing could be found out.
  Past untold = honest();
  read_in_splits(untold, "");
  EXPECT_THAT(found_in(Played(untold).audit()->findings), ::testing::Contains("model_broken"));
}

Names found_by_keys(const Past& run) {
  Played played(run);
  played.control_topic = record::readers_topic("p.control");
  const auto report = played.audit();
  EXPECT_TRUE(report) << report.error().message();
  return report ? found_in(report->findings) : Names{};
}

TEST(SignedRun, is_held_against_the_keys) {
  Past run = honest();
  sign_control(run);
  EXPECT_THAT(found_by_keys(run), ::testing::IsEmpty());

  // A resume that would count, but for the signature: named, and nothing else comes of it.
  Past forged = run;
  const auto halt =
      std::find_if(forged.events.begin(), forged.events.end(), [](const Event& event) {
        return event.value.find(R"("type":"halt","epoch":2)") != std::string::npos;
      });
  forged.events.insert(halt + 1, resume(2, 1, "failed"));
  EXPECT_THAT(found_by_keys(forged), UnorderedElementsAreArray({"control_forged"}));

  // With a digit changed the trainer's own resume is no better.
  Past changed = run;
  for (Event& event : changed.events) {
    if (event.value.find(R"("type":"resume","epoch":3)") == std::string::npos) continue;
    replace(event.value, R"("by":")", R"("by":"x)");
  }
  EXPECT_THAT(found_by_keys(changed), ::testing::Contains("control_forged"));
}

}  // namespace
}  // namespace weir::audit
