#include "cli/build_identity.h"

#include <elf.h>
#include <link.h>

#include <cstring>
#include <string_view>

namespace weir::cli {
namespace {

constexpr std::size_t kAlignment = 4;

std::size_t aligned(std::size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

std::string hexadecimal(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

// Of one segment of notes: header, name, description, one after the other.
std::string build_id_of(std::string_view notes) {
  ElfW(Nhdr) head{};
  while (notes.size() >= sizeof head) {
    std::memcpy(&head, notes.data(), sizeof head);
    notes.remove_prefix(sizeof head);
    const std::size_t name_bytes = aligned(head.n_namesz);
    const std::size_t bytes = aligned(head.n_descsz);
    if (name_bytes + bytes > notes.size()) return "";
    if (head.n_type == NT_GNU_BUILD_ID && notes.starts_with(std::string_view("GNU\0", 4))) {
      return hexadecimal(notes.substr(name_bytes, head.n_descsz));
    }
    notes.remove_prefix(name_bytes + bytes);
  }
  return "";
}

}  // namespace

std::string build_identity() {
  std::string found;
  // The program itself comes first; the libraries after it are of no interest.
  const auto look = [](dl_phdr_info* object, std::size_t, void* result) {
    for (int i = 0; i < object->dlpi_phnum; ++i) {
      const auto& header = object->dlpi_phdr[i];
      if (header.p_type != PT_NOTE) continue;
      const auto* notes = reinterpret_cast<const char*>(object->dlpi_addr + header.p_vaddr);
      auto& text = *static_cast<std::string*>(result);
      if (text.empty()) text = build_id_of({notes, header.p_memsz});
    }
    return 1;
  };
  dl_iterate_phdr(look, &found);
  return found;
}

}  // namespace weir::cli
