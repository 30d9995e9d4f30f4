// SHA-256 (FIPS 180-4) by OpenSSL, of bytes at once or as they come.
//
// Threads: one thread per object. Errors: none but out of memory, which stops the process.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace weir {

std::string sha256_hex(std::string_view bytes);  // 64 lower-case hexadecimal digits

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::string_view bytes);
  std::string finish_hex();  // once; the object is spent

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir
