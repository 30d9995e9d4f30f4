#include "http/outflow.h"

#include <charconv>

namespace weir::http {

bool Outflow::write(std::string bytes) {
  if (!open_) return false;
  const std::size_t size = bytes.size();
  const std::size_t before = held_.fetch_add(size);
  // One piece is taken however large it is: its client has not been slow yet.
  if (before > 0 && before + size > held_bytes_max_) {
    open_ = false;
    end_(true);
    return false;
  }
  deliver_(std::move(bytes));
  return true;
}

std::string chunk_of(std::string_view bytes) {
  char size[20];
  const auto end = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
  std::string chunk(size, end);
  chunk += "\r\n";
  chunk += bytes;
  chunk += "\r\n";
  return chunk;
}

}  // namespace weir::http
