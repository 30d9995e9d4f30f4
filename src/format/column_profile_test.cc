#include "format/column_profile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>

namespace weir::format {
namespace {

const std::vector<std::string> kWords{"NA"};

CsvChunk chunk_of(std::string bytes) {
  CsvChunk chunk;
  chunk.bytes = std::move(bytes);
  return chunk;
}

ColumnProfile profile_of(const std::vector<std::string>& cells) {
  DatasetProfile profile({"a", "b"}, kWords);
  std::string bytes;
  for (const std::string& cell : cells) bytes += cell + ",1\n";
  profile.add(chunk_of(bytes));
  EXPECT_EQ(profile.rows(), cells.size());
  return profile.columns()[0];
}

std::vector<std::string> numbered(const std::string& prefix, int count) {
  std::vector<std::string> cells;
  for (int i = 0; i < count; ++i) cells.push_back(prefix + std::to_string(i));
  return cells;
}

TEST(ColumnProfile, finds_what_kind_of_column_it_is) {
  using enum ColumnKind;
  EXPECT_EQ(profile_of({"1", " 2.5 ", "+3", "NA", ""}).kind(), kNumber);
  EXPECT_EQ(profile_of({"1", "x"}).kind(), kNumber) << "its other rows are bad";
  EXPECT_EQ(profile_of({"1", "x", "y"}).kind(), kCategory);
  EXPECT_EQ(profile_of({"nan", "1e999"}).kind(), kNumber);
  EXPECT_EQ(profile_of({"red", "green", "red", ""}).kind(), kCategory);
  EXPECT_EQ(profile_of({"2026-11-25", "2026-11-26T10:00", "soon"}).kind(), kDateTime);
  EXPECT_EQ(profile_of({"", "NA", " "}).kind(), kIgnored);
  EXPECT_EQ(profile_of({"red", "red"}).kind(), kIgnored);
  EXPECT_EQ(profile_of(numbered("id", 20)).kind(), kCategory);
  EXPECT_EQ(profile_of(numbered("id", 21)).kind(), kIgnored);
  EXPECT_EQ(profile_of({"Z\xfcrich", "Bern", "Bern"}).why_ignored(),
            "it holds text that is not UTF-8");
  EXPECT_TRUE(profile_of({"Z\xfcrich", "Bern", "Bern"}).values_by_count().empty());
  EXPECT_EQ(profile_of({std::string(257, 'x'), "y", "z"}).kind(), kIgnored);
}

TEST(ColumnProfile, keeps_no_more_values_than_it_may) {
  auto cells = numbered("v", 1'000);
  const auto again = cells;
  cells.insert(cells.end(), again.begin(), again.end());
  cells.insert(cells.end(), again.begin(), again.end());
  EXPECT_EQ(profile_of(cells).kind(), ColumnKind::kCategory);
  EXPECT_EQ(profile_of(cells).values_by_count().size(), 1'000u);
  cells.emplace_back("one more");
  const ColumnProfile over = profile_of(cells);
  EXPECT_EQ(over.kind(), ColumnKind::kIgnored);
  EXPECT_TRUE(over.values.empty());
  EXPECT_NE(over.why_ignored().find("1000"), std::string::npos);
}

TEST(ColumnProfile, orders_values_by_how_often_they_come) {
  EXPECT_EQ(profile_of({"b", "a", "c", "c", "b", "c"}).values_by_count(),
            (std::vector<std::string>{"c", "b", "a"}));
  EXPECT_EQ(profile_of({"b", "a"}).values_by_count(), (std::vector<std::string>{"a", "b"}));
}

TEST(DatasetProfile, counts_records_that_are_none) {
  DatasetProfile profile({"a", "b"}, kWords);
  profile.add(chunk_of("1,2\n\n1\n1,2,3\n\"x\"y,2\n\"a,\nb\",2\n"));
  EXPECT_EQ(profile.rows(), 5u);
  EXPECT_EQ(profile.malformed(), 3u);
  EXPECT_EQ(profile.find("a")->texts, 1u);
  EXPECT_EQ(profile.find("a")->values.rbegin()->first, "a,\nb");
  EXPECT_EQ(profile.find("c"), nullptr);
}

TEST(DatasetProfile, is_the_same_from_parts_as_from_one) {
  DatasetProfile whole({"a", "b"}, kWords);
  DatasetProfile sum({"a", "b"}, kWords);
  for (int part = 0; part < 5; ++part) {
    std::string bytes;
    for (int i = 0; i < 700; ++i) {
      bytes += std::to_string(std::sin(part * 700 + i) * 1e3) + "," +
               (i % 9 == 0 ? "NA" : "k" + std::to_string(i % 7 + part)) + "\n";
    }
    DatasetProfile own({"a", "b"}, kWords);
    own.add(chunk_of(bytes));
    whole.add(chunk_of(bytes));
    sum.merge(own);
  }
  const ColumnProfile& a = whole.columns()[0];
  const ColumnProfile& a_sum = sum.columns()[0];
  EXPECT_EQ(a.numbers.count, 3'500u);
  EXPECT_EQ(a_sum.numbers.count, 3'500u);
  EXPECT_NEAR(static_cast<double>(a.numbers.mean), static_cast<double>(a_sum.numbers.mean), 1e-12);
  EXPECT_NEAR(a.numbers.deviation(), a_sum.numbers.deviation(), 1e-9);
  EXPECT_NEAR(a.numbers.deviation(), 1e3 / std::sqrt(2.0), 10);
  EXPECT_EQ(a.number_quantiles.quantile(0.5), a_sum.number_quantiles.quantile(0.5));
  EXPECT_EQ(whole.columns()[1].values, sum.columns()[1].values);
  EXPECT_EQ(whole.columns()[1].missing, sum.columns()[1].missing);
  EXPECT_EQ(sum.rows(), whole.rows());
}

TEST(DatasetProfile, knows_the_same_whatever_came_first) {
  const auto profile_in_parts = [](std::vector<std::vector<std::string>> parts) {
    DatasetProfile sum({"a", "b"}, kWords);
    for (const auto& cells : parts) {
      DatasetProfile own({"a", "b"}, kWords);
      for (const std::string& cell : cells) own.add(chunk_of(cell + ",1\n"));
      sum.merge(own);
    }
    return sum.columns()[0];
  };
  const std::vector<std::string> odd{"Z\xfcrich"};
  const auto many = numbered("v", 1'000);
  for (const auto& column : {profile_in_parts({odd, many}), profile_in_parts({many, odd}),
                             profile_in_parts({{odd[0], many[0]}, many})}) {
    EXPECT_TRUE(column.too_many_values);
    EXPECT_FALSE(column.not_utf8);
    EXPECT_TRUE(column.values.empty());
  }
  const ColumnProfile few = profile_in_parts({odd, {"Bern"}, odd});
  EXPECT_TRUE(few.not_utf8);
  EXPECT_EQ(few.values.size(), 2u);
}

TEST(DatasetProfile, is_read_back_from_its_bytes_and_from_no_others) {
  DatasetProfile profile({"a", "b"}, kWords);
  profile.add(chunk_of("1e-300,red\n-3.7,2026-11-25\nNA,\"gr\neen\"\nnan,red\n1,2,3\n1e300,7\n"));
  const auto bytes_of = [](DatasetProfile of) {
    ByteWriter to;
    of.save_rest(to);
    of.take_figures().save(to);
    return to.take();
  };
  const auto read = [&](std::string_view bytes) -> std::optional<DatasetProfile> {
    ByteReader from(bytes);
    DatasetProfile made({"a", "b"}, kWords);
    made.load_rest(from);
    made.put_figures(ProfileFigures::load(from, 2));
    if (!from.ok() || !from.at_end() || !made.is_consistent()) return std::nullopt;
    return made;
  };
  const std::string bytes = bytes_of(profile);
  const auto again = read(bytes);
  ASSERT_TRUE(again);
  EXPECT_EQ(bytes_of(*again), bytes);
  EXPECT_EQ(again->columns()[0].numbers.mean, profile.columns()[0].numbers.mean);
  EXPECT_EQ(again->columns()[0].numbers.m2, profile.columns()[0].numbers.m2);
  EXPECT_EQ(again->columns()[1].values, profile.columns()[1].values);
  int harmless = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    ASSERT_FALSE(read(std::string_view(bytes).substr(0, at))) << at;
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ 1 << bit);
      const auto other = read(flipped);
      if (!other) continue;
      ++harmless;
      ASSERT_EQ(bytes_of(*other), flipped) << "one way to say it";
    }
  }
  EXPECT_GT(harmless, 0) << "some numbers may be any number";
}

TEST(DatasetProfile, takes_no_figures_that_no_rows_have) {
  const auto reads = [](const NumberFigures& numbers) {
    ProfileFigures figures;
    figures.columns.resize(1);
    figures.columns[0].numbers = numbers;
    ByteWriter bytes;
    figures.save(bytes);
    ByteReader reader(bytes.bytes());
    ProfileFigures::load(reader, 1);
    return reader.ok();
  };
  const NumberFigures good{3, 2.0L, 2.0L, 1, 3};
  EXPECT_TRUE(reads(good));
  EXPECT_TRUE(reads({2, 0.0L, 2 * 1.7e308L * 1.7e308L, -1.7e308, 1.7e308}));
  for (const long double mean : {0.9L, 3.1L, -1e4000L, 1e4000L}) {
    NumberFigures bad = good;
    bad.mean = mean;
    EXPECT_FALSE(reads(bad)) << static_cast<double>(mean);
  }
  for (const long double m2 : {-1.0L, 12.1L, 1e4000L}) {
    NumberFigures bad = good;
    bad.m2 = m2;
    EXPECT_FALSE(reads(bad)) << static_cast<double>(m2);
  }
}

TEST(DatasetProfile, gives_its_figures_away_and_takes_them_back) {
  DatasetProfile whole({"a", "b"}, kWords);
  whole.add(chunk_of("1,2026-11-25\n4,2026-11-26\n"));
  DatasetProfile own({"a", "b"}, kWords);
  own.add(chunk_of("1,2026-11-25\n"));
  ProfileFigures figures = own.take_figures();
  EXPECT_EQ(own.columns()[0].numbers.count, 0u);
  own.add(chunk_of("4,2026-11-26\n"));
  figures.merge(own.take_figures());
  own.put_figures(figures);
  EXPECT_EQ(own.columns()[0].numbers.mean, 2.5L);
  EXPECT_EQ(own.columns()[0].numbers.deviation(), whole.columns()[0].numbers.deviation());
  EXPECT_EQ(own.columns()[1].date_times.lowest, whole.columns()[1].date_times.lowest);
  EXPECT_EQ(own.columns()[1].kind(), ColumnKind::kDateTime);
}

}  // namespace
}  // namespace weir::format
