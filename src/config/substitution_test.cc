#include "config/substitution.h"

#include <gtest/gtest.h>

namespace weir::config {
namespace {

const Environment kEnvironment = {{"HOST", "kafka-1"}, {"EMPTY", ""}, {"SLY", "${HOST}"}};

TEST(Substitution, puts_variables_and_defaults_in) {
  EXPECT_EQ(substitute("${HOST}:9092", kEnvironment), "kafka-1:9092");
  EXPECT_EQ(substitute("a${HOST}b${HOST}c", kEnvironment), "akafka-1bkafka-1c");
  EXPECT_EQ(substitute("${AWAY:localhost:9092}", kEnvironment), "localhost:9092");
  EXPECT_EQ(substitute("${AWAY:}", kEnvironment), "");
  EXPECT_EQ(substitute("${EMPTY:other}", kEnvironment), "");
  EXPECT_EQ(substitute("cost: 5$ {x} $HOST", kEnvironment), "cost: 5$ {x} $HOST");
}

TEST(Substitution, does_not_look_again_at_what_it_put_in) {
  EXPECT_EQ(substitute("${SLY}", kEnvironment), "${HOST}");
}

TEST(Substitution, two_dollars_stand_for_a_plain_one_before_a_brace) {
  EXPECT_EQ(substitute("$${HOST}", kEnvironment), "${HOST}");
  EXPECT_EQ(substitute("$$", kEnvironment), "$$");
  for (const char* text : {"${a}", "$${a}", "$$${", "x$", "", "${", "a$b${c}$${d}"}) {
    EXPECT_EQ(substitute(escape_for_substitution(text), {}), text);
  }
}

TEST(Substitution, refuses_unset_variables_and_broken_braces) {
  EXPECT_EQ(substitute("${AWAY}", kEnvironment).error(), "the variable AWAY is not set");
  EXPECT_EQ(substitute("${HOST", kEnvironment).error(), "${ without a }");
  EXPECT_EQ(substitute("${}", kEnvironment).error(), "'' is not the name of a variable");
  EXPECT_EQ(substitute("${1A}", kEnvironment).error(), "'1A' is not the name of a variable");
  EXPECT_FALSE(substitute("${AWAY:${HOST}}", kEnvironment));
}

}  // namespace
}  // namespace weir::config
