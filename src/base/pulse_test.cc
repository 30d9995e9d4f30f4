#include "base/pulse.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Pulse, tells_the_innermost_call_and_beats_as_each_begins_and_ends) {
  Pulse pulse;
  Pulse::set_own(&pulse);
  {
    const Inside outer("opening");
    {
      const Inside inner("asking");
      EXPECT_STREQ(pulse.inside(), "asking");
    }
    EXPECT_STREQ(pulse.inside(), "opening");
    EXPECT_EQ(pulse.beats(), 3u);
  }
  EXPECT_EQ(pulse.inside(), nullptr);
  Pulse::set_own(nullptr);
  const Inside unwatched("nobody looks");
  EXPECT_EQ(pulse.beats(), 4u);
}

}  // namespace
}  // namespace weir
