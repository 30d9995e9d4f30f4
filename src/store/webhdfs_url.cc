#include "store/webhdfs_url.h"

#include <algorithm>

namespace weir::store {
namespace {

std::string encode(std::string_view text, std::string_view kept) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || kept.find(c) != std::string_view::npos;
    if (is_plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

// The length of the UTF-8 sequence that begins with this byte, and the bounds of the second byte,
// which shut out overlong forms, surrogates and what is past U+10FFFF.
struct Utf8Start {
  int length;
  unsigned char second_min;
  unsigned char second_max;
};
Utf8Start utf8_start(unsigned char first) {
  if (first < 0x80) return {1, 0, 0};
  if (first < 0xc2) return {0, 0, 0};
  if (first < 0xe0) return {2, 0x80, 0xbf};
  if (first == 0xe0) return {3, 0xa0, 0xbf};
  if (first == 0xed) return {3, 0x80, 0x9f};
  if (first < 0xf0) return {3, 0x80, 0xbf};
  if (first == 0xf0) return {4, 0x90, 0xbf};
  if (first < 0xf4) return {4, 0x80, 0xbf};
  if (first == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const auto [length, second_min, second_max] = utf8_start(byte(i));
    if (length == 0 || text.size() - i < static_cast<std::size_t>(length)) return false;
    if (length > 1 && (byte(i + 1) < second_min || byte(i + 1) > second_max)) return false;
    for (int k = 2; k < length; ++k) {
      if ((byte(i + k) & 0xc0) != 0x80) return false;
    }
    i += static_cast<std::size_t>(length);
  }
  return true;
}

}  // namespace

std::string percent_encode_path(std::string_view path) { return encode(path, "-._~/"); }
std::string percent_encode(std::string_view text) { return encode(text, "-._~"); }

std::string query_of(const UrlParameters& parameters) {
  std::string query;
  for (const auto& [name, value] : parameters) {
    query += query.empty() ? '?' : '&';
    query += name;
    query += '=';
    query += percent_encode(value);
  }
  return query;
}

Status check_hdfs_name(std::string_view path) {
  if (path.find(':') != std::string_view::npos) {
    return fail(Code::kInvalidArgument,
                "the path '" + std::string(path) + "' contains ':', which HDFS takes in no name");
  }
  if (path.size() > kHdfsPathBytesMax) {
    return fail(Code::kInvalidArgument,
                "a path of " + std::to_string(path.size()) + " bytes is longer than HDFS takes");
  }
  if (!is_utf8(path)) {
    return fail(Code::kInvalidArgument,
                "the path '" + std::string(path) + "' is no UTF-8; HDFS would change the name");
  }
  return {};
}

Result<UrlOrigin> origin_of(std::string_view url) {
  const std::size_t scheme_end = url.find("://");
  const auto bad = [&] {
    return fail(Code::kInvalidArgument,
                without_query(url) + " is no http or https URL with a host");
  };
  if (scheme_end == std::string_view::npos) return bad();
  UrlOrigin origin;
  origin.scheme = std::string(url.substr(0, scheme_end));
  if (origin.scheme != "http" && origin.scheme != "https") return bad();
  const std::string_view rest = url.substr(scheme_end + 3);
  origin.authority = std::string(rest.substr(0, rest.find_first_of("/?#\\")));
  std::transform(origin.authority.begin(), origin.authority.end(), origin.authority.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  // A user's name or password in an address would be sent to it.
  if (origin.authority.empty() || origin.authority.find('@') != std::string::npos) return bad();
  return origin;
}

std::string host_of_authority(std::string_view authority) {
  if (authority.starts_with('[')) {
    return std::string(authority.substr(1, authority.find(']') - 1));
  }
  return std::string(authority.substr(0, authority.rfind(':')));
}

std::string without_query(std::string_view url) {
  return std::string(url.substr(0, url.find('?')));
}

}  // namespace weir::store
