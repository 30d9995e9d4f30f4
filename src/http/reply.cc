#include "http/connection_internal.h"

namespace weir::http {

std::string head_of(const Response& response, bool keep_alive, bool chunked) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head += status_text(response.status);
  head += "\r\n";
  const auto add = [&](std::string_view name, std::string_view value) {
    head += name;
    head += ": ";
    head += value;
    head += "\r\n";
  };
  if (!response.content_type.empty()) add("Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) add(name, value);
  if (chunked) {
    add("Transfer-Encoding", "chunked");
  } else if (response.status != 204 && response.status != 304) {
    add("Content-Length", std::to_string(response.body.size()));
  }
  if (!keep_alive) add("Connection", "close");
  head += "\r\n";
  return head;
}

std::string common_name_of(ssl_st* session) {
  const auto free = [](X509* certificate) { X509_free(certificate); };
  const std::unique_ptr<X509, decltype(free)> certificate(SSL_get1_peer_certificate(session), free);
  if (!certificate) return "";
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name,
                            sizeof name);
  return name;
}

Reply::~Reply() {
  if (!target_) return;
  Response lost;
  lost.status = 500;
  lost.content_type = "application/problem+json";
  lost.body =
      R"({"title":"Internal Server Error","status":500,"detail":"the request was not answered"})";
  std::exchange(target_, nullptr)->send(std::move(lost));
}

void Reply::send(Response response) { std::exchange(target_, nullptr)->send(std::move(response)); }

std::shared_ptr<ResponseStream> Reply::start_stream(Response head) {
  return std::exchange(target_, nullptr)->start_stream(std::move(head));
}

}  // namespace weir::http
