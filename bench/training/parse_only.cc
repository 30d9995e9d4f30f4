// bench_parse_only FILE THREADS: finds the numbers of a CSV file and parses them, and does nothing
// else: the least that anybody who trains on the file has to do.
//
// The file is mapped and split in THREADS runs of whole lines; each thread goes from one comma or
// line end to the next and reads what stands there with std::from_chars. Prints, as JSON, how many
// numbers there were, their sum and the seconds from the first byte to the last.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

namespace {

struct Found {
  unsigned long numbers = 0;
  double sum = 0;
  bool good = true;
};

Found parse(std::string_view text) {
  Found found;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    double value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || next == end || (*next != ',' && *next != '\n')) {
      found.good = false;
      return found;
    }
    ++found.numbers;
    found.sum += value;
    at = next + 1;
  }
  return found;
}

// The place behind the line in which `at` lies.
std::size_t next_line(std::string_view text, std::size_t at) {
  const auto line_end = text.find('\n', at);
  return line_end == text.npos ? text.size() : line_end + 1;
}

}  // namespace

int main(int count, char** arguments) {
  const int threads = count == 3 ? std::atoi(arguments[2]) : 0;
  const int file = count == 3 ? ::open(arguments[1], O_RDONLY) : -1;
  struct stat status {};
  if (threads < 1 || file < 0 || ::fstat(file, &status) != 0 || status.st_size == 0) {
    std::fprintf(stderr, "usage: bench_parse_only FILE THREADS\n");
    return 2;
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  const auto began = std::chrono::steady_clock::now();
  const void* const bytes = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  if (bytes == MAP_FAILED) return 1;
  const std::string_view text(static_cast<const char*>(bytes), size);
  std::vector<Found> found(static_cast<std::size_t>(threads));
  std::vector<std::thread> workers;
  std::size_t begin = next_line(text, 0);  // behind the header
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::size_t end = std::max(begin, next_line(text, size / found.size() * (i + 1)));
    const std::size_t until = i + 1 == found.size() ? size : end;
    workers.emplace_back(
        [&found, i, part = text.substr(begin, until - begin)] { found[i] = parse(part); });
    begin = until;
  }
  for (std::thread& worker : workers) worker.join();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
  Found all;
  for (const Found& each : found) {
    all.numbers += each.numbers;
    all.sum += each.sum;
    all.good = all.good && each.good;
  }
  std::printf("{\"numbers\": %lu, \"sum\": %.17g, \"seconds\": %.6f}\n", all.numbers, all.sum,
              seconds.count());
  return all.good ? 0 : 1;
}
