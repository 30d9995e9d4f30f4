// Small functions on text and numbers that every room needs, locale-free.
//
// Threads: pure functions. Errors: as said at each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

// Control characters escaped as \n, \t, \x1b: a hostile name never splits a log line, moves a
// cursor or turns the direction of the text. Other UTF-8 passes through; bytes that are no UTF-8
// become \xNN.
std::string one_line(std::string_view text);

// So many bytes of it at most, not cut in the middle of a character; "…" behind where it was cut.
std::string beginning_of(std::string_view text, std::size_t bytes_max);

// Whether all of it is well-formed UTF-8.
bool is_utf8(std::string_view text);

// The text, as one_line() gives it, in no more than so many columns of a terminal: where it is
// longer it is cut between two characters and ends in "…". Wide characters count twice, marks that
// combine not at all.
std::string cut_to_columns(std::string_view text, std::size_t columns_max);
// The same, filled up with spaces to exactly so many.
std::string fit_columns(std::string_view text, std::size_t columns);

// The whole of `text` as a decimal floating-point number, correctly rounded (std::from_chars). A
// leading '+' is taken; hexadecimal, "inf" and "nan" in any case, an empty text, white space and
// numbers out of range are not: nullopt.
std::optional<double> parse_finite_double(std::string_view text);

std::optional<std::int64_t> parse_int64(std::string_view text);

// The shortest decimal that reads back to the same double (std::to_chars).
std::string format_double(double value);

// "1.2 GB", "340 B"; powers of 1000, three significant digits at most.
std::string format_bytes(std::uint64_t bytes);

// The candidate nearest to `word` by edit distance, if near enough to be a slip of the finger.
template <typename Range>
std::optional<std::string> nearest_name(std::string_view word, const Range& candidates);
int edit_distance(std::string_view a, std::string_view b);

std::string to_hex(std::string_view bytes);
// Two digits a byte, of either case; nullopt where it is anything else.
std::optional<std::string> from_hex(std::string_view digits);

// ---- implementation ----
template <typename Range>
std::optional<std::string> nearest_name(std::string_view word, const Range& candidates) {
  std::optional<std::string> best;
  int best_distance = static_cast<int>(word.size()) / 3 + 2;
  for (const auto& candidate : candidates) {
    const int distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = std::string(candidate);
    }
  }
  return best;
}

}  // namespace weir
